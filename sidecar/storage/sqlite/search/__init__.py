"""Search by word: the full-text index, how it follows the rows, and how a typed query becomes ranked hits.

What a person typed enters; documents with snippets leave.
"""
