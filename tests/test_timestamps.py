"""One form for every time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sidecar.clock import SYSTEM_CLOCK
from sidecar.models import timestamps

INPUT = TypeAdapter[timestamps.Moment](timestamps.TimestampInput)

MOMENTS = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    max_value=datetime(9998, 1, 1),  # noqa: DTZ001
    timezones=st.builds(timezone, st.integers(-14 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes))),
)


@given(MOMENTS)
def test_a_moment_keeps_its_milliseconds(moment: datetime) -> None:
    rendered = timestamps.render(moment)
    assert len(rendered) == len("2026-01-31T09:30:00.000Z")
    assert timedelta(0) <= moment - timestamps.parse(rendered) < timedelta(milliseconds=1)


@given(MOMENTS, MOMENTS)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    if timestamps.render(one) < timestamps.render(other):
        assert one < other


@given(MOMENTS)
def test_the_canonical_form_is_its_own(moment: datetime) -> None:
    assert timestamps.canonical(timestamps.render(moment)) == timestamps.render(moment)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2026-01-31T09:30:00,000Z", "2026-01-31T09:30:00.000Z"),
        ("2026-01-31 09:30:00.000Z", "2026-01-31T09:30:00.000Z"),
        ("2026-W05-6T09:30:00.000Z", "2026-01-31T09:30:00.000Z"),
        ("20260131T093000.0000000Z", "2026-01-31T09:30:00.000Z"),
    ],
)
def test_what_looks_almost_like_the_canonical_form_is_brought_to_it(text: str, canonical: str) -> None:
    assert len(text) == len(canonical)
    assert timestamps.canonical(text) == canonical


@given(st.from_regex(timestamps.STORED_FORM, fullmatch=True))
def test_what_is_taken_as_it_stands_is_what_a_closer_look_would_make_of_it(text: str) -> None:
    assert timestamps.render(timestamps.parse(text)) == text


REFUSED = {
    "no time": "yesterday",
    "no such day": "2026-02-30T09:30:00.000Z",
    "no such day in this year": "2026-02-29T09:30:00.000Z",
    "no such hour": "2026-01-31T24:30:00.000Z",
    "no such year": "0000-01-31T09:30:00.000Z",
    "no offset": "2026-01-31T09:30:00",
    "before the first year in UTC": "0001-01-01T00:00:00+14:00",
    "digits of another script": "2026-01-31T09:30:0\N{ARABIC-INDIC DIGIT ZERO}.000Z",
    "a line break behind it": "2026-01-31T09:30:00.000Z\n",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_is_no_time_is_refused_with_one_sentence_that_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not an ISO-8601 time with an offset from UTC, such as") as error:
        timestamps.canonical(text)
    with pytest.raises(ValidationError) as refused:
        INPUT.validate_python(text)
    assert [detail["msg"] for detail in refused.value.errors()] == [str(error.value)]


@given(MOMENTS)
def test_input_is_taken_in_any_form_and_made_canonical(moment: datetime) -> None:
    rendered = timestamps.render(moment)
    assert [INPUT.validate_python(text) for text in (moment.isoformat(), rendered)] == [rendered, rendered]


def test_now_is_now() -> None:
    assert abs(timestamps.parse(timestamps.now(SYSTEM_CLOCK)) - datetime.now(UTC)) < timedelta(seconds=5)
