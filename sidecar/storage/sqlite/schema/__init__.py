"""The schema: whose database a file is, its version, and the numbered migrations that bring it up to date.

A connection enters; it leaves with every table at the newest version.
"""
