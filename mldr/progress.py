"""How far a long run has come, for the person who waits: bars on a terminal, a line now and then elsewhere. On stderr only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

Item = TypeVar("Item")

SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Takes what a run reports, and shows nothing: the default of the API.

    A run has steps one after another; each has a number of pieces, all of the same kind.
    """

    def say(self, message: str) -> None:
        """Take a message of one line."""

    def start(self, step: str, total: int | None) -> None:
        """Begin a step of `total` pieces, None where nobody knows how many."""

    def advance(self, pieces: int = 1) -> None:
        """Take that pieces of the step are done."""

    def note(self, text: str) -> None:
        """Show a few words beside the step: the money spent, say."""

    def over(self, items: Iterable[Item], step: str, total: int | None) -> Iterator[Item]:
        """Yield items as a step, each of them a piece."""
        self.start(step, total)
        for item in items:
            yield item
            self.advance()


class Lines(Progress):
    """Writes a line at the start of each step and every ten seconds after.

    Args:
        write: takes a line.
        clock: seconds, ever rising.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._step, self._note = "", ""
        self._total: int | None = None
        self._done = 0
        self._began = self._said = clock()

    def say(self, message: str) -> None:
        """Write the message."""
        self._write(message)

    def start(self, step: str, total: int | None) -> None:
        """Write what begins."""
        self._step, self._total, self._done, self._note = step, total, 0, ""
        self._began = self._said = self._clock()
        self._write(f"{step}: {total:,}" if total is not None else step)

    def advance(self, pieces: int = 1) -> None:
        """Count, and write where it was long ago."""
        self._done += pieces
        now = self._clock()
        if now - self._said >= SECONDS_BETWEEN_LINES:
            self._said = now
            self._write(self._line(now))

    def note(self, text: str) -> None:
        """Keep the words for the next line."""
        self._note = text

    def _line(self, now: float) -> str:
        parts = [f"{self._step}: {self._done:,}"]
        if self._total:
            parts[0] += f" of {self._total:,}"
            if self._done:
                left = (now - self._began) * (self._total - self._done) / self._done
                parts.append(f"{duration(left)} left")
        return ", ".join([*parts, *([self._note] if self._note else [])])


class Bars(Progress):
    """Shows a bar for each step, with what is left of it."""

    def __init__(self, shown: RichProgress) -> None:
        self._shown = shown
        self._task: TaskID | None = None

    def say(self, message: str) -> None:
        """Print the message above the bar."""
        self._shown.console.print(message, markup=False, highlight=False)

    def start(self, step: str, total: int | None) -> None:
        """Begin a new bar; the old one goes."""
        if self._task is not None:
            self._shown.remove_task(self._task)
        self._task = self._shown.add_task(step, total=total, note="")

    def advance(self, pieces: int = 1) -> None:
        """Move the bar."""
        if self._task is not None:
            self._shown.advance(self._task, pieces)

    def note(self, text: str) -> None:
        """Show the words at the end of the bar."""
        if self._task is not None:
            self._shown.update(self._task, note=text)


@contextmanager
def shown_progress(lines: bool = True) -> Iterator[Progress]:
    """Show progress on stderr: bars where that is a terminal, elsewhere lines, or nothing where those are not wanted."""
    from mldr.console import say

    if not sys.stderr.isatty():
        yield Lines(say) if lines else Progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left", markup=False),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield Bars(shown)


def duration(seconds: float) -> str:
    """Return a time span in words, rounded: `45 s`, `3 min`, `2 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
