"""Files: the database's own, those that SQLite keeps beside it, and private files that are written as a whole.

Paths and bytes enter and leave. Nothing here opens the database for writing.
"""
