"""Measures as values: P, R, F1 and MCC of utterances, images and both, micro and macro. A measure's string is its identity.

The definitions are those of the F2RVLM paper (AAAI-26, "Metrics") where micro, with one set of conventions for empty answers,
empty gold and empty universes; `docs/measures.md` states them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from mldr.errors import Fault, InputError
from mldr.eval.counts import Counts, CountTable, Modality

Scope = Literal["utt", "img", "joint"]
Figure = Literal["p", "r", "f1", "mcc"]
Average = Literal["micro", "macro"]
Floats = npt.NDArray[np.float64]

_NAME = re.compile(r"(utt|img|joint)_(p|r|f1|mcc)(?:\(avg=(micro|macro)\))?")


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure. `str(measure)` names it and `parse_measure` gives it back."""

    scope: Scope
    figure: Figure
    average: Average = "micro"

    def __str__(self) -> str:
        return f"{self.scope}_{self.figure}" + ("(avg=macro)" if self.average == "macro" else "")

    def __call__(self, table: CountTable) -> float | None:
        """Return the value, a fraction, or None where there is nothing to measure: micro without gold, macro without universe."""
        if self.scope == "joint":
            return _joined(self.figure, self._of(table, "utt"), self._of(table, "img"))
        return self._of(table, self.scope)

    def _of(self, table: CountTable, modality: Modality) -> float | None:
        function = _micro if self.average == "micro" else _macro
        return function(table[modality], self.figure)


MEASURES: tuple[Measure, ...] = tuple(
    Measure(scope, figure, average)
    for average in get_args(Average)
    for scope in get_args(Scope)
    for figure in get_args(Figure)
)
"""All of them, in the order in which they are shown."""


def parse_measure(name: str) -> Measure:
    """Return the measure of a name.

    Raises:
        ValueError: if there is no such measure.
    """
    match = _NAME.fullmatch(name.replace(" ", ""))
    if match is None:
        raise ValueError(f"no measure {name!r}; measures are {', '.join(str(measure) for measure in MEASURES)}")
    scope, figure, average = match.groups()
    return next(m for m in MEASURES if (m.scope, m.figure, m.average) == (scope, figure, average or "micro"))


def parse_measures(names: Iterable[str]) -> list[Measure]:
    """Return the measures of some names.

    Raises:
        InputError: with every name that is none.
    """
    measures: list[Measure] = []
    faults: list[Fault] = []
    for name in names:
        try:
            measures.append(parse_measure(name))
        except ValueError as error:
            faults.append(Fault("measures", str(error)))
    if faults:
        raise InputError(faults)
    return measures


def per_query(counts: Counts, figure: Figure) -> Floats:
    """Return a figure for each query of one modality; NaN where the universe is empty, 0 for a failure."""
    values = np.asarray(_PER_QUERY[figure](counts), dtype=np.float64)
    values = np.where(counts.failed, 0.0, values)
    return np.where(counts.universe == 0, np.nan, values)


def _micro(counts: Counts, figure: Figure) -> float | None:
    tp, fp, fn, tn = (int(column.sum()) for column in (counts.tp, counts.fp, counts.fn, counts.tn))
    if tp + fn == 0:
        return None
    if figure == "mcc":
        # Python integers: the product of four sums over a million queries does not fit 64 bits.
        product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return (tp * tn - fp * fn) / product**0.5 if product > 0 else 0.0
    numerator, denominator = {"p": (tp, tp + fp), "r": (tp, tp + fn), "f1": (2 * tp, 2 * tp + fp + fn)}[figure]
    return numerator / denominator if denominator else 0.0


def _macro(counts: Counts, figure: Figure) -> float | None:
    values = per_query(counts, figure)
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else None


def _ratio(numerator: npt.NDArray[np.int64], denominator: npt.NDArray[np.int64]) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator != 0)


def _with_empty(counts: Counts, values: Floats) -> Floats:
    """Apply the conventions of P, R and F1: both sides empty is 1 (one side empty is 0 by itself, having no tp)."""
    return np.where(counts.tp + counts.fp + counts.fn == 0, 1.0, values)


def _mcc(counts: Counts) -> Floats:
    tp, fp, fn, tn = (column.astype(np.float64) for column in (counts.tp, counts.fp, counts.fn, counts.tn))
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    root = np.sqrt(product)
    values = np.divide(tp * tn - fp * fn, root, out=np.zeros(len(tp)), where=root > 0)
    gold = counts.tp + counts.fn
    trivial = (gold == 0) | (gold == counts.universe)
    return np.where(trivial, ((counts.fp == 0) & (counts.fn == 0)).astype(np.float64), values)


_PER_QUERY: dict[Figure, Callable[[Counts], Floats]] = {
    "p": lambda counts: _with_empty(counts, _ratio(counts.tp, counts.tp + counts.fp)),
    "r": lambda counts: _with_empty(counts, _ratio(counts.tp, counts.tp + counts.fn)),
    "f1": lambda counts: _with_empty(counts, _ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)),
    "mcc": _mcc,
}


def _joined(figure: Figure, utterances: float | None, images: float | None) -> float | None:
    """Join two averages as the papers do: harmonic means of P and R, arithmetic means of F1 and MCC."""
    if utterances is None or images is None:
        return images if utterances is None else utterances
    if figure in ("f1", "mcc"):
        return (utterances + images) / 2
    total = utterances + images
    return 2 * utterances * images / total if total else 0.0
