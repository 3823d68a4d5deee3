"""Uncertainty over clusters, from sums alone: bootstrap intervals, a paired permutation test, Holm's correction, power.

What is resampled or swapped is always a whole cluster (an original chat, a group of sources), because queries of one
cluster depend on one another. A statistic is a function of summed columns, so a resample costs one row of a matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Statistic = Callable[[Floats], Floats]
"""Sums of shape (rows, columns) -> values of shape (rows, measures); NaN where a measure has no value."""

RESAMPLES = 1_000
PERMUTATIONS = 10_000
MIN_CLUSTERS = 10
"""Below so many clusters no interval is given: it would cover far less than it claims."""
FEW_CLUSTERS = 50
"""Below so many, intervals are widened."""
_BLOCK_CELLS = 4_000_000
"""Weights held at once, so that memory does not grow with resamples times clusters."""

_MANY_CLUSTERS = 5_000

Z_95 = NormalDist().inv_cdf(0.975)
Z_80 = NormalDist().inv_cdf(0.8)


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Resampled values and the intervals that they give."""

    low: Floats
    """Of each measure, NaN where no interval is given."""
    high: Floats
    error: Floats
    """Standard errors: standard deviations over the resamples."""
    widened: Floats
    """Of each measure: the factor by which its interval was widened, 1.0 for none; NaN where none is given."""


def group_sums(columns: Sequence[Floats], group: Ints, n_groups: int) -> Floats:
    """Return the sums of some columns, one array each, over the rows of each group, shape (groups, columns).

    Args:
        columns: arrays of shape (rows,).
        group: the group of each row, 0-based.
        n_groups: how many there are.
    """
    sums = np.zeros((n_groups, len(columns)))
    if len(group) and (group[1:] >= group[:-1]).all():  # rows of a group stand together: no need to look them up
        starts = np.concatenate([[0], np.flatnonzero(group[1:] != group[:-1]) + 1])
        present = group[starts]
        for position, column in enumerate(columns):
            sums[present, position] = np.add.reduceat(column, starts)
        return sums
    for position, column in enumerate(columns):
        sums[:, position] = np.bincount(group, weights=column, minlength=n_groups)
    return sums


def resampled_sums(sums: Floats, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield blocks of summed columns, a row a resample of the clusters with replacement."""
    n_clusters = len(sums)
    draw = np.random.default_rng(seed)
    block = max(1, min(resamples, _BLOCK_CELLS // max(1, n_clusters)))
    # Over many clusters single precision is enough: its error, about 1e-6, is far below the width of an interval.
    kind: type[np.float64] | type[np.float32] = np.float32 if n_clusters > _MANY_CLUSTERS else np.float64
    totals: npt.NDArray[Any] = sums.astype(kind)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        picks = draw.integers(0, n_clusters, size=(rows, n_clusters))
        picks += np.arange(rows)[:, None] * n_clusters
        weights = np.bincount(picks.ravel(), minlength=rows * n_clusters).reshape(rows, n_clusters)
        scaled: npt.NDArray[Any] = weights.astype(kind)
        yield np.asarray(scaled @ totals, dtype=np.float64)


def bootstrap(
    sums: Floats, statistic: Statistic, resamples: int = RESAMPLES, seed: int = 0, clusters: Ints | None = None
) -> Bootstrap:
    """Return 95 % percentile intervals by a bootstrap over clusters.

    Below `FEW_CLUSTERS` an interval is widened around its value by t(G-1) sqrt(G/(G-1)) / 1.96, because a percentile
    bootstrap over few clusters covers too little (Cameron, Gelbach and Miller 2008 on few clusters; the factor is that of
    Hesterberg 2015); below `MIN_CLUSTERS` none is given.

    Args:
        sums: shape (clusters, columns).
        statistic: sums -> measures.
        resamples: how many.
        seed: of the draws.
        clusters: of each measure, how many clusters it stands on, where that is fewer than all (a slice).
    """
    value = statistic(sums.sum(axis=0, keepdims=True))[0]
    standing = np.full(len(value), len(sums)) if clusters is None else clusters
    enough = standing >= MIN_CLUSTERS
    factor = np.array([widening(int(count)) if count >= MIN_CLUSTERS else np.nan for count in standing])
    if not enough.any() or not resamples:
        none = np.full(len(value), np.nan)
        return Bootstrap(none, none.copy(), none.copy(), factor)
    values = np.concatenate([statistic(block) for block in resampled_sums(sums, resamples, seed)])
    low, high = _quantiles(values, 0.025), _quantiles(values, 0.975)
    return Bootstrap(
        low=value - factor * (value - low),
        high=value + factor * (high - value),
        error=np.where(enough, _deviations(values), np.nan),
        widened=factor,
    )


def widening(n_clusters: int) -> float:
    """Return the factor by which an interval over so many clusters is widened."""
    if n_clusters >= FEW_CLUSTERS:
        return 1.0
    return float(t_quantile(n_clusters - 1) * np.sqrt(n_clusters / (n_clusters - 1)) / Z_95)


def t_quantile(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t, by the Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5).

    Good to 0.001 from 9 degrees of freedom on.
    """
    z, n = Z_95, float(freedom)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / n ** (power + 1) for power, term in enumerate(terms)))


def _quantiles(values: Floats, share: float) -> Floats:
    """Return a quantile of each column over its values, NaN where a column has none."""
    empty: npt.NDArray[np.bool_] = np.all(np.isnan(values), axis=0)
    filled = np.where(empty, 0.0, values)
    return np.where(empty, np.nan, np.nanquantile(filled, share, axis=0))


def _deviations(values: Floats) -> Floats:
    empty = np.isnan(values).sum(axis=0) > len(values) - 2
    filled = np.where(empty, 0.0, values)
    return np.where(empty, np.nan, np.nanstd(filled, axis=0, ddof=1))


@dataclass(frozen=True, slots=True)
class Permutation:
    """The result of a paired permutation test."""

    p: Floats
    """Two-sided, of each measure; NaN where it has no value."""
    smallest_p: float
    """The smallest that so many clusters and permutations can give."""
    exact: bool
    """Whether every permutation was tried."""


def permutation_test(
    first: Floats, second: Floats, statistic: Statistic, permutations: int = PERMUTATIONS, seed: int = 0
) -> Permutation:
    """Test whether two systems differ, by swapping their answers to whole clusters.

    Args:
        first: summed columns of one system, shape (clusters, columns).
        second: the same of the other, on the same queries.
        statistic: sums -> measures.
        permutations: how many are drawn where not all can be tried.
        seed: of the draws.
    """
    n_clusters = len(first)
    total, half = (first + second).sum(axis=0, keepdims=True) / 2, (first - second) / 2
    observed = _difference(statistic, total, half.sum(axis=0, keepdims=True))[0]
    exact = n_clusters <= 20 and 2**n_clusters <= permutations
    tried, extreme = 0, np.zeros(len(observed))
    for signs in _signs(n_clusters, permutations, seed, exact):
        swapped = _difference(statistic, total, signs @ half)
        # A tie up to rounding counts as extreme; without the slack the observed order itself could be missed.
        extreme += (np.abs(swapped) >= np.abs(observed) - 1e-12).sum(axis=0)
        tried += len(signs)
    p = extreme / tried if exact else (extreme + 1) / (tried + 1)
    fewest = 2.0 ** (1 - n_clusters)  # two orders of all: as they are, and all swapped
    smallest = fewest if exact else max(fewest, 1 / (permutations + 1))
    smallest = min(smallest, 1.0)
    # Draws may miss the two orders that are as extreme as can be; no p is announced that could not be reached.
    return Permutation(np.where(np.isnan(observed), np.nan, np.maximum(p, smallest)), float(smallest), exact)


def _difference(statistic: Statistic, total: Floats, half: Floats) -> Floats:
    return statistic(total + half) - statistic(total - half)


def _signs(n_clusters: int, permutations: int, seed: int, exact: bool) -> Iterator[Floats]:
    if exact:
        codes = np.arange(2**n_clusters)[:, None] >> np.arange(n_clusters)[None, :]
        yield np.where(codes & 1, -1.0, 1.0)
        return
    draw = np.random.default_rng(seed)
    block = max(1, min(permutations, _BLOCK_CELLS // max(1, n_clusters)))
    for start in range(0, permutations, block):
        rows = min(block, permutations - start)
        yield draw.integers(0, 2, size=(rows, n_clusters)).astype(np.float64) * 2 - 1


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for so many tests (Holm 1979), in the order given; NaN is no test and stays."""
    order = sorted((p, position) for position, p in enumerate(p_values) if not np.isnan(p))
    corrected = list(p_values)
    largest = 0.0
    for rank, (p, position) in enumerate(order):
        largest = max(largest, min(1.0, p * (len(order) - rank)))
        corrected[position] = largest
    return corrected


def smallest_difference(error: float) -> float:
    """Return the difference that a two-sided test at 5 % would find with a power of 80 %, given its standard error."""
    return (Z_95 + Z_80) * error
