"""Resources, one file each: its table and its methods. `all` lists them.

Arguments enter, and records of `sidecar.models` leave. Each resource reaches its rows through the `Database` of an
engine, and knows no engine itself. `rows` holds what they share.
"""
