"""Faults of the disk: one at each operation of a program, and what the next start makes of it."""
