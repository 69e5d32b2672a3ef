"""The format of the search index: how its rowids are made, and how it is created.

These are the values that the newest migration of the index has; a test compares them. A migration never changes, so
what this program uses is written here.
"""

KIND_BITS = 48
"""A document's rowid in the index is `number << KIND_BITS | id`, with the number of its kind."""

COLUMNS = ("title", "headings", "content", "tags", "signs", "facets")
"""`headings` repeats lines of the content, `signs` words with signs (`c++`, `--force`); `facets` are for filters."""

CREATE_INDEX = """
CREATE VIRTUAL TABLE search_index USING fts5 (
    title, headings, content, tags, signs, facets, content = '', tokenize = 'ascii'
)
"""
"""The tokenizer only splits at what is neither letter nor digit in ASCII: the words come folded, and every other
character is a part of one."""

MERGE_LATER = (
    "INSERT INTO search_index (search_index, rank) VALUES ('automerge', 0)",
    "INSERT INTO search_index (search_index, rank) VALUES ('crisismerge', 512)",
)
"""Each commit adds a part to the index, and a search looks into all of them. Merging them is upkeep's, in small steps.
Done by the writes, it was two thirds of what the index costs them: beside 100,000 documents, one of 1 kB took 41 us
more than without an index, and 112 to 124 us with `automerge` at 8, 16 and 64. Only where upkeep does not keep up, 512
parts hold up a write."""
