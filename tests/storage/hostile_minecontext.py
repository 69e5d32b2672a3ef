"""Hostile rows for the vintages of the first seed's database, and what must become of them."""

from sidecar.models.adoption import AdoptionReport
from tests.storage.hostile_rows import UNKNOWN, UTC_STORED, UTC_TIME, Truth, listed
from tests.storage.moments import Moments

_LONG = "x" * 1001
_VAULTS = "INSERT INTO vaults VALUES"
_ACTIVITY = "INSERT INTO activity VALUES"
_TIPS = "INSERT INTO tips VALUES"
_CONVERSATIONS = "INSERT INTO conversations VALUES"
_MESSAGES = "INSERT INTO messages VALUES"
_MESSAGE_THINKING = "INSERT INTO message_thinking VALUES"


def truth(vintage: str, moments: Moments) -> Truth:
    """For this vintage, written in this zone."""
    number = int(vintage[-1])
    found = Truth()
    counted = {"vaults": 10, "todo": 6, "activity": 4, "tips": 5}
    added_up = {}
    # In vaults one in a repeated hour; in todos one of each; in activities two and one; in tips one in a skipped hour.
    repeated, skipped = 4, 3
    _vaults(found, moments)
    _todos(found, moments, has_reasons=number >= 2)
    _activities(found, moments)
    _tips(found, moments)
    if number >= 4:
        _conversations(found, moments)
        _messages(found, moments)
        _thinking(found)
        counted |= {"conversations": 3, "messages": 6, "message_thinking": 2}
        repeated, skipped = repeated + 1, skipped + 1
    if number >= 3:
        _monitoring(found, moments)
        counted |= {"monitoring_token_usage": 2, "monitoring_stage_timing": 1, "monitoring_data_stats": 4}
        added_up = {"monitoring_token_usage": 1, "monitoring_stage_timing": 2, "monitoring_data_stats": 5}
    changes = moments.has_changes
    found.report = AdoptionReport(
        rows=counted,
        added_up=added_up,
        repeated_times=repeated if changes else 0,
        skipped_times=skipped if changes else 0,
    )
    return found


def _vaults(found: Truth, moments: Moments) -> None:
    fraction = moments.local("summer", ".250999")
    found.statements += [
        f"{_VAULTS} (1, 'Folder', NULL, NULL, NULL, NULL, 1, 0, '{UTC_TIME}', '{UTC_TIME}', 'vaults', 0)",
        f"{_VAULTS} (2, 'Plan', 's', 'Text ä 日本', 'a,b', 1, 'false', 'true', '{fraction}', NULL, NULL, NULL)",
        (
            f"{_VAULTS} (3, 'Lost', NULL, 'kept', '', 99, 0, 0, '{moments.local('winter', '.5')}', "
            f"'{UTC_TIME}+02:00', 'DailyReport', -5)"
        ),
        f"{_VAULTS} (4, 'Circle', NULL, '', '', 5, 1, 0, '{UTC_TIME}', '{UTC_TIME}', 'Note', 0)",
        f"{_VAULTS} (5, 'Circle', NULL, '', '', 4, 1, 0, '{UTC_TIME}', '{UTC_TIME}', 'Note', 0)",
        f"{_VAULTS} (6, 'In itself', NULL, '', '', 6, 1, 0, '{UTC_TIME}', '{UTC_TIME}', 'Note', 0)",
        f"{_VAULTS} (7, 'In a document', NULL, '', '', 2, 0, 0, '{UTC_TIME}', '{UTC_TIME}', 'Note', 0)",
        f"{_VAULTS} (8, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        (
            f"{_VAULTS} (9, CAST(x'5AFC72696368' AS TEXT), NULL, x'C3A4', NULL, NULL, 'maybe', 0, "
            f"'yesterday', '{moments.local('repeated', '.1')}', 'Note', 'high')"
        ),
        f"{_VAULTS} (10, '{_LONG}', NULL, '', '', NULL, 0, 0, 1748764800, 1748764800123, 'Note', 0)",
    ]
    summer, winter = moments.utc("summer", "250"), moments.utc("winter", "500")
    found.rows["vaults"] = listed(
        "id title summary content tags parent_id is_folder is_deleted created_at updated_at document_type sort_order "
        "deleted_with",
        (1, "Folder", None, "", "", None, 1, 0, UTC_STORED, UTC_STORED, "vaults", 0, None),
        (2, "Plan", "s", "Text ä 日本", "a,b", 1, 0, 1, summer, summer, "Note", 0, None),
        (3, "Lost", None, "kept", "", None, 0, 0, winter, "2025-06-01T06:00:00.000Z", "DailyReport", -5, None),
        (4, "Circle", None, "", "", None, 1, 0, UTC_STORED, UTC_STORED, "Note", 0, None),
        (5, "Circle", None, "", "", 4, 1, 0, UTC_STORED, UTC_STORED, "Note", 0, None),
        (6, "In itself", None, "", "", None, 1, 0, UTC_STORED, UTC_STORED, "Note", 0, None),
        (7, "In a document", None, "", "", None, 0, 0, UTC_STORED, UTC_STORED, "Note", 0, None),
        (8, "", None, "", "", None, 0, 0, UNKNOWN, UNKNOWN, "Note", 0, None),
        (9, "Z\ufffdrich", None, "ä", "", None, 0, 0, UNKNOWN, moments.utc("repeated", "100"), "Note", 0, None),
        (10, "x" * 1000, None, "", "", None, 0, 0, UTC_STORED, "2025-06-01T08:00:00.123Z", "Note", 0, None),
    )
    found.set_aside += [
        ("vaults", True, "parent_id"),
        ("vaults", True, "title"),
        ("vaults", True, "title"),
        ("vaults", True, "parent_id"),
        ("vaults", True, "parent_id"),
        ("vaults", True, "parent_id"),
    ]


def _todos(found: Truth, moments: Moments, *, has_reasons: bool) -> None:
    columns = "id, content, created_at, start_time, end_time, status, urgency, assignee"
    rows = [
        (f"1, 'water', '{UTC_TIME}', '{UTC_TIME}', '{moments.local('summer')}', 1, 3, 'Ada'", "dry"),
        (f"2, x'FF41', '{moments.local('winter', '.000001')}', '{moments.local('winter', '.25')}', ", None),
        ("3, NULL, NULL, NULL, NULL, NULL, NULL, NULL", None),
        (f"4, 'odd', '{UTC_TIME}', 'tomorrow', '', 5, 'high', NULL", None),
        (f"5, 'x', '{UTC_TIME}', '{moments.local('repeated')}.5', '{moments.local('repeated')}', 0, -7, NULL", None),
        (f"9, 'y', '{UTC_TIME}', '{UTC_TIME}', '{moments.local('winter')}Z', 0, 9223372036854775807, NULL", None),
    ]
    rows[1] = (rows[1][0] + f"'{moments.local('skipped')}', '1', 2.0, NULL", None)
    for values, reason in rows:
        if has_reasons:
            written = "NULL" if reason is None else f"'{reason}'"
            found.statements.append(f"INSERT INTO todo ({columns}, reason) VALUES ({values}, {written})")
        else:
            found.statements.append(f"INSERT INTO todo ({columns}) VALUES ({values})")
    winter = moments.utc("winter")
    noon = "2025-01-15T12:00:00.000Z"
    summer, skipped, pending = moments.utc("summer"), moments.utc("skipped"), (None, None)
    found.rows["todo"] = listed(
        "id content created_at start_time end_time status urgency assignee reason completed_at end_is_completion",
        (1, "water", UTC_STORED, UTC_STORED, summer, 1, 3, "Ada", "dry" if has_reasons else None, summer, 1),
        (2, "\ufffdA", winter, moments.utc("winter", "250"), skipped, 1, 2, None, None, skipped, 1),
        (3, "", UNKNOWN, None, None, 0, 0, None, None, *pending),
        (4, "odd", UTC_STORED, None, None, 0, 0, None, None, *pending),
        (5, "x", UTC_STORED, moments.utc("repeated", "500"), moments.utc("repeated"), 0, -7, None, None, *pending),
        (9, "y", UTC_STORED, UTC_STORED, noon, 0, 2**63 - 1, None, None, *pending),
    )
    found.set_aside += [("todo", True, "content"), ("todo", True, "start_time")]


def _activities(found: Truth, moments: Moments) -> None:
    summer, winter = moments.local("summer"), moments.local("winter")
    found.statements += [
        f"""{_ACTIVITY} (1, 'Review', 'Read', '[{{"id":1.0}}]', '{{"app":"e"}}', '{summer}', '{winter}')""",
        f"{_ACTIVITY} (2, NULL, NULL, NULL, NULL, NULL, NULL)",
        (
            f"{_ACTIVITY} (3, 'Odd', '', 'no json {{', '[1,2]', '{moments.local('repeated')}', "
            f"'{moments.local('skipped', '.999')}')"
        ),
        f"{_ACTIVITY} (4, 'Absent', '', 'null', 'null', NULL, '2025-06-01T10:00:00+02:00')",
    ]
    found.rows["activity"] = listed(
        "id title content resources metadata start_time end_time created_at",
        (1, "Review", "Read", [{"id": 1.0}], {"app": "e"}, moments.utc("summer"), moments.utc("winter"), None),
        (2, "", "", None, None, UNKNOWN, UNKNOWN, None),
        (3, "Odd", "", "no json {", {"value": [1, 2]}, moments.utc("repeated"), moments.utc("skipped", "999"), None),
        (4, "Absent", "", None, None, UTC_STORED, UTC_STORED, None),
    )


def _tips(found: Truth, moments: Moments) -> None:
    found.statements += [
        f"{_TIPS} (1, 'stretch', '{UTC_TIME}')",
        f"{_TIPS} (2, NULL, '{moments.local('skipped', '.25')}')",
        f"{_TIPS} (3, 'drink', 2460827.8333333335)",
        f"{_TIPS} (0, 'zero', '{UTC_TIME}')",
        f"{_TIPS} (-5, 'below', '{UTC_TIME}')",
    ]
    found.rows["tips"] = listed(
        "id content created_at",
        (-5, "below", UTC_STORED),
        (0, "zero", UTC_STORED),
        (1, "stretch", UTC_STORED),
        (2, "", moments.utc("skipped", "250")),
        (3, "drink", UTC_STORED),
    )


def _conversations(found: Truth, moments: Moments) -> None:
    found.statements += [
        (
            f"""{_CONVERSATIONS} (1, 'Chat', 'ada', 'home', 'active', '{{"k":[1,null]}}', '{UTC_TIME}', """
            f"'{moments.local('summer', '.000000')}')"
        ),
        f"{_CONVERSATIONS} (2, NULL, NULL, NULL, 'DELETED', NULL, '{UTC_TIME}', NULL)",
        f"{_CONVERSATIONS} (3, 'Odd', x'FF', 'p', 'paused', 'plain', NULL, '{UTC_TIME}')",
    ]
    in_no_place = (None, "", 0, None, None)
    found.rows["conversations"] = listed(
        "id title user_id page_name status metadata created_at updated_at restored_status folder tags is_pinned source "
        "external_id",
        (1, "Chat", "ada", "home", "active", {"k": [1, None]}, UTC_STORED, moments.utc("summer"), None, *in_no_place),
        (2, None, None, "", "deleted", None, UTC_STORED, UTC_STORED, None, *in_no_place),
        (3, "Odd", "\ufffd", "p", "active", {"value": "plain"}, UTC_STORED, UTC_STORED, None, *in_no_place),
    )
    found.set_aside.append(("conversations", True, "user_id"))


def _messages(found: Truth, moments: Moments) -> None:
    times = f"'{UTC_TIME}', '{UTC_TIME}'"
    found.statements += [
        f"{_MESSAGES} (1, 1, NULL, 'user', 'hello', 'completed', 2, NULL, NULL, NULL, '{UTC_TIME}', {times})",
        (
            f"{_MESSAGES} (2, 1, '1', 'assistant', 'hi', 'completed', 5, '{{}}', 900, '', "
            f"'{moments.local('repeated', '.9')}', {times})"
        ),
        f"{_MESSAGES} (3, 42, NULL, 'user', 'whose', 'completed', 1, NULL, NULL, NULL, NULL, {times})",
        f"{_MESSAGES} (4, 1, '3', 'ASSISTANT', NULL, 'done', NULL, NULL, NULL, NULL, NULL, {times})",
        f"{_MESSAGES} (5, 2, '1', 'narrator', 'x', 'failed', -1, NULL, -5, NULL, NULL, {times})",
        (
            f"{_MESSAGES} (6, 1, '6', 'tool', x'C3A4', 'completed', 0, NULL, 0, 'e', NULL, "
            f"'{moments.local('skipped', '.5')}', NULL)"
        ),
        f"{_MESSAGES} (7, 1, '', 'system', '', 'cancelled', 0, '[]', 0, NULL, NULL, {times})",
    ]
    made = (UTC_STORED, UTC_STORED)
    skipped = moments.utc("skipped", "500")
    no_more = (None,) * 6
    found.rows["messages"] = listed(
        "id conversation_id parent_message_id role content status token_count metadata latency_ms error_message "
        "completed_at created_at updated_at external_id parts model prompt_tokens completion_tokens cost",
        (1, 1, None, "user", "hello", "completed", 2, None, None, None, UTC_STORED, *made, *no_more),
        (
            2,
            1,
            "1",
            "assistant",
            "hi",
            "completed",
            5,
            {},
            900,
            "",
            moments.utc("repeated", "900"),
            *made,
            *no_more,
        ),
        (4, 1, None, "assistant", "", "completed", 0, None, None, None, None, *made, *no_more),
        (5, 2, None, "assistant", "x", "failed", 0, None, None, None, None, *made, *no_more),
        (6, 1, None, "tool", "ä", "completed", 0, None, 0, "e", None, skipped, skipped, *no_more),
        (7, 1, None, "system", "", "cancelled", 0, {"value": []}, 0, None, None, *made, *no_more),
    )
    found.set_aside += [
        ("messages", False, "conversation_id"),
        ("messages", True, "status"),
        ("messages", True, "role"),
        ("messages", True, "parent_message_id"),
        ("messages", True, "parent_message_id"),
        ("messages", True, "parent_message_id"),
    ]


def _thinking(found: Truth) -> None:
    found.statements += [
        f"{_MESSAGE_THINKING} (1, 2, 'hm', 'plan', 0.5, 0, NULL, '{UTC_TIME}')",
        f"{_MESSAGE_THINKING} (2, 3, 'of an orphan', NULL, 0.0, 0, NULL, '{UTC_TIME}')",
        f"{_MESSAGE_THINKING} (3, 4, x'FF', NULL, 1.5, -1, 'x', '{UTC_TIME}')",
    ]
    found.rows["message_thinking"] = listed(
        "id message_id content stage progress sequence metadata created_at",
        (1, 2, "hm", "plan", 0.5, 0, None, UTC_STORED),
        (3, 4, "\ufffd", None, 0.0, 0, {"value": "x"}, UTC_STORED),
    )
    found.set_aside += [("message_thinking", False, "message_id"), ("message_thinking", True, "content")]


def _monitoring(found: Truth, moments: Moments) -> None:
    summer, winter = moments.local("summer"), moments.local("winter")
    as_utc = moments.utc("summer")
    tokens = "INSERT INTO monitoring_token_usage VALUES"
    stages = "INSERT INTO monitoring_stage_timing VALUES"
    data = "INSERT INTO monitoring_data_stats VALUES"
    found.statements += [
        f"{tokens} (1, '{summer}', 'm', 1, 2, 3, '{UTC_TIME}')",
        f"{tokens} (2, '{winter}', 'm', NULL, NULL, NULL, NULL)",
        f"{tokens} (3, '{as_utc}', 'm', 9223372036854775807, 20, 30, '{UTC_TIME}')",
        f"""{stages} (1, '{summer}', 's', 2, 30, 10, 20, 15, 2, 0, '{{"a":1}}', '{UTC_TIME}')""",
        f"{stages} (2, '{as_utc}', 's', 1, 70, 70, 70, 70, 0, 1, NULL, '2025-05-01 08:00:00')",
        f"{stages} (3, '{summer}.000', 's', NULL, 0, 5, 5, 5, NULL, NULL, NULL, '{UTC_TIME}')",
        *(f"{data} ({number}, '{summer}', 'screenshot', 1, NULL, NULL, '{UTC_TIME}')" for number in range(1, 5)),
        f"{data} (5, '{winter}', 'screenshot', 7, NULL, NULL, '{UTC_TIME}')",
        f"{data} (6, '{summer}', 'screenshot', 2, 'work', 'no json', '{UTC_TIME}')",
        f"{data} (7, '{summer}', 'file', 'many', NULL, NULL, '{UTC_TIME}')",
        f"""{data} (8, '{summer}', 'screenshot', 9, '', '{{"b":1}}', '{UTC_TIME}')""",
        f"{data} (9, '{summer}', 'screenshot', 1, NULL, 'null', '{UTC_TIME}')",
    ]
    hour, winter_hour = _hour(as_utc), _hour(moments.utc("winter"))
    found.rows["monitoring_token_usage"] = listed(
        "id time_bucket model prompt_tokens completion_tokens total_tokens created_at",
        (1, hour, "m", 2**63 - 1, 22, 33, UTC_STORED),
        (2, winter_hour, "m", 0, 0, 0, UNKNOWN),
    )
    # Two runs of 30 ms in all, one of 70 ms, and none that was not counted.
    found.rows["monitoring_stage_timing"] = listed(
        "id time_bucket stage_name count total_duration_ms min_duration_ms max_duration_ms avg_duration_ms "
        "success_count error_count metadata created_at",
        (1, hour, "s", 3, 100, 5, 70, 33, 2, 1, '{"a":1}', "2025-05-01T08:00:00.000Z"),
    )
    found.rows["monitoring_data_stats"] = listed(
        "id time_bucket data_type count context_type metadata created_at",
        (1, hour, "screenshot", 14, None, '{"b":1}', UTC_STORED),
        (5, winter_hour, "screenshot", 7, None, None, UTC_STORED),
        (6, hour, "screenshot", 2, "work", '"no json"', UTC_STORED),
        (7, hour, "file", 0, None, None, UTC_STORED),
    )
    found.set_aside.append(("monitoring_data_stats", True, "count"))


def _hour(moment: str) -> str:
    return f"{moment[:13]}:00:00.000Z"
