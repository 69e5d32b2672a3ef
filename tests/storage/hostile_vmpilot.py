"""Hostile rows for the vintages of the second seed's database, and what must become of them."""

from sidecar.models.adoption import AdoptionReport
from tests.storage.hostile_rows import UNKNOWN, UTC_STORED, UTC_TIME, Truth, listed
from tests.storage.moments import Moments

_HELLO = '[{"type":"human","content":"hello"}]'
_OLD = '[{"type":"human","content":"older"}]'
_THREAD = "id initial_request project_root current_issue metadata created_at updated_at"
_STATE = "chat_id messages cache_info updated_at"
_EXCHANGE = "exchange_id chat_id model request cost start end"


def truth(vintage: str, moments: Moments) -> Truth:
    """For this vintage, written in this zone."""
    if vintage == "vmpilot-1":
        return _histories(moments)
    found = _chats(moments)
    if vintage != "vmpilot-2":
        _exchanges(found, moments, has_models=vintage == "vmpilot-4")
    return found


def _histories(moments: Moments) -> Truth:
    """States in a table of their own; their system never wrote a row into `chats`."""
    history = "INSERT INTO chat_histories VALUES"
    summer, winter = moments.local("summer"), moments.local("winter")
    return Truth(
        [
            # The newest of three is neither the last row nor the greatest text.
            f"{history} ('t-1', '{_OLD}', '{{}}', '{winter}.5')",
            f"""{history} ('t-1', '{_HELLO}', '{{"n":1}}', '{summer}.75')""",
            f"{history} ('t-1', '[]', '{{}}', '{winter}.25')",
            f"{history} ('t-2', 'no json', '[1]', '{UTC_TIME}')",
            f"{history} ('t-3', '[]', '', NULL)",
            f"{history} ('', '[]', '{{}}', '{UTC_TIME}')",
            f"{history} ('{'x' * 501}', '[]', '{{}}', '{UTC_TIME}')",
            f"{history} (CAST(x'FF' AS TEXT), '[]', '{{}}', '{UTC_TIME}')",
            f"{history} ('t-4', x'5B22FF225D', '{{}}', '{moments.local('repeated', '.5')}')",
            f"{history} ('t-5', '[]', '{{}}', '2025-08-01 08:00:00')",
            """INSERT INTO chats VALUES ('t-5', 'asked', '/home/ada', '31', '2025-05-01 08:00:00', '{"n":2}')""",
            f"INSERT INTO chats VALUES (NULL, 'nameless', NULL, NULL, '{UTC_TIME}', NULL)",
        ],
        {
            "chats": listed(
                _THREAD,
                ("t-1", "hello", None, None, None, moments.utc("winter", "250"), moments.utc("summer", "750")),
                ("t-2", None, None, None, None, UTC_STORED, UTC_STORED),
                ("t-3", None, None, None, None, UNKNOWN, UNKNOWN),
                ("t-4", None, None, None, None, *[moments.utc("repeated", "500")] * 2),
                ("t-5", "asked", "/home/ada", "31", {"n": 2}, *["2025-05-01T08:00:00.000Z"] * 2),
            ),
            "chat_histories": listed(
                _STATE,
                ("t-1", [{"type": "human", "content": "hello"}], {"n": 1}, moments.utc("summer", "750")),
                ("t-2", ["no json"], {"value": [1]}, UTC_STORED),
                ("t-3", [], {}, UNKNOWN),
                ("t-4", ["\ufffd"], {}, moments.utc("repeated", "500")),
                ("t-5", [], {}, "2025-08-01T08:00:00.000Z"),
            ),
        },
        [
            ("chats", False, "id"),
            *_in_order_of_time(moments),
        ],
        AdoptionReport(
            rows={"chats": 1, "chat_histories": 5},
            threads_made=4,
            repeated_times=1 if moments.has_changes else 0,
        ),
    )


def _in_order_of_time(moments: Moments) -> list[tuple[str, bool, str]]:
    """Histories are read newest first."""
    without_place = [("chat_histories", False, "chat_id")] * 3
    decoded = [("chat_histories", True, "messages")]
    older = [("chat_histories", False, "a newer state of the same thread is in its place")] * 2
    in_1991 = moments.utc("repeated") < moments.utc("winter")
    in_spring = moments.utc("repeated") < UTC_STORED
    if in_1991:
        return [*without_place, *older, *decoded]
    return [*without_place, *decoded, *older] if in_spring else [*decoded, *without_place, *older]


def _chats(moments: Moments) -> Truth:
    """States inside `chats`."""
    chat = "INSERT INTO chats VALUES"
    summer = moments.utc("summer", "500")
    return Truth(
        [
            f"""{chat} ('t-1', 'hello', '/home/ada', '{_HELLO}', '{{"a":1}}', '{moments.local("summer", ".5")}')""",
            f"{chat} ('t-2', NULL, NULL, '', '', '{UTC_TIME}')",
            f"{chat} ('t-3', x'FF', NULL, 'null', 'null', '{moments.local('skipped', '.5')}')",
            f"{chat} (NULL, 'nameless', NULL, '[1]', '{{}}', '{UTC_TIME}')",
        ],
        {
            "chats": listed(
                _THREAD,
                ("t-1", "hello", "/home/ada", None, None, summer, summer),
                ("t-2", None, None, None, None, UTC_STORED, UTC_STORED),
                ("t-3", "\ufffd", None, None, None, *[moments.utc("skipped", "500")] * 2),
            ),
            "chat_histories": listed(
                _STATE,
                ("t-1", [{"type": "human", "content": "hello"}], {"a": 1}, summer),
                ("t-2", [], {}, UTC_STORED),
                ("t-3", [], {}, moments.utc("skipped", "500")),
            ),
        },
        [("chats", True, "initial_request"), ("chats", False, "id")],
        AdoptionReport(rows={"chats": 3, "chat_histories": 3}, skipped_times=1 if moments.has_changes else 0),
    )


def _exchanges(found: Truth, moments: Moments, *, has_models: bool) -> None:
    """Exchanges, two of them of a chat that was cleared."""
    summer, later = moments.local("summer", ".5"), moments.local("summer", ".75")
    rows = [
        f"""1, 't-1', 'one', '{{"total":0.5,"cache":1}}', '{summer}', '{later}'""",
        f"4, 't-1', NULL, 0.25, '{UTC_TIME}', NULL",
        f"5, 'gone', 'first', NULL, '{UTC_TIME}', '{moments.local('repeated', '.5')}'",
        "6, 'gone', 'second', 'dear', '2025-05-01 08:00:00', ''",
        f"7, '', 'nobody', NULL, '{UTC_TIME}', NULL",
    ]
    model = "m" if has_models else ""
    for row in rows:
        key, chat, rest = row.split(", ", 2)
        values = f"{key}, {chat}, 'm', {rest}" if has_models else row
        found.statements.append(f"INSERT INTO exchanges VALUES ({values})")
    repeated = moments.utc("repeated", "500")
    found.rows["chats"] += listed(
        _THREAD,
        ("gone", "first", None, None, None, "2025-05-01T08:00:00.000Z", max(repeated, "2025-05-01T08:00:00.000Z")),
    )
    found.rows["chats"].sort(key=lambda row: str(row["id"]))
    found.rows["exchanges"] = listed(
        _EXCHANGE,
        (
            1,
            "t-1",
            model,
            "one",
            {"total": 0.5, "cache": 1},
            moments.utc("summer", "500"),
            moments.utc("summer", "750"),
        ),
        (4, "t-1", model, "", {"total": 0.25}, UTC_STORED, None),
        (5, "gone", model, "first", {}, UTC_STORED, repeated),
        (6, "gone", model, "second", {"value": "dear"}, "2025-05-01T08:00:00.000Z", None),
    )
    found.set_aside.append(("exchanges", False, "chat_id"))
    found.report = found.report.model_copy(
        update={
            "rows": {"chats": 3, "chat_histories": 3, "exchanges": 4},
            "threads_made": 1,
            "repeated_times": 1 if moments.has_changes else 0,
        }
    )
