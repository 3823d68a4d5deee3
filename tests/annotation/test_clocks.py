"""Times of messages: instants, in the zone that a person names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.clocks import Clock, zone_of
from mldr.errors import MldrError

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_clock_time_is_an_instant_of_its_zone() -> None:
    clock = Clock(ZoneInfo("Asia/Shanghai"))
    assert clock.instant(datetime(2025, 2, 5, 8)) == datetime(2025, 2, 5, 0, tzinfo=UTC)
    assert (clock.nonexistent, clock.ambiguous) == (0, 0)


def test_a_clock_time_that_occurs_twice_is_the_first_of_the_two() -> None:
    clock = Clock(BERLIN)
    assert clock.instant(datetime(2025, 10, 26, 2, 30)) == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert (clock.nonexistent, clock.ambiguous) == (0, 1)


def test_a_clock_time_that_was_left_out_is_counted() -> None:
    clock = Clock(BERLIN)
    assert clock.instant(datetime(2025, 3, 30, 2, 30)) == datetime(2025, 3, 30, 1, 30, tzinfo=UTC)
    assert (clock.nonexistent, clock.ambiguous) == (1, 0)


def test_a_time_with_a_zone_stays_the_instant_that_it_is() -> None:
    time = datetime(2025, 2, 5, 8, tzinfo=timezone(timedelta(hours=8)))
    assert Clock(BERLIN).instant(time) == time


def test_a_clock_time_without_any_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        Clock(None).instant(datetime(2025, 2, 5))


@pytest.mark.parametrize("time", [datetime.min, datetime.max, datetime(1899, 12, 31), datetime(2200, 1, 1, tzinfo=UTC)])
def test_a_time_that_no_chat_has_is_refused(time: datetime) -> None:
    with pytest.raises(OverflowError):
        Clock(ZoneInfo("Asia/Shanghai" if time.year == 1 else "America/New_York")).instant(time)


def test_steps_back_are_counted_over_zones() -> None:
    clock = Clock(None)
    for hour in (3, 5, 4, 4, 6, 1):
        clock.passed(datetime(2025, 1, 1, hour, tzinfo=UTC))
    assert clock.steps_back == 2


@pytest.mark.parametrize(("hours", "zone"), [(8, "Etc/GMT-8"), (-5, "Etc/GMT+5"), (0, "UTC"), (5.5, "UTC")])
def test_without_a_named_zone_the_offset_of_the_file_is_shown(hours: float, zone: str) -> None:
    clock = Clock(None)
    clock.instant(datetime(2025, 2, 5, tzinfo=timezone(timedelta(hours=hours))))
    name, note = clock.shown_zone()
    assert name == zone
    assert "--tz" in note
    offset = datetime(2025, 2, 5, tzinfo=zone_of(name)).utcoffset()
    assert offset == timedelta(hours=hours if zone != "UTC" else 0)


def test_a_named_zone_is_shown_without_a_note() -> None:
    assert Clock(BERLIN).shown_zone() == ("Europe/Berlin", "")


@pytest.mark.parametrize("name", ["Asia/Peking", "../../etc/passwd", "/etc/localtime", "", "Asia", "a\0b", "CET+25:00"])
def test_a_zone_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(MldrError, match="--tz"):
        zone_of(name)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2040, 1, 1)))
def test_every_time_of_a_clock_becomes_an_instant_that_shows_it_again(time: datetime) -> None:
    clock = Clock(BERLIN)
    back = clock.instant(time).astimezone(BERLIN).replace(tzinfo=None, fold=0)
    assert (back == time) != bool(clock.nonexistent)
