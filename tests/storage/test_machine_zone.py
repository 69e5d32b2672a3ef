"""The zone of this machine, and the name that it is known by."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sidecar.storage.sqlite.adoption.machine_zone import SystemZone, machine_zone, zone_name
from sidecar.storage.sqlite.adoption.times import Clock
from tests.storage.moments import ZONES, Moments

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("variable", ["Europe/Berlin", ":Europe/Berlin", "/usr/share/zoneinfo/Europe/Berlin"])
def test_its_name_is_found(variable: str, live_in: Callable[[str], None]) -> None:
    live_in(variable)
    assert zone_name(machine_zone(NOW)) == "Europe/Berlin"


def test_a_zone_without_a_name_is_named_by_its_offset(live_in: Callable[[str], None]) -> None:
    live_in("XYZ-5:30")
    zone = machine_zone(NOW)
    assert zone_name(zone) == "local (UTC+05:30)"
    assert datetime(2025, 7, 1, 12, tzinfo=zone).astimezone(UTC) == datetime(2025, 7, 1, 6, 30, tzinfo=UTC)


def test_a_name_that_the_clock_does_not_go_by_is_not_believed(
    live_in: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    live_in("Asia/Kolkata")
    monkeypatch.setitem(os.environ, "TZ", "Europe/Berlin")  # without the process having noticed
    assert zone_name(machine_zone(NOW)) == "local (UTC+05:30)"


@pytest.mark.parametrize("moments", ZONES, ids=lambda moments: moments.zone)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_clock_tells_repeated_and_skipped_times(
    moments: Moments, is_named: bool, live_in: Callable[[str], None]
) -> None:
    live_in(moments.zone)
    clock = Clock(ZoneInfo(moments.zone) if is_named else SystemZone(NOW))
    for name in ("summer", "winter", "repeated", "skipped"):
        local, utc = getattr(moments, name)
        assert clock.moment(datetime.fromisoformat(local)).astimezone(UTC) == datetime.fromisoformat(f"{utc}Z")
    assert (clock.repeated, clock.skipped) == ((1, 1) if moments.has_changes else (0, 0))
