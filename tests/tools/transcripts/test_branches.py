"""The branches of a conversation."""

from hypothesis import given
from hypothesis import strategies as st

from sidecar.models.histories import ConversationHistory
from sidecar.tools.transcripts.branches import branches_of

from .support import BRANCHED, history, message


def shape(conversation: ConversationHistory) -> list[tuple[str, int | None, int | None]]:
    return [
        ("".join(str(message.external_id) for _, message in branch.messages), branch.after, branch.instead_of)
        for branch in branches_of(conversation)
    ]


def test_the_main_line_leads_to_the_last_message_and_others_name_their_place() -> None:
    assert shape(history(*BRANCHED)) == [("acf", None, None), ("bd", 1, 3), ("e", 3, 6)]


def test_a_conversation_without_branches_is_one_line() -> None:
    assert shape(history(message("a"), message("b", "a"), message("c", "b"))) == [("abc", None, None)]


def test_messages_without_parents_are_one_line() -> None:
    assert shape(history(message("a"), message("b"), message("c"))) == [("abc", None, None)]


def test_a_second_beginning_is_a_branch() -> None:
    assert shape(history(message("a"), message("b", "a"), message("c"), message("d", "c"))) == [
        ("cd", None, None),
        ("ab", None, 3),
    ]


def test_parents_by_position_count_like_those_by_id() -> None:
    found = history(message("a"), message("b", parent_index=0), message("c", parent_index=0))
    assert shape(found) == [("ac", None, None), ("b", 1, 3)]


def test_a_conversation_without_messages_has_no_branches() -> None:
    assert branches_of(history()) == []


@given(parents=st.lists(st.none() | st.integers(0, 30), max_size=30))
def test_each_message_is_in_exactly_one_branch(parents: list[int | None]) -> None:
    names = [str(number) for number in range(len(parents))]
    messages = [
        message(name, None if parent is None or parent >= place else names[parent])
        for place, (name, parent) in enumerate(zip(names, parents, strict=True))
    ]
    found = [number for branch in branches_of(history(*messages)) for number, _ in branch.messages]
    assert sorted(found) == list(range(1, len(parents) + 1))
