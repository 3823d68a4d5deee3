"""Systems compared on the same queries: differences with intervals, a permutation test by clusters, Holm's correction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mldr.errors import MldrError
from mldr.eval.counts import count
from mldr.eval.evaluator import Evaluator, Predictions
from mldr.eval.measures import HEADLINE, Measure, statistic
from mldr.formats import format_line
from mldr.statistics import (
    FEW_CLUSTERS,
    MIN_CLUSTERS,
    PERMUTATIONS,
    RESAMPLES,
    Floats,
    bootstrap,
    group_sums,
    holm,
    permutation_test,
    smallest_difference,
    widening,
)

_STRICT = ConfigDict(extra="forbid")


class Difference(BaseModel):
    """How two systems differ in one measure: `a` minus `b`."""

    model_config = _STRICT

    measure: str
    a: str
    b: str
    value_a: float | None
    value_b: float | None
    difference: float | None
    low: float | None
    """Of the 95 % interval; None below ten clusters."""
    high: float | None
    p: float | None
    """Of the permutation test, two-sided, uncorrected."""
    p_holm: float | None
    """Corrected for all tests of this comparison."""
    smallest_detectable: float | None
    """The difference that this gold set would show with a power of 80 %; None below ten clusters."""


class Comparison(BaseModel):
    """The differences of all pairs of systems in all measures that were asked for."""

    model_config = _STRICT

    format: str = Field(default_factory=lambda: format_line("comparison"))
    dataset: str
    split: str
    gold_hash: str
    n_queries: int
    n_clusters: int
    differences: list[Difference]
    smallest_p: float
    """The smallest p that so many clusters can give."""
    exact: bool
    """Whether every permutation was tried."""
    resamples: int
    permutations: int
    seed: int
    note: str


def compare(
    evaluator: Evaluator,
    systems: Mapping[str, Predictions],
    measures: Sequence[Measure] = HEADLINE,
    *,
    resamples: int = RESAMPLES,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Comparison:
    """Return the differences of all pairs of systems.

    Args:
        evaluator: of the gold that all of them answer.
        systems: name -> predictions, two or more.
        measures: what is compared; Holm's correction runs over measures times pairs.
        resamples: of the bootstrap.
        permutations: drawn where not all can be tried.
        seed: of both.

    Raises:
        MldrError: for fewer than two systems.
    """
    if len(systems) < 2:
        raise MldrError("a comparison needs two predictions files or more")
    gold = evaluator.gold
    columns, values = statistic(measures)
    sums = {name: _sums(evaluator, given, columns) for name, given in systems.items()}
    found: list[Difference] = []
    smallest, exact = 1.0, False
    for a, b in combinations(systems, 2):
        test = permutation_test(sums[a], sums[b], values, permutations, seed)
        smallest, exact = test.smallest_p, test.exact
        found += _differences(a, b, sums, measures, resamples, seed, test.p)
    corrected = holm([float("nan") if one.p is None else one.p for one in found])
    for one, p in zip(found, corrected, strict=True):
        one.p_holm = _number(p)
    return Comparison(
        dataset=gold.dataset_name,
        split=gold.split,
        gold_hash=evaluator.gold_hash,
        n_queries=len(gold),
        n_clusters=gold.n_clusters,
        differences=found,
        smallest_p=smallest,
        exact=exact,
        resamples=resamples,
        permutations=permutations,
        seed=seed,
        note=_note(gold.n_clusters, smallest),
    )


def _sums(evaluator: Evaluator, given: Predictions, columns: tuple[str, ...]) -> Floats:
    table = count(evaluator.gold, evaluator.judge(given))
    try:
        rows = [table.column(name) for name in columns]
    except KeyError as error:
        raise MldrError("average precision needs predictions that carry scores, of both systems") from error
    return group_sums(rows, evaluator.gold.cluster, evaluator.gold.n_clusters)


def _differences(
    a: str,
    b: str,
    sums: Mapping[str, Floats],
    measures: Sequence[Measure],
    resamples: int,
    seed: int,
    p_values: Floats,
) -> list[Difference]:
    width = sums[a].shape[1]
    _, values = statistic(measures)

    def difference(both: Floats) -> Floats:
        return values(both[:, :width]) - values(both[:, width:])

    both = np.concatenate([sums[a], sums[b]], axis=1)
    boot = bootstrap(both, difference, resamples, seed)
    total = both.sum(axis=0, keepdims=True)
    value_a, value_b = values(total[:, :width])[0], values(total[:, width:])[0]
    return [
        Difference(
            measure=str(measure),
            a=a,
            b=b,
            value_a=_number(value_a[position]),
            value_b=_number(value_b[position]),
            difference=_number(value_a[position] - value_b[position]),
            low=_number(boot.low[position]),
            high=_number(boot.high[position]),
            p=_number(p_values[position]),
            p_holm=None,
            smallest_detectable=_number(smallest_difference(float(boot.error[position]))),
        )
        for position, measure in enumerate(measures)
    ]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _note(n_clusters: int, smallest: float) -> str:
    clusters = "1 cluster" if n_clusters == 1 else f"{n_clusters:,} clusters"
    note = f"whole clusters are resampled and swapped; {clusters} can give no p below {smallest:.2g}"
    if smallest > 0.05:
        note += ", so nothing can be significant at 5 % here"
    if n_clusters < MIN_CLUSTERS:
        note += f"; below {MIN_CLUSTERS} clusters no interval is given"
    elif n_clusters < FEW_CLUSTERS:
        note += f"; intervals are widened by {widening(n_clusters):.2f} because there are fewer than {FEW_CLUSTERS}"
    return note
