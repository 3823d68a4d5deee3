"""Measures of agreement over a table of answers, with intervals by a bootstrap over clusters.

Sources: Krippendorff 2004, "Content Analysis", 11.3 (alpha with missing answers); Passonneau 2006 (MASI); Cohen 1960; Fleiss 1971,
in the form for a varying number of raters (Gwet 2014, 2.4); positive specific agreement: Fleiss 1975, for many raters by pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mldr.annotation.agreement.answers import AnswerTable, Item, answer_table
from mldr.annotation.agreement.distances import expected, jaccard, masi, ordered_pairs, quadratic
from mldr.annotation.agreement.models import FIGURES, Figures, Value
from mldr.statistics import MIN_CLUSTERS, RESAMPLES, Floats, Ints, bootstrap

_LOWEST = {"alpha_masi": -np.inf, "alpha_jaccard": -np.inf, "kappa": -1.0}
_SLACK = 1e-9
"""Below this a sum of distances or a chance of disagreement is rounding, not variation."""


def figures(
    items: Sequence[Item], n_raters: int, *, nothing: str, resamples: int = RESAMPLES, seed: int = 0
) -> Figures:
    """Return every measure over some items; one that has no value says why.

    Args:
        items: each with an answer or None of every rater.
        n_raters: how many raters there are.
        nothing: the reason where no item can be used.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the bootstrap.
    """
    table = answer_table(items, n_raters)
    if not table.n_items:
        return Figures.model_validate({name: Value(reason=nothing) for name in FIGURES})
    statistic = _statistic(table)
    values = statistic(np.ones((1, table.n_clusters)))[0]
    boot = bootstrap(np.eye(table.n_clusters), statistic, resamples, seed)
    found: dict[str, Any] = {}
    for position, name in enumerate(FIGURES):
        value = float(values[position])
        if np.isnan(value):
            found[name] = Value(reason=_reason(name, table))
            continue
        low, high = float(boot.low[position]), float(boot.high[position])
        given = table.n_clusters >= MIN_CLUSTERS and not (np.isnan(low) or np.isnan(high))
        found[name] = Value(
            value=value,
            low=max(low, _LOWEST.get(name, 0.0)) if given else None,
            high=min(high, 1.0) if given else None,
        )
    sizes = {"n_queries": table.n_items, "n_units": table.n_places, "n_clusters": table.n_clusters}
    return Figures.model_validate({**sizes, "kappa_of": "Cohen" if n_raters == 2 else "Fleiss", **found})


def _reason(name: str, table: AnswerTable) -> str:
    if name in ("alpha_masi", "alpha_jaccard"):
        return "a single query" if table.n_items == 1 else "no variation: all answers are the same"
    return "no variation: nothing was chosen" if not table.chosen.any() else "no variation: everything was chosen"


def _statistic(table: AnswerTable) -> Callable[[Floats], Floats]:
    """Return the function from weights of clusters, shape (rows, clusters), to values in the order of `FIGURES`."""
    sets, units = _set_sums(table), _unit_sums(table)
    apart_masi, apart_jaccard = expected(table)

    def values(weights: Floats) -> Floats:
        n_items, f1, overlap, exact, n_answers, masi_apart, jaccard_apart = (weights @ sets).T
        observed = weights @ units
        return np.stack(
            [
                _over(f1, n_items),
                _over(overlap, n_items),
                _over(exact, n_items),
                _alpha(masi_apart, quadratic(weights, apart_masi), n_answers, n_items),
                _alpha(jaccard_apart, quadratic(weights, apart_jaccard), n_answers, n_items),
                _kappa(observed, table.n_raters),
                _over(observed[:, 3], observed[:, 4]),
            ],
            axis=1,
        )

    return values


def _set_sums(table: AnswerTable) -> Floats:
    """Return by cluster: items, mean pairwise F1, Jaccard and exact match of each item, answers, MASI and Jaccard distances."""
    sizes, raters = table.sizes.astype(np.float64), table.raters_of
    sums = np.zeros((5, table.n_items))
    for first, second in table.pairs():
        both = (table.answered[first] & table.answered[second]).astype(np.float64)
        shared = table.count(table.chosen[first] & table.chosen[second]).astype(np.float64)
        total = sizes[first] + sizes[second]
        overlap = jaccard(shared, sizes[first], sizes[second])
        close = masi(shared, sizes[first], sizes[second])
        f1 = np.divide(2 * shared, total, out=np.ones_like(total), where=total > 0)
        sums += both * np.stack([f1, overlap, 2 * shared == total, 1 - close, 1 - overlap])
    means = sums[:3] / (ordered_pairs(raters) / 2)
    apart = 2 * sums[3:] / (raters - 1)
    return table.by_cluster([np.ones(table.n_items), *means, raters, *apart])


def _unit_sums(table: AnswerTable) -> Floats:
    """Return by cluster what kappa and positive agreement stand on.

    Columns: units; the agreement on each; the share of raters that chose it; chosen by a pair, and chosen, for the positive
    agreement; and, of two raters, chosen by the first.
    """
    raters = table.raters_of[table.item].astype(np.float64)
    chose = table.chosen.sum(axis=0).astype(np.float64)
    left = raters - chose
    columns: list[Floats] = [
        np.ones(table.n_places),
        (chose * (chose - 1) + left * (left - 1)) / (raters * (raters - 1)),
        chose / raters,
        chose * (chose - 1) / (raters - 1),
        chose,
        table.chosen[0].astype(np.float64),
    ]
    return table.by_cluster([np.bincount(table.item, weights=one, minlength=table.n_items) for one in columns])


def _kappa(sums: Floats, n_raters: int) -> Floats:
    """Return Cohen's kappa of two raters, Fleiss' of more; NaN where chance alone gives full agreement."""
    agreed, share = _over(sums[:, 1], sums[:, 0]), _over(sums[:, 2], sums[:, 0])
    first = _over(sums[:, 5], sums[:, 0]) if n_raters == 2 else share
    second = 2 * share - first
    chance = first * second + (1 - first) * (1 - second)
    return _over(agreed - chance, 1 - chance)


def _alpha(observed: Floats, between: Floats, n_answers: Floats, n_items: Floats) -> Floats:
    """Return Krippendorff's alpha; NaN for a single item, or without variation."""
    alpha = 1 - (n_answers - 1) * _over(observed, between)
    return np.where(n_items < 2, np.nan, alpha)


def _over(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > _SLACK))


def interval_note(n_clusters: Ints | int, resamples: int) -> str:
    """Return how intervals were made, or why there are none."""
    if not resamples:
        return "no intervals were asked for"
    if n_clusters < MIN_CLUSTERS:
        clusters = "1 cluster (chat)" if n_clusters == 1 else f"{n_clusters} clusters (chats)"
        return f"no intervals: {clusters}, and fewer than {MIN_CLUSTERS} give none that holds"
    return f"95 % intervals by a bootstrap over {n_clusters} clusters (chats), {resamples:,} resamples"
