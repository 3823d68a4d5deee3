"""From scores to a set of ids: the decision rule that the papers do not state, explicit and fitted on validation.

Every rule keeps the first so many of the candidates, ranked by score (of equals, the smaller id first); rules differ in how many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mldr.eval.ragged import Floats, Ints
from mldr.retrievers.fitting import f1_of

RuleName = Literal["threshold", "top-k", "gap"]
RULES: tuple[RuleName, ...] = ("threshold", "top-k", "gap")
"""From the simplest on: of rules that do equally well on validation the first is taken."""
CANDIDATES = 100
"""Thresholds that are tried: quantiles of the scores on validation."""
MOST = 20
"""The largest k, and the most that a gap rule keeps, that are tried."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How many of the ranked candidates are kept.

    `threshold`: those with a score above `value`. `top-k`: the `value` best. `gap`: all before the largest drop from one score
    to the next among the first `value` + 1, of equal drops the first. Where there are fewer candidates than that, the step from
    the last one down to nothing is no drop; a lone candidate is kept.
    """

    name: RuleName
    value: float

    def count(self, ranked: Floats) -> int:
        """Return how many are kept of scores that fall."""
        if self.name == "threshold":
            return int(np.searchsorted(-ranked, -self.value, side="left"))
        most = min(int(self.value), len(ranked))
        if self.name == "top-k" or most < 1:
            return most
        drops = ranked[: min(most, len(ranked) - 1)] - ranked[1 : most + 1]
        return int(np.argmax(drops)) + 1 if len(drops) else most

    def kept(self, scores: Floats) -> tuple[int, ...]:
        """Return the positions that are kept, in rising order; NaN marks what is no candidate."""
        order = ranking(scores)
        return tuple(sorted(int(i) for i in order[: self.count(scores[order])]))

    def described(self) -> dict[str, Any]:
        """Return the rule as JSON."""
        return {"rule": self.name, "value": round(self.value, 6)}


def ranking(scores: Floats) -> Ints:
    """Return the positions of candidates from the highest score down; of equals, the smaller id first."""
    candidates = np.flatnonzero(~np.isnan(scores))
    order: Ints = candidates[np.argsort(-scores[candidates], kind="stable")]
    return order


@dataclass(frozen=True, slots=True)
class _Row:
    """One query's ranked scores, and how much of the gold stands among the first so many."""

    ranked: Floats
    hits: Ints
    """Length candidates + 1."""
    n_gold: int
    universe: int


Scored = tuple[Floats, frozenset[int]]
"""The scores of one query, NaN for what is no candidate, and its gold."""


def fit(rows: Iterable[Scored], names: Sequence[RuleName] = RULES, least: float = -1.0) -> Rule | None:
    """Return the rule with the best macro F1 over queries, None without a query.

    Args:
        rows: of validation.
        names: the rules to choose from; of equals the first wins, and within a rule the smallest value.
        least: the threshold that keeps every candidate: no score is below it (-1 for cosines).
    """
    kept = [_row(scores, gold) for scores, gold in rows]
    kept = [row for row in kept if row.universe]
    candidates = [rule for name in names for rule in _candidates(name, kept, least)]
    if not kept or not candidates:
        return None
    means = [float(np.nanmean(_f1(kept, rule))) for rule in candidates]
    return candidates[int(np.argmax(means))]


def macro_f1(rows: Iterable[Scored], rule: Rule) -> float:
    """Return the mean F1 of a rule over queries that have candidates, by the one definition of F1."""
    return float(np.nanmean(_f1([_row(scores, gold) for scores, gold in rows], rule)))


def _row(scores: Floats, gold: frozenset[int]) -> _Row:
    order = ranking(scores)
    is_gold = np.fromiter((int(i) in gold for i in order), dtype=np.int64, count=len(order))
    return _Row(scores[order], np.concatenate([[0], np.cumsum(is_gold)]), len(gold), len(scores))


def _candidates(name: RuleName, rows: Sequence[_Row], least: float) -> list[Rule]:
    if name == "top-k":
        return [Rule(name, k) for k in range(MOST + 1)]
    if name == "gap":
        return [Rule(name, most) for most in range(1, MOST + 1)]
    seen = np.concatenate([row.ranked for row in rows]) if rows else np.zeros(0)
    if not len(seen):
        return []
    values = np.unique(np.quantile(seen, np.linspace(0, 1, CANDIDATES)))
    return [Rule(name, float(value)) for value in (least, *values)]


def _f1(rows: Sequence[_Row], rule: Rule) -> Floats:
    counts = np.array([rule.count(row.ranked) for row in rows], dtype=np.int64)
    tp = np.array([row.hits[count] for row, count in zip(rows, counts, strict=True)], dtype=np.int64)
    n_gold = np.array([row.n_gold for row in rows], dtype=np.int64)
    universe = np.array([row.universe for row in rows], dtype=np.int64)
    return f1_of(tp, counts - tp, n_gold - tp, universe)
