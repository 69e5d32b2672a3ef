"""The rows of `./scripts/bench`, one file a subject, and what they share: processes, databases, the table.

`scripts/bench` chooses rows and prints their results. `vectors.py` and `plot.py` are programs that it starts with the
packages of the virtual environment; everything else needs the standard library alone.
"""
