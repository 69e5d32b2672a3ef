"""The words of a document as the index takes them, in SQL.

unicode61 takes a run of Chinese, Japanese or Korean characters for one word. Here a U+200B, which separates words, is
put around each of them; a search for several is then a search for a phrase. The views and triggers of the schema do
without it: as a part of them, it would be read again by every connection that is opened.
"""

from sidecar.storage.sqlite.search.index_format import CHARACTERS


def words_of(row: str) -> str:
    """SQL for what the index takes of `row`, which has the columns of a search view."""
    return f"{segmented(f'{row}.title')}, {segmented(f'{row}.content')}, {segmented(f'{row}.tags')}, {row}.facets"


def segmented(text: str) -> str:
    """SQL for `text` with its Chinese, Japanese and Korean characters set apart.

    Three levels of blocks, because reaching a character of a text means walking to it; a small block without such
    characters stays in one piece. LIMIT -1 OFFSET 0 keeps SQLite from putting an inner query's expression wherever its
    result is used, and so from computing it again each time.
    """
    return f"""
        CASE WHEN length({text}) = length(CAST({text} AS BLOB)) OR {text} NOT GLOB '*[⺀-𲎯]*' THEN {text} ELSE (
            WITH RECURSIVE
            huge (part, rest) AS (
                SELECT '', {text}
                UNION ALL
                SELECT substr(rest, 1, 262144), substr(rest, 262145) FROM huge WHERE rest != ''
            ),
            large (part) AS MATERIALIZED (
                SELECT substr(part, place * 4096 - 4095, 4096) FROM huge CROSS JOIN search_places
                WHERE place <= (length(part) + 4095) / 4096
            ),
            small (part, pieces) AS MATERIALIZED (
                SELECT part, CASE WHEN part GLOB '*[⺀-𲎯]*' THEN length(part) ELSE 1 END FROM (
                    SELECT substr(part, place * 64 - 63, 64) AS part FROM large CROSS JOIN search_places
                    WHERE place <= (length(part) + 63) / 64 LIMIT -1 OFFSET 0
                )
            )
            SELECT group_concat(
                CASE WHEN one >= '⺀' AND one GLOB '[{CHARACTERS}]' THEN '\u200b' || one || '\u200b' ELSE one END, ''
            )
            FROM (
                SELECT CASE pieces WHEN 1 THEN part ELSE substr(part, place, 1) END AS one
                FROM small CROSS JOIN search_places WHERE place <= pieces LIMIT -1 OFFSET 0
            )
        ) END
    """
