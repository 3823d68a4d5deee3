"""Lines that open with a date: how one export writes them, in which order its dates stand, and who speaks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from mldr.annotation.readers.clocks import ORDERS, Stamp, seen, stamp_of
from mldr.annotation.readers.contract import DateOrder
from mldr.errors import fault

_FIRST_YEAR = 2009
"""No such export is older than the programme that writes them."""
_LONGEST = 80
_SENDER = re.compile(r"([^:]+):(?:(?:\s+|(?=[\u200e\u200f]))(.*))?")
_QUOTES = re.compile('["“”„«»「」]')
_STRAY = 100
"""One date in so many may be impossible under an order without speaking against it: somebody pasted it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message with the lines that belong to it."""

    place: str
    stamp: Stamp
    head: str
    """What follows the stamp on its own line, marks of direction kept."""
    more: tuple[str, ...]


def opened(line: str) -> tuple[Stamp, str, str] | None:
    """Return (stamp, the export's way to write it, what follows) of a line that opens a message, None for any other line."""
    line = line.lstrip("\u200b\u200e\u200f\ufeff")
    bracket = line.startswith("[")
    cut = re.search(r"\] ?" if bracket else r" [-–] ", line[:_LONGEST])
    stamp = None if cut is None else stamp_of(line[bracket : cut.start()])
    if cut is None or stamp is None:
        return None
    return stamp, f"{'[]' if bracket else '-'} {stamp.shape}", line[cut.end() :]


def entries_of(lines: Iterable[tuple[int, str]]) -> Iterator[Entry | tuple[int, str]]:
    """Yield the messages of an export, and as (line number, line) what stands before the first of them.

    A line written in another way than the first stamp is part of a message: somebody pasted it.
    """
    shape, place, stamp, head = "", "", None, ""
    more: list[str] = []
    for number, line in lines:
        found = opened(line)
        if found is not None and shape in ("", found[1]):
            if stamp is not None:
                yield Entry(place, stamp, head, tuple(more))
            stamp, shape, head = found
            place, more = f"line {number}", []
        elif stamp is not None:
            more.append(line)
        elif line.strip():
            yield number, line
    if stamp is not None:
        yield Entry(place, stamp, head, tuple(more))


@dataclass(slots=True)
class Order:
    """Works out in which order an export writes day, month and year, from all of its dates."""

    path: str
    total: int = 0
    bad: dict[DateOrder, int] = field(default_factory=lambda: dict.fromkeys(ORDERS, 0))
    """How many dates are impossible under an order."""
    first_bad: dict[DateOrder, str] = field(default_factory=dict)
    """The place of the first of them."""
    back: dict[DateOrder, int] = field(default_factory=lambda: dict.fromkeys(ORDERS, 0))
    last: dict[DateOrder, date] = field(default_factory=dict)
    written: Stamp | None = None
    open: bool = False

    def add(self, entry: Entry) -> None:
        """Take note of a date."""
        self.total += 1
        self.written = self.written or entry.stamp
        found = {order: entry.stamp.on(order, _FIRST_YEAR) for order in ORDERS}
        self.open = self.open or len({moment for moment in found.values() if moment is not None}) > 1
        for order, moment in found.items():
            if moment is None:
                self.bad[order] += 1
                self.first_bad.setdefault(order, entry.place)
            else:
                self.back[order] += moment.date() < self.last.get(order, moment.date())
                self.last[order] = moment.date()

    def settled(self, wanted: DateOrder) -> DateOrder:
        """Return the order.

        Args:
            wanted: what the user said, '' for nothing.

        Raises:
            InputError: where `wanted` contradicts the dates, or nothing tells one order from another.
        """
        if wanted:
            if self.bad[wanted] * _STRAY > self.total:
                raise fault(
                    f"{self.path}, {self.first_bad[wanted]}", f"its date cannot be {wanted}; leave --date-order out"
                )
            return wanted
        fitting = self._fitting()
        if not fitting:
            fewest = min(ORDERS, key=lambda order: self.bad[order])
            raise fault(
                f"{self.path}, {self.first_bad[fewest]}", "its date fits the other dates in no order; pass --date-order"
            )
        if len(fitting) > 1 and self.open:
            fitting = [order for order in fitting if not self.back[order]] or fitting
        if len(fitting) > 1 and self.open:
            said = " or ".join(fitting)
            raise fault(self.path, f"its dates may be {said} (d day, m month, y year); pass --date-order")
        return fitting[0]

    def _fitting(self) -> list[DateOrder]:
        """Return the orders that may be: those no date speaks against, else the one that only stray dates speak against."""
        whole = [order for order in ORDERS if not self.bad[order]]
        if not whole:
            return [order for order in ORDERS if self.bad[order] * _STRAY <= self.total][:1]
        if self.written is not None and self.written.ended and "ymd" in whole:
            return ["ymd"]
        usual: list[DateOrder] = [
            order for order in whole if order != "ymd"
        ] or whole  # two digits of a year seldom come first
        return ["dmy"] if self.written is not None and self.written.dotted and "dmy" in usual else usual


@dataclass(slots=True)
class Senders:
    """Tells names from words, also names that hold `: ` themselves."""

    seconds: dict[str, set[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, head: str) -> None:
        """Take note of a line: what stands before its first colon, and before its second."""
        first, text = _split(head)
        if first:
            self.counts[first] = self.counts.get(first, 0) + 1
            held = self.seconds.setdefault(first, set())
            if len(held) < 2:
                held.add(_split(text)[0])

    def of(self, head: str) -> tuple[str, str]:
        """Return (name, text) of a line; '' where nobody is named.

        A name before which another always stands (`Dr: Who: hello`, three times or more) is part of the name.
        """
        first, text = _split(head)
        seconds = self.seconds.get(first, set())
        if first and self.counts[first] > 2 and len(seconds) == 1 and "" not in seconds:
            second, rest = _split(text)
            return f"{first}: {second}", rest
        return first, text


def _split(head: str) -> tuple[str, str]:
    """Return (what may be a name, the rest), ('', all) where no name can stand: a colon inside quotation marks names nobody."""
    found = _SENDER.fullmatch(head)
    name = seen(found[1]) if found else ""
    if found is None or not name or len(name) > 100 or len(_QUOTES.findall(name)) % 2:
        return "", head
    return name, found[2] or ""
