"""Adoption: the databases of the seeds' systems, converted to ours, and the return of rows that were set aside.

A seed's database enters; its rows leave in our tables, with a report of what was converted or set aside.
"""
