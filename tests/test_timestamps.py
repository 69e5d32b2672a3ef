"""One form for every time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.models import timestamps

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


@pytest.mark.parametrize("text", ["2026-02-30T09:30:00.000Z", "2026-01-31T24:30:00.000Z", "0000-01-31T09:30:00.000Z"])
def test_a_time_that_there_is_not_is_refused_in_the_canonical_form_too(text: str) -> None:
    with pytest.raises(ValueError, match="not an ISO-8601 time"):
        timestamps.canonical(text)


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an offset"):
        timestamps.canonical("2026-01-31T09:30:00")


def test_a_time_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="out of range"):
        timestamps.canonical("0001-01-01T00:00:00+14:00")


def test_now_is_now() -> None:
    assert abs(timestamps.parse(timestamps.now()) - datetime.now(UTC)) < timedelta(seconds=5)
