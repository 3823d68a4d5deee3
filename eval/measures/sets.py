"""Precision, recall, F1 and Matthews' correlation of the retrieved sets, micro and macro; joint as in the papers.

F2RVLM (AAAI-26), "Metrics": joint P and R are harmonic, joint F1 and MCC arithmetic means of the two modalities' figures.
Conventions for empty answers, gold and universes: `docs/measures.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from mldr.eval.measures.base import SCOPE_WORDS, Average, Measure, Scope, Sums, joined, mean, ratio
from mldr.eval.ragged import Floats

Figure = Literal["p", "r", "f1", "mcc"]
FIGURES: tuple[Figure, ...] = get_args(Figure)
_WORDS: dict[Figure, str] = {"p": "precision", "r": "recall", "f1": "F1", "mcc": "Matthews correlation coefficient"}


@dataclass(frozen=True, slots=True)
class SetMeasure(Measure):
    """P, R, F1 or MCC of one modality or both."""

    scope: Scope
    figure: Figure
    average: Average = "micro"

    @property
    def name(self) -> str:
        """`utt_f1`, or `utt_f1(avg=macro)`."""
        return f"{self.scope}_{self.figure}" + ("(avg=macro)" if self.average == "macro" else "")

    @property
    def text(self) -> str:
        """One line for a person."""
        return f"{_WORDS[self.figure]} of {SCOPE_WORDS[self.scope]}, {self.average} average"

    @property
    def lowest(self) -> float:
        """-1 for a correlation."""
        return -1.0 if self.figure == "mcc" else 0.0

    @property
    def modalities(self) -> tuple[Literal["utt", "img"], ...]:
        """What it stands on."""
        return ("utt", "img") if self.scope == "joint" else (self.scope,)

    @property
    def columns(self) -> tuple[str, ...]:
        """Counts for a micro average, the figure and its number of queries for a macro one."""
        what = ("tp", "fp", "fn", "tn") if self.average == "micro" else (self.figure, "defined")
        return tuple(f"{modality}.{name}" for modality in self.modalities for name in what)

    def value(self, sums: Sums) -> Floats:
        """Return the value; NaN for micro without gold in the modality, for macro without a universe."""
        parts = [self._of(modality, sums) for modality in self.modalities]
        return parts[0] if len(parts) == 1 else joined(parts[0], parts[1], self.figure in ("p", "r"))

    def _of(self, modality: str, sums: Sums) -> Floats:
        if self.average == "macro":
            return mean(sums[f"{modality}.{self.figure}"], sums[f"{modality}.defined"])
        tp, fp, fn, tn = (sums[f"{modality}.{name}"] for name in ("tp", "fp", "fn", "tn"))
        if self.figure == "mcc":
            root = np.sqrt(tp + fp) * np.sqrt(tp + fn) * np.sqrt(tn + fp) * np.sqrt(tn + fn)
            value = np.clip(ratio(tp * tn - fp * fn, root), -1.0, 1.0)  # rounding may step over the edge
        elif self.figure == "f1":
            value = ratio(2 * tp, 2 * tp + fp + fn)
        else:
            value = ratio(tp, tp + (fp if self.figure == "p" else fn))
        return np.where(tp + fn == 0, np.nan, value)
