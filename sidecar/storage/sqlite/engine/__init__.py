"""The engine: connections, the group commit, reads, idempotency keys, and SQLite's errors in this project's words.

Plain functions enter, units of work and queries; their results leave once they are on the disk. Nothing here knows a
resource.
"""
