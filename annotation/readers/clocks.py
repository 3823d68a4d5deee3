"""Dates and clocks as chat exports write them, in many locales; a clock without a zone stays without one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import lru_cache

from mldr.annotation.readers.contract import DateOrder

ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy", "ymd")
_AM, _NOON, _PM = "am", "noon", "pm"
_HALVES = {
    _AM: ("am", "上午", "凌晨", "清晨", "早上", "早晨", "오전", "午前", "ص", "πμ", "öö", "sa"),
    _NOON: ("中午", "正午"),
    _PM: ("pm", "下午", "晚上", "傍晚", "夜晚", "오후", "午後", "م", "μμ", "ös", "ch"),
}
_HALF_OF = {word: half for half, words in _HALVES.items() for word in words}
_WORD = "|".join(r"\.?\s?".join(word) + r"\.?" if word.isascii() or word in ("πμ", "μμ") else word for word in _HALF_OF)
_STAMP = re.compile(
    r"(?P<a>\d{1,4})(?P<sep>[./年-]) ?(?P<b>\d{1,2})[./月-] ?(?P<c>\d{1,4})(?P<end>日|\.(?= ))?"
    r"(?P<gap>[,،、T]?)\s*(?:(?:at|um|à|às|alle|kl\.?) )?"
    rf"(?:(?P<before>{_WORD})\s?)?(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})(?:[:.](?P<second>\d{{2}}))?"
    rf"(?:\s?(?P<after>{_WORD}))?",
    re.IGNORECASE,
)
_SPACES = {ord(space): " " for space in "\u202f\u2009\u00a0\u3000"}
_UNSEEN = dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
)


def seen(text: str) -> str:
    """Return text without characters that nobody sees (marks of direction, byte order), its odd spaces made plain."""
    return text.translate(_UNSEEN).translate(_SPACES).strip()


@dataclass(frozen=True, slots=True)
class Stamp:
    """A date and a clock whose order of day, month and year may be open."""

    numbers: tuple[int, int, int]
    widths: tuple[int, int, int]
    clock: time
    shape: str
    """How it is written; equal for all stamps of one export."""
    dotted: bool
    """Dots between the numbers: no locale writes the month first then."""
    ended: bool
    """A mark after the third number (`24. 10. 4.`): the year comes first then."""

    def on(self, order: DateOrder, first_year: int = 1970) -> datetime | None:
        """Return the naive time under an order, None where there is no such day (or no year of 2 or 4 digits)."""
        places = {"ymd": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}.get(order)
        if places is None or self.widths[places[0]] not in (2, 4) or max(self.widths[i] for i in places[1:]) > 2:
            return None
        year, month, day = (self.numbers[place] for place in places)
        try:
            moment = datetime.combine(datetime(year + 2000 if year < 100 else year, month, day), self.clock)
        except ValueError:
            return None
        return moment if moment.year >= first_year else None


@lru_cache(maxsize=4096)  # a busy minute shows the same clock many times
def stamp_of(text: str) -> Stamp | None:
    """Return the stamp that a text is, None where it is none."""
    found = _STAMP.fullmatch(seen(text))
    if found is None:
        return None
    half = _half(found["before"] or found["after"] or "")
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    try:
        clock = time(_hour(hour, half), minute, second)
    except ValueError:
        return None
    a, b, c = found["a"], found["b"], found["c"]
    written = (len(a) > 2, len(c) > 2, found["sep"], found["gap"], found["end"] or "")
    marks = (bool(found["second"]), bool(found["before"]), bool(found["after"]))
    return Stamp(
        (int(a), int(b), int(c)),
        (len(a), len(b), len(c)),
        clock,
        repr((*written, *marks)),
        dotted=found["sep"] == ".",
        ended=bool(found["end"]),
    )


def _half(word: str) -> str:
    return _HALF_OF.get(re.sub(r"[.\s]", "", word).lower(), "")


def _hour(hour: int, half: str) -> int:
    if half == _AM:
        return 0 if hour == 12 else hour
    if half == _PM:
        return hour if hour >= 12 else hour + 12
    return hour + 12 if half == _NOON and hour < 10 else hour


def moment_of(cell: str, order: DateOrder = "") -> datetime | None:
    """Return the time that a cell of a table gives: a clock (naive), an ISO time or an epoch (aware); None for none.

    A date that does not begin with its year needs `order`.
    """
    cell = seen(cell)
    if re.fullmatch(r"[0-9]{9,13}", cell):
        return instant(int(cell) / (1000 if len(cell) > 11 else 1))
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}T.+", cell):
        try:
            return datetime.fromisoformat(cell)
        except ValueError:
            return None
    stamp = stamp_of(cell.split(".")[0] if re.search(r":\d{2}\.\d+$", cell) else cell)
    if stamp is None:
        return None
    return stamp.on("ymd" if stamp.widths[0] == 4 else order)


def instant(seconds: float) -> datetime | None:
    """Return the instant of epoch seconds, None outside 1990 to 2100, where a number was no time."""
    return datetime.fromtimestamp(seconds, UTC) if 631_152_000 <= seconds < 4_102_444_800 else None
