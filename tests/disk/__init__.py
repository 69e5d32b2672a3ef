"""What the tests of power cuts and of disk faults share.

A library that sees a program's disk operations, its records, the programs that are watched, and the ledger of what they
were answered.
"""
