"""A system that stands around another one: what both have in common with it is handed on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mldr.eval.prediction import Prediction
from mldr.markup import Sees
from mldr.retrievers.making import make_retriever
from mldr.retrievers.protocol import Ask, DialogueView, Example, Fittable, Opened, Oracle, Parallel, Run, Sampled


class Around:
    """Makes the inner system and hands on what it sees and needs, how it is opened, fitted and closed.

    Args:
        system: a registered retriever, or `module:Class`.
        options: of the inner system.

    Raises:
        ValueError: for an inner system that is an oracle.
    """

    def __init__(self, system: str, **options: Any) -> None:
        if not isinstance(system, str) or not system:
            raise ValueError(f"system is {system!r}; the name of a retriever is expected")
        self.system = system
        self.inner = make_retriever(system, options)
        if isinstance(self.inner, Oracle):
            raise ValueError(f"system is {system}, an oracle; nothing can stand around it")
        self.sees: tuple[Sees, ...] = tuple(self.inner.sees)
        self.needs: tuple[str, ...] = tuple(getattr(self.inner, "needs", ()))
        self.movable: tuple[str, ...] = tuple(getattr(self.inner, "movable", ()))

    @property
    def at_once(self) -> int:
        """As many dialogues as the inner system."""
        return self.inner.at_once if isinstance(self.inner, Parallel) else 1

    @property
    def fitted(self) -> dict[str, Any]:
        """The tuned values of the inner system."""
        found = getattr(self.inner, "fitted", {})
        return dict(found) if found else {}

    def open(self, run: Run) -> None:
        """Open the inner system."""
        if isinstance(self.inner, Opened):
            self.inner.open(run)

    def close(self) -> None:
        """Close the inner system."""
        if isinstance(self.inner, Opened):
            self.inner.close()

    def fit(self, examples: Iterable[Example]) -> None:
        """Fit the inner system where it can be fitted."""
        if isinstance(self.inner, Fittable):
            self.inner.fit(iter(examples))

    def sampled_from_inner(self, view: DialogueView, asks: list[Ask], sample: int | None) -> Iterator[Prediction]:
        """Yield the inner system's answers; its `sample`-th ones where a number is given.

        Raises:
            TypeError: if it draws no samples.
        """
        if sample is None:
            yield from self.inner.retrieve(view, asks)
        elif isinstance(self.inner, Sampled):
            yield from self.inner.sampled(view, asks, sample)
        else:
            raise TypeError(f"{self.system} draws no samples; a vision language model does")
