"""Recovery: a damaged file is examined, repaired or replaced, and every loss is reported.

A closed file that may be damaged enters; a sound one leaves, with a report.
"""
