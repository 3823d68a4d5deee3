"""The one table that every measure derives from: per query and modality, true and false positives and negatives.

A measure asks for columns by name; a column is worked out once, from the counts, never from the predictions again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np

from mldr.eval.goldset import GoldSet, Universe
from mldr.eval.outcomes import OUTCOMES, Answered, Judged
from mldr.eval.ragged import Bools, Floats, Ints

Modality = Literal["utt", "img"]
MODALITIES: tuple[Modality, ...] = ("utt", "img")


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of one modality, one entry a query.

    A failure counts as an empty answer here; `failed` marks it, for measures that average over queries.
    """

    tp: Ints
    fp: Ints
    """Ids outside the dialogue included."""
    fn: Ints
    tn: Ints
    universe: Ints
    """The dialogue's utterances with text, or its images."""
    failed: Bools

    def of(self, rows: Bools | Ints) -> Counts:
        """Return the counts of some queries: a mask, or positions."""
        return Counts(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class CountTable:
    """The counts of both modalities and the outcome of each query, in the order of the gold set."""

    utt: Counts
    img: Counts
    outcome: Ints
    """Position in `OUTCOMES`."""
    precision: dict[Modality, Floats | None] = field(default_factory=dict)
    """Average precision of each query, where predictions carry scores."""
    _columns: dict[str, Floats] = field(default_factory=dict)

    def __getitem__(self, modality: Modality) -> Counts:
        return self.utt if modality == "utt" else self.img

    @property
    def n_queries(self) -> int:
        """The number of queries."""
        return len(self.outcome)

    @property
    def valid(self) -> Bools:
        """Which queries did not end in a failure."""
        return ~self.utt.failed

    def of(self, rows: Bools | Ints) -> CountTable:
        """Return the table of some queries: a mask, or positions."""
        precision = {name: None if values is None else values[rows] for name, values in self.precision.items()}
        return CountTable(self.utt.of(rows), self.img.of(rows), self.outcome[rows], precision)

    def column(self, name: str) -> Floats:
        """Return a column by name: `<modality>.<what>` or `all.<what>`, one number a query.

        Raises:
            KeyError: if there is none of that name.
        """
        if name not in self._columns:
            self._columns[name] = np.asarray(_column(self, name), dtype=np.float64)
        return self._columns[name]


def count(gold: GoldSet, judged: Judged) -> CountTable:
    """Return the count table of a gold set and what became of its queries."""
    failed = judged.failed
    return CountTable(
        utt=_counts(gold.utt, judged.utt, failed),
        img=_counts(gold.img, judged.img, failed),
        outcome=judged.outcome,
        precision={
            "utt": average_precision(gold.utt, judged.utt, failed),
            "img": average_precision(gold.img, judged.img, failed),
        },
    )


def _counts(universe: Universe, answered: Answered, failed: Bools) -> Counts:
    n = len(universe.size)
    owners = answered.ids.owners
    tp = np.bincount(owners[answered.right], minlength=n).astype(np.int64)
    given = answered.ids.lengths
    inside = given - answered.outside
    fn = universe.gold_count - tp
    return Counts(tp, given - tp, fn, universe.candidates - inside - fn, universe.candidates, failed)


def average_precision(universe: Universe, answered: Answered, failed: Bools) -> Floats | None:
    """Return the average precision of each query (0 for a failure), NaN where it has no gold; None without any score.

    Ids are ranked by score, larger first; of equal scores, the smaller id first. Gold that was not returned counts as
    never found, as usual for rankings that are cut.
    """
    if answered.scores is None:
        return None
    owners, n = answered.ids.owners, len(universe.size)
    scores = np.where(np.isnan(answered.scores), -np.inf, answered.scores)
    order = np.lexsort((-scores, owners))
    owners, right = owners[order], answered.right[order]
    rank = np.arange(len(owners)) - answered.ids.offsets[:-1][owners] + 1
    found = np.cumsum(right)
    before = np.concatenate([[0], found])[answered.ids.offsets[:-1]]
    gains = np.where(right, (found - before[owners]) / rank, 0.0)
    total = np.bincount(owners, weights=gains, minlength=n)
    values = np.divide(total, universe.gold_count, out=np.full(n, np.nan), where=universe.gold_count > 0)
    return np.where(failed & (universe.gold_count > 0), 0.0, values)


def per_query(counts: Counts, figure: str) -> Floats:
    """Return a figure (p, r, f1, mcc, em, jaccard) of each query; NaN where the universe is empty, 0 for a failure."""
    values = np.asarray(_PER_QUERY[figure](counts), dtype=np.float64)
    values = np.where(counts.failed, 0.0, values)
    return np.where(counts.universe == 0, np.nan, values)


def _ratio(numerator: Ints, denominator: Ints) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator != 0)


def _or_one(counts: Counts, values: Floats) -> Floats:
    """Both sides empty is 1; one side empty is 0 by itself, having no tp."""
    return np.where(counts.tp + counts.fp + counts.fn == 0, 1.0, values)


def _mcc(counts: Counts) -> Floats:
    tp, fp, fn, tn = (column.astype(np.float64) for column in (counts.tp, counts.fp, counts.fn, counts.tn))
    root = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    values = np.divide(tp * tn - fp * fn, root, out=np.zeros(len(tp)), where=root > 0)
    gold = counts.tp + counts.fn
    trivial = (gold == 0) | (gold == counts.universe)
    return np.asarray(np.where(trivial, _exact(counts), values), dtype=np.float64)


def _exact(counts: Counts) -> Floats:
    return np.asarray((counts.fp == 0) & (counts.fn == 0), dtype=np.float64)


_PER_QUERY: dict[str, Callable[[Counts], Floats]] = {
    "p": lambda c: _or_one(c, _ratio(c.tp, c.tp + c.fp)),
    "r": lambda c: _or_one(c, _ratio(c.tp, c.tp + c.fn)),
    "f1": lambda c: _or_one(c, _ratio(2 * c.tp, 2 * c.tp + c.fp + c.fn)),
    "mcc": _mcc,
    "em": _exact,
    "jaccard": lambda c: _or_one(c, _ratio(c.tp, c.tp + c.fp + c.fn)),
}


def _column(table: CountTable, name: str) -> Floats | Ints | Bools:
    scope, _, what = name.partition(".")
    if scope == "all":
        return _ALL[what](table)
    counts = table["utt" if scope == "utt" else "img"]
    if what in ("tp", "fp", "fn", "tn"):
        return np.asarray(getattr(counts, what))
    if what == "defined":
        return counts.universe > 0
    if what in ("ap", "ap_defined"):
        values = table.precision.get("utt" if scope == "utt" else "img")
        if values is None:
            raise KeyError(name)
        return np.nan_to_num(values) if what == "ap" else ~np.isnan(values)
    return np.nan_to_num(per_query(counts, what))


def _without_gold(table: CountTable) -> Bools:
    return np.asarray((table.utt.tp + table.utt.fn + table.img.tp + table.img.fn) == 0)


def _silent(table: CountTable) -> Bools:
    return np.asarray(table.outcome == OUTCOMES.index("empty"))


def _spoke(table: CountTable) -> Bools:
    return np.asarray(table.outcome == OUTCOMES.index("ok"))  # an answer that names what is not there is not right


def _all_exact(table: CountTable) -> Floats:
    return np.where(table.utt.failed, 0.0, _exact(table.utt) * _exact(table.img))


_ALL: dict[str, Callable[[CountTable], Floats | Ints | Bools]] = {
    "queries": lambda table: np.ones(table.n_queries),
    "em": _all_exact,
    "negatives": _without_gold,
    "abstained": lambda table: _without_gold(table) & _silent(table),
    "answerable": lambda table: ~_without_gold(table),
    "answered": lambda table: ~_without_gold(table) & _spoke(table),
}
