"""The vector backend: contexts and todos found by meaning, in the tables of the document backend's database.

The tables are the truth; what a search scans is a cache in memory beside them, made when it is first needed.
"""
