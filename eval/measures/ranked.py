"""Average precision, where predictions carry scores. The best-threshold F1 is an oracle and lives in `eval/oracle.py`."""

from __future__ import annotations

from dataclasses import dataclass

from mldr.eval.measures.base import SCOPE_WORDS, Measure, Scope, Sums, joined, mean
from mldr.eval.ragged import Floats


@dataclass(frozen=True, slots=True)
class AveragePrecision(Measure):
    """Mean average precision over the queries with gold in the modality."""

    scope: Scope

    @property
    def name(self) -> str:
        """`utt_ap`."""
        return f"{self.scope}_ap"

    @property
    def text(self) -> str:
        """One line for a person."""
        return f"mean average precision of {SCOPE_WORDS[self.scope]}, by the scores that predictions carry"

    @property
    def columns(self) -> tuple[str, ...]:
        """Average precision, and how many queries have one."""
        modalities = ("utt", "img") if self.scope == "joint" else (self.scope,)
        return tuple(f"{modality}.{what}" for modality in modalities for what in ("ap", "ap_defined"))

    def value(self, sums: Sums) -> Floats:
        """Return the mean; NaN where no query has gold."""
        parts = [mean(sums[one], sums[other]) for one, other in zip(self.columns[::2], self.columns[1::2], strict=True)]
        return parts[0] if len(parts) == 1 else joined(parts[0], parts[1], harmonic=False)
