"""Answerability: whether a system knows when there is nothing to find. Failures and answers out of range are never right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from mldr.eval.measures.base import Measure, Sums, mean
from mldr.eval.ragged import Floats

_TEXTS = {
    "abstention": "share of queries without gold that are answered with nothing",
    "response": "share of queries with gold that are answered with something",
    "answerability": "balanced accuracy: the mean of abstention and response",
}


@dataclass(frozen=True, slots=True)
class Answerability(Measure):
    """`abstention`, `response`, or `answerability`, the balanced accuracy of the two."""

    figure: Literal["abstention", "response", "answerability"]

    @property
    def name(self) -> str:
        """The figure."""
        return self.figure

    @property
    def text(self) -> str:
        """One line for a person."""
        return _TEXTS[self.figure]

    @property
    def columns(self) -> tuple[str, ...]:
        """What was right, and of how many."""
        sides = {"abstention": ("all.abstained", "all.negatives"), "response": ("all.answered", "all.answerable")}
        return sides.get(self.figure, (*sides["abstention"], *sides["response"]))

    def value(self, sums: Sums) -> Floats:
        """Return the share; NaN without such queries, and for the balanced accuracy without both kinds."""
        parts = [mean(sums[one], sums[other]) for one, other in zip(self.columns[::2], self.columns[1::2], strict=True)]
        return np.asarray(sum(parts) / len(parts), dtype=np.float64)
