"""Transfer: rows of every kind on their way out of the store and into it.

Lines of an archive enter and leave.
"""
