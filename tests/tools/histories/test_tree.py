"""The order of messages, and what becomes of nodes that are none."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.models.histories import HistoryMessage, HistoryThinking, TextPart
from sidecar.models.messages import Role
from sidecar.tools.histories.notes import Notes
from sidecar.tools.histories.tree import Draft, Node, messages_of

from .support import noted


def node(name: str, parent: str | None = None, time: str | None = None, **fields: Any) -> Node:
    return Node(name, parent, Draft(Role.ASSISTANT, [TextPart(type="text", text=name)]), time, **fields)


def empty(name: str, parent: str | None = None) -> Node:
    return Node(name, parent, None)


def order(*nodes: Node, begun_at: str | None = None) -> list[str | None]:
    return [message.external_id for message in messages_of(nodes, begun_at, Notes())]


def second(number: int) -> str:
    return f"2024-06-01T12:00:{number:02}.000Z"


def test_messages_are_in_the_order_of_their_times_after_their_parents() -> None:
    nodes = [node("late", "root", second(9)), node("early", "root", second(5)), node("root", None, second(7))]
    assert order(*nodes) == ["root", "early", "late"]


def test_a_message_without_a_time_has_that_of_the_message_before() -> None:
    nodes = [node("a", None, second(1)), node("b", "a"), node("c", "a", second(2)), node("d", "b")]
    notes = Notes()
    messages = messages_of(nodes, None, notes)
    assert [message.created_at for message in messages] == [second(1), second(1), second(1), second(2)]
    assert noted(notes) == {"MISSING_TIME": 2}


def test_a_first_message_without_a_time_has_that_of_the_conversation() -> None:
    (message,) = messages_of([node("a")], second(3), Notes())
    assert message.created_at == second(3)


def test_the_child_of_a_node_that_is_no_message_follows_the_message_before() -> None:
    nodes = [node("a"), empty("b", "a"), empty("c", "b"), node("d", "c"), node("e", "b")]
    found = {message.external_id: message.parent_external_id for message in messages_of(nodes, None, Notes())}
    assert found == {"a": None, "d": "a", "e": "a"}


def test_a_chain_of_fifty_thousand_messages_takes_no_recursion() -> None:
    nodes = [node("0"), *(node(str(number), str(number - 1)) for number in range(1, 50_000))]
    assert order(*reversed(nodes)) == [str(number) for number in range(50_000)]


def test_a_circle_of_twenty_thousand_messages_is_cut_once() -> None:
    notes = Notes()
    nodes = [node(str(number), str((number + 1) % 20_000)) for number in range(20_000)]
    assert len(messages_of(nodes, None, notes)) == 20_000
    assert noted(notes) == {"CYCLE": 1}


NODES = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.none() | st.integers(0, 12),
        st.sampled_from(["message", "empty", "thought", "user"]),
        st.none() | st.integers(0, 5),
    ),
    max_size=12,
)


def drawn(name: int, parent: int | None, kind: str, time: int | None, place: int) -> Node:
    role = Role.USER if kind == "user" else Role.ASSISTANT
    draft = Draft(role, [TextPart(type="text", text=f"text {place}")]) if kind in ("message", "user") else None
    thinking = [HistoryThinking(content=f"thought {place}")] if kind == "thought" else []
    return Node(
        str(name), None if parent is None else str(parent), draft, None if time is None else second(time), thinking
    )


@settings(max_examples=200, deadline=None)
@given(given_nodes=NODES)
def test_any_graph_becomes_a_tree_that_holds_every_text_and_every_thought(
    given_nodes: list[tuple[int, int | None, str, int | None]],
) -> None:
    messages: list[HistoryMessage] = messages_of(
        [drawn(*each, place) for place, each in enumerate(given_nodes)], None, Notes()
    )
    seen: set[str | None] = {None}
    for message in messages:
        assert message.parent_external_id in seen
        assert message.external_id not in seen
        seen.add(message.external_id)
    texts = {message.content for message in messages if message.content}
    thoughts = [step.content for message in messages for step in message.thinking]
    kinds = [kind for _, _, kind, _ in given_nodes]
    assert texts == {f"text {place}" for place, kind in enumerate(kinds) if kind in ("message", "user")}
    assert sorted(thoughts) == sorted(f"thought {place}" for place, kind in enumerate(kinds) if kind == "thought")
