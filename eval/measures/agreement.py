"""Exact match and Jaccard similarity: how often, and how nearly, an answer is the gold; averages over queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mldr.eval.measures.base import SCOPE_WORDS, Measure, Scope, Sums, joined, mean
from mldr.eval.ragged import Floats


@dataclass(frozen=True, slots=True)
class Agreement(Measure):
    """Exact match (`em`) or Jaccard. Joint exact match asks for both sets at once; joint Jaccard is the mean of the two."""

    scope: Scope
    figure: Literal["em", "jaccard"]

    @property
    def name(self) -> str:
        """`utt_em`, `joint_jaccard`."""
        return f"{self.scope}_{self.figure}"

    @property
    def text(self) -> str:
        """One line for a person."""
        words = "share of queries answered exactly" if self.figure == "em" else "mean Jaccard similarity"
        return f"{words}, {SCOPE_WORDS[self.scope]}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The figure and how many queries have it."""
        if self.scope == "joint" and self.figure == "em":
            return ("all.em", "all.queries")
        modalities = ("utt", "img") if self.scope == "joint" else (self.scope,)
        return tuple(f"{modality}.{what}" for modality in modalities for what in (self.figure, "defined"))

    def value(self, sums: Sums) -> Floats:
        """Return the mean over queries; NaN where no query has a universe."""
        parts = [mean(sums[one], sums[other]) for one, other in zip(self.columns[::2], self.columns[1::2], strict=True)]
        return parts[0] if len(parts) == 1 else joined(parts[0], parts[1], harmonic=False)
