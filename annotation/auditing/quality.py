"""Measures of `mldr.eval` over labels and people's answers, weighted, with intervals by a bootstrap over clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mldr.annotation.agreement.models import Value
from mldr.annotation.auditing.models import LabelQuality
from mldr.eval.counts import Counts, CountTable
from mldr.eval.measures import Measure, parse_measure, statistic
from mldr.eval.outcomes import OUTCOMES
from mldr.manifest import Interval
from mldr.statistics import MIN_CLUSTERS, bootstrap, group_sums

MEASURES: tuple[Measure, ...] = tuple(
    parse_measure(name)
    for name in (
        *(f"{scope}_{figure}" for scope in ("utt", "img", "joint") for figure in ("p", "r", "f1", "em")),
        "joint_f1(avg=macro)",
    )
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """An answer beside the one that is taken for the truth; each a set of utterances and a set of images."""

    query_id: str
    cluster: str
    weight: float
    universe: tuple[int, int]
    """How many utterances with text, and images, there are."""
    given: tuple[frozenset[int], frozenset[int]]
    truth: tuple[frozenset[int], frozenset[int]]


def quality(rows: Sequence[Comparison], resamples: int, seed: int) -> LabelQuality:
    """Return the measures over some comparisons; one without a value says why.

    Args:
        rows: in any order.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the bootstrap.
    """
    if not rows:
        nothing = Value(reason="no query has such an answer")
        return LabelQuality(queries=0, clusters=0, measures={str(measure): nothing for measure in MEASURES})
    ordered = sorted(rows, key=lambda row: row.cluster)
    names = {name: place for place, name in enumerate(dict.fromkeys(row.cluster for row in ordered))}
    group = np.array([names[row.cluster] for row in ordered], dtype=np.int64)
    weight = np.array([row.weight for row in ordered])
    spoke = np.array([any(row.given) for row in ordered])
    outcome = np.where(spoke, OUTCOMES.index("ok"), OUTCOMES.index("empty")).astype(np.int64)
    table = CountTable(_counts(ordered, 0), _counts(ordered, 1), outcome)
    columns, values = statistic(MEASURES)
    sums = group_sums([table.column(name) * weight for name in columns], group, len(names))
    exact = values(sums.sum(axis=0, keepdims=True))[0]
    boot = bootstrap(sums, values, resamples, seed)
    enough = len(names) >= MIN_CLUSTERS
    measured = {
        str(measure): _value(exact[place], boot.low[place], boot.high[place], enough)
        for place, measure in enumerate(MEASURES)
    }
    queries = len({row.query_id for row in rows})
    return LabelQuality(queries=queries, clusters=len(names), measures=measured)


def _value(value: float, low: float, high: float, enough: bool) -> Value:
    if np.isnan(value):
        return Value(reason="people chose nothing of that kind")
    if not enough or np.isnan(low) or np.isnan(high):
        return Value(value=float(value))
    return Value(value=float(value), low=max(0.0, float(low)), high=min(1.0, float(high)))


def _counts(rows: Sequence[Comparison], side: int) -> Counts:
    numbers = np.array(
        [
            (len(row.given[side] & row.truth[side]), len(row.given[side]), len(row.truth[side]), row.universe[side])
            for row in rows
        ],
        dtype=np.int64,
    )
    right, given, truth, universe = numbers.T
    nothing_failed = np.zeros(len(rows), dtype=np.bool_)
    return Counts(right, given - right, truth - right, universe - given - truth + right, universe, nothing_failed)


def interval(value: Value) -> Interval:
    """Return a value as a manifest keeps it."""
    return value.value, value.low, value.high


def intervals(values: dict[str, Value]) -> dict[str, Interval]:
    """Return measures as a manifest keeps them."""
    return {name: interval(value) for name, value in values.items()}
