"""Times of messages: a clock without a zone becomes an instant in the zone that a person names; nothing is sorted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mldr.errors import MldrError

_FIRST_YEAR, _LAST_YEAR = 1900, 2199


def zone_of(name: str) -> ZoneInfo:
    """Return a zone by its IANA name.

    Raises:
        MldrError: if there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise MldrError(
            f"--tz {name}: no time zone is called so; an IANA name like Asia/Shanghai is expected"
        ) from error


@dataclass(slots=True)
class Clock:
    """Turns the times of one chat into instants, and counts what was odd about them."""

    zone: ZoneInfo | None
    """Of clocks without a zone; None where nobody said."""
    naive: int = 0
    """Times without a zone."""
    nonexistent: int = 0
    ambiguous: int = 0
    steps_back: int = 0
    offsets: set[timedelta] | None = None
    """The offsets from UTC that the file gives."""
    _last: datetime | None = None

    def instant(self, time: datetime) -> datetime:
        """Return a time in UTC.

        A clock time that occurs twice is the first of the two; one that never occurred is taken as if the clock had not changed.

        Raises:
            OverflowError: for a time that no chat has, before 1900 or from 2200 on; nor could it be moved by days and zones.
            ValueError: for a clock time where no zone was named.
        """
        if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
            raise OverflowError("a time that no chat has")
        if time.tzinfo is not None:
            self.offsets = (self.offsets or set()) | {time.utcoffset() or timedelta()}
            return time.astimezone(UTC)
        self.naive += 1
        if self.zone is None:
            raise ValueError("no zone")
        first, second = (time.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            back = first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None)
            self.ambiguous += back == time
            self.nonexistent += back != time
        return first.astimezone(UTC)

    def passed(self, instant: datetime) -> None:
        """Take the instant of the next message that is kept."""
        self.steps_back += self._last is not None and instant < self._last
        self._last = instant

    def shown_zone(self, told: str = "") -> tuple[str, str]:
        """Return (the name of the zone in which the chat's clock is shown, what a person should know about it).

        Args:
            told: the IANA name that the export itself gives, '' for none; what a person says goes before it.

        Raises:
            MldrError: if the export names a zone that there is not.
        """
        if self.zone is not None:
            return self.zone.key, ""
        if told:
            return ("UTC" if told == "UTC" else zone_of(told).key), ""
        if self.offsets and len(self.offsets) == 1 and (name := _fixed(next(iter(self.offsets)))):
            return name, f"times are shown at the offset that the export gives, {name}; --tz names another zone"
        return "UTC", "times are shown in UTC; --tz names the zone in which the chat's clock is shown"


def _fixed(offset: timedelta) -> str:
    """Return the IANA name of an offset of whole hours, '' for UTC and others."""
    hours, rest = divmod(offset, timedelta(hours=1))
    return "" if rest or not hours or not -12 <= hours <= 14 else f"Etc/GMT{-hours:+d}"


@lru_cache(maxsize=64)
def local_zone(name: str) -> ZoneInfo | timezone:
    """Return the zone of a chat's clock."""
    return UTC if name == "UTC" else zone_of(name)
