"""The full-text index over every kind of document, and the triggers that keep it, in SQL that any SQLite tool can run.

`search_index` holds words only (contentless FTS5): what a document's words are, one view a kind says. Its rowids are
`number << 48 | id`, so each kind is one range of them; a row with an id beyond 48 bits is not searched. An entry is
removed by giving FTS5 the words that went in, so a view may only change together with a new index. Entries that are
missing (rows older than the index, an index that was emptied) are made up for in steps: `search_fill` names the kinds
that lack some, and the row behind which they begin.

What of the views' texts goes into the index, `search/segmentation.py` says.
"""

import sqlite3
from typing import NamedTuple

CHARACTERS = "⺀-⿕々-〇ぁ-ゖゝ-ゟァ-ヺー-ヿㄅ-ㄯㄱ-ㆎㇰ-ㇿ㐀-䶿一-鿿ꥠ-ꥼ가-힣ힰ-ퟻ豈-龎ｦ-ﾝ𠀀-𲎯"
"""The ranges of characters that are words by themselves."""

KIND_BITS = 48
LARGEST_ID = (1 << KIND_BITS) - 1
"""A row with another id is not searched."""


class SearchedTable(NamedTuple):
    """Rows of one table as documents: SQL expressions over its columns, and the columns that they read."""

    number: int
    table: str
    columns: tuple[str, ...]
    title: str = "''"
    content: str = "''"
    tags: str = "''"
    facets: str = "''"
    """Words for filters, never for people: letters and digits only."""
    present: str = "TRUE"
    key: str = "id"


def migrate(connection: sqlite3.Connection) -> None:
    """Add the index, the views and the triggers; rows that are there already are left to be filled in."""
    for statement in STATEMENTS:
        connection.execute(statement)
    for searched in SEARCHED_TABLES:
        search_rows_of(connection, searched)


def search_rows_of(connection: sqlite3.Connection, searched: SearchedTable) -> None:
    """Have the rows of one more table searched."""
    for statement in statements_for(searched):
        connection.execute(statement)


def statements_for(searched: SearchedTable) -> tuple[str, ...]:
    """Return what has a table searched: its view, the triggers that keep the index, and the note to fill it in."""
    number, table, columns, title, content, tags, facets, present, key = searched
    view, first = f"search_{table}", number << KIND_BITS
    watched = ", ".join((key, *columns))

    # Of a document that is touched twice, the words that are in the index are those of the first time. Not OR IGNORE:
    # in a trigger, the conflict policy of the statement that fired it counts instead; an upsert's own clause stands.
    as_of_the_first_time = "ON CONFLICT DO NOTHING"

    # Whether the row is one to be found, its view says when the note is followed.
    note = f"""
        WHEN new.{key} BETWEEN 0 AND {LARGEST_ID}
        BEGIN INSERT INTO search_pending (docid) VALUES (new.{key} + {first}) {as_of_the_first_time}; END
    """

    def note_words(row: str) -> str:
        return f"""
            INSERT INTO search_pending (docid, title, content, tags, facets)
            SELECT docid, title, content, tags, facets FROM {view} AS touched
            WHERE id = {row}.{key}
                AND EXISTS (SELECT 1 FROM search_index_docsize WHERE search_index_docsize.id = touched.docid)
            {as_of_the_first_time};
        """

    return (
        f"""
        CREATE VIEW {view} (id, docid, title, content, tags, facets) AS
        SELECT {key}, {key} + {first}, {title}, {content}, {tags}, {facets}
        FROM {table} WHERE {present} AND {key} BETWEEN 0 AND {LARGEST_ID}
        """,
        f"CREATE TRIGGER {view}_inserted AFTER INSERT ON {table} {note}",
        f"CREATE TRIGGER {view}_changing BEFORE UPDATE OF {watched} ON {table} BEGIN {note_words('old')} END",
        f"CREATE TRIGGER {view}_changed AFTER UPDATE OF {watched} ON {table} {note}",
        f"CREATE TRIGGER {view}_deleting BEFORE DELETE ON {table} BEGIN {note_words('old')} END",
        # INSERT OR REPLACE tells no delete trigger. Should the row stay after all (OR IGNORE), nothing is lost by this.
        # Before an insert, an id that SQLite is going to choose is -1.
        f"""
        CREATE TRIGGER {view}_replacing BEFORE INSERT ON {table}
        WHEN new.{key} >= 0 AND EXISTS (SELECT 1 FROM {table} WHERE {key} = new.{key}) BEGIN {note_words("new")} END
        """,
        f"INSERT INTO search_fill (kind, after_id) SELECT {number}, min({key}) - 1 FROM {table} HAVING count(*) > 0",
    )


CREATE_INDEX = """
CREATE VIRTUAL TABLE search_index USING fts5 (
    title, content, tags, facets, content = '', tokenize = 'unicode61 remove_diacritics 2'
)
"""

MERGE_LATER = (
    "INSERT INTO search_index (search_index, rank) VALUES ('automerge', 0)",
    "INSERT INTO search_index (search_index, rank) VALUES ('crisismerge', 512)",
)
"""Each commit adds a part to the index, and a search looks into all of them. Merging them is upkeep's, in small steps.
Done by the writes, it was two thirds of what the index costs them: beside 100,000 documents, one of 1 kB took 41 us
more than without an index, and 112 to 124 us with `automerge` at 8, 16 and 64. Only where upkeep does not keep up, 512
parts hold up a write."""

STATEMENTS = (
    CREATE_INDEX,
    *MERGE_LATER,
    "CREATE TABLE search_fill (kind INTEGER PRIMARY KEY, after_id INTEGER NOT NULL)",
    # Without words: the document is not in the index yet.
    """
    CREATE TABLE search_pending (
        docid INTEGER PRIMARY KEY, title TEXT, content TEXT, tags TEXT, facets TEXT
    )
    """,
    # The numbers from 1 to 64: the places of characters in a block, and of blocks in a larger one.
    "CREATE TABLE search_places (place INTEGER PRIMARY KEY)",
    """
    INSERT INTO search_places
    WITH RECURSIVE counted (place) AS (SELECT 1 UNION ALL SELECT place + 1 FROM counted WHERE place < 64)
    SELECT place FROM counted
    """,
)

_TAG_FACETS = """
    CASE WHEN tags = '' THEN '' ELSE (
        WITH RECURSIVE separated (tag, rest) AS (
            SELECT '', tags || ','
            UNION ALL
            SELECT substr(rest, 1, instr(rest, ',') - 1), substr(rest, instr(rest, ',') + 1) FROM separated
            WHERE rest != ''
        )
        SELECT coalesce(group_concat(' t' || hex(lower(trim(tag))), ''), '') FROM separated WHERE trim(tag) != ''
    ) END
"""

SEARCHED_TABLES = (
    SearchedTable(
        1,
        "vaults",
        ("title", "summary", "content", "tags", "document_type", "parent_id", "is_deleted"),
        title="title",
        content="(coalesce(summary || char(10), '') || content)",
        tags="tags",
        facets=f"'d' || hex(document_type) || ' f' || coalesce(parent_id, 0) || {_TAG_FACETS}",
        present="is_deleted = 0",
    ),
    SearchedTable(2, "todo", ("content", "reason"), content="(content || coalesce(char(10) || reason, ''))"),
    SearchedTable(3, "activity", ("title", "content"), title="title", content="content"),
    SearchedTable(4, "tips", ("content",), content="content"),
    # A streamed message gets its content when it finishes.
    SearchedTable(5, "messages", ("content",), content="content", present="content != ''"),
    SearchedTable(
        6, "conversations", ("title", "status"), title="title", present="title != '' AND status != 'deleted'"
    ),
)
