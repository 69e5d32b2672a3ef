"""The types on the wire, one file a resource: the records that storage returns and the bodies that requests carry.

Pure types: nothing here reads a database, speaks HTTP or knows a process.
"""
