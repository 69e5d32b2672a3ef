"""Shared by all resources: the declaration of a table, its rows as records, pages of lists, and checked values.

Declarations and arguments enter; statements and records leave.
"""
