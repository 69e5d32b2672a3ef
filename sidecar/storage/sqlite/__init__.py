"""The SQLite backend.

`database.py` owns the connections and all transactions, `pragmas.py` their settings, `schema.py` and `migrations/` the
tables, `snapshot.py` copies; then one file a domain, all of them together in `backend.py`.
"""
