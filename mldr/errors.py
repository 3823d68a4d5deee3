"""What goes wrong, said so that a person can mend it. Bad input is a list of faults, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

SHOWN_IN_FULL = 20
"""How many faults are printed; the rest is counted."""


class MldrError(Exception):
    """A failure that mldr explains in its own words; the command line prints it without a traceback."""

    exit_code = 1


class InterruptedRun(MldrError):
    """The run stopped before its end (disk, server, budget) and goes on when started again."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input."""

    place: str
    """Where: a file with its line, a key, an id."""
    message: str
    """What is wrong and what to do about it."""

    def __str__(self) -> str:
        return f"{printable(self.place)}: {printable(self.message)}"


class InputError(MldrError):
    """An input with one fault or many.

    Attributes:
        faults: the faults that were kept, in the order they were met.
        total: how many there were; more than `len(faults)` where a collector stopped keeping them.
    """

    def __init__(self, faults: Iterable[Fault], total: int | None = None) -> None:
        self.faults = tuple(faults)
        self.total = len(self.faults) if total is None else total
        super().__init__(self.render())

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Fault, ...], int]]:
        return type(self), (self.faults, self.total)  # an executor sends errors between processes

    def render(self) -> str:
        """Return the first faults in full and the count of the rest, one a line."""
        shown = self.faults[:SHOWN_IN_FULL]
        lines = [f"  {fault}" for fault in shown]
        if self.total > len(shown):
            lines.append(f"  ... and {self.total - len(shown):,} more")
        head = "1 fault:" if self.total == 1 else f"{self.total:,} faults:"
        return "\n".join([head, *lines])


class MissingExtra(MldrError):
    """An optional dependency is absent."""

    def __init__(self, needed_for: str, extra: str) -> None:
        self.needed_for, self.extra = needed_for, extra
        super().__init__(f"{needed_for} needs an extra that is not installed: pip install 'mldr[{extra}]'")

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return type(self), (self.needed_for, self.extra)


@dataclass(slots=True)
class Faults:
    """Collects faults while reading goes on, so that a person sees all of them at once.

    Only the first faults are kept, so that a file of a million bad lines costs no memory; all are counted.
    """

    kept: list[Fault] = field(default_factory=list)
    total: int = 0

    def add(self, place: str, message: str) -> None:
        """Note a fault."""
        self.total += 1
        if len(self.kept) < SHOWN_IN_FULL:
            self.kept.append(Fault(place, message))

    def extend(self, other: Iterable[Fault]) -> None:
        """Note several faults."""
        for fault in other:
            self.add(fault.place, fault.message)

    def check(self) -> None:
        """Raise what was collected.

        Raises:
            InputError: if there was a fault.
        """
        if self.total:
            raise InputError(self.kept, self.total)

    def __bool__(self) -> bool:
        return self.total > 0

    def __iter__(self) -> Iterator[Fault]:
        return iter(self.kept)


def fault(place: str, message: str) -> InputError:
    """Return an `InputError` of one fault, to be raised."""
    return InputError([Fault(place, message)])


def printable(text: str, limit: int = 400) -> str:
    """Return `text` on one line, cut to `limit`, without control characters: it may come from a hostile file."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: limit + 1])
    return line if len(line) <= limit else line[: limit - 3] + "..."


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says, the name of its kind where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
