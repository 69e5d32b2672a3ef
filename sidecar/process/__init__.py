"""Being a child process: listening socket, control pipe and status lines, data directory, logs, the run loop.

Nothing here is imported by the API or the storage; both work without a process of their own.
"""
