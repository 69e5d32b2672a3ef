"""Maintenance of an open database: expired rows, free pages, statistics, health and diagnostics.

The open database enters; short steps, states and findings leave.
"""
