"""The SQLite backend.

`backend.py` puts the parts together. Each folder is one of them, and its first lines say what enters and what leaves.
"""
