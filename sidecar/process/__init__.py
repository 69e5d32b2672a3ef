"""The sidecar as a child process: listening socket, control pipe, status lines, data directory, logs, and the run.

Nothing here is imported by the API or the storage; both work without a process of their own.
"""
