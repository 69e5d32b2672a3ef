"""What a document backend stores, one interface a resource.

The methods are the seed's, under its names. Rows that are not there raise `NotFound`, wrong values `InvalidInput`, and
what the database cannot do raises a `StorageError`; no method tells of a failure by what it returns. Times may be given
with any offset and come back in UTC. Methods that change something take an idempotency `key`: the same key again
changes nothing and returns what the first call returned, or raises `AlreadyDone` where that was large and is no longer
kept.
"""
