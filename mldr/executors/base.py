"""What an executor does, and what a task says of its files so that it can run on a machine with another disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, Self, TypeVar, runtime_checkable

Task = TypeVar("Task")
Result = TypeVar("Result")


class Executor(Protocol):
    """Runs one function over many tasks."""

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """Yield each task with its result, in any order."""
        ...


@runtime_checkable
class Shipped(Protocol):
    """A task that names its files, so that they can travel."""

    def inputs(self) -> list[str]:
        """Return the local files that it reads."""
        ...

    def outputs(self) -> list[str]:
        """Return the local files and folders that it writes, in the order in which they may appear.

        A folder that nobody made before appears whole; one that stands gets the files that it lacks.
        """
        ...

    def moved(self, places: Mapping[str, str]) -> Self:
        """Return the same task with paths replaced."""
        ...
