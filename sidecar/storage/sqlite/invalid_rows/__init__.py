"""Invalid rows: values that no reader can normalise are found step by step, reported and repaired.

A place in the tables enters; invalid rows and the next place leave.
"""
