"""How far two sets lie apart, by Jaccard and by MASI, for arrays of sizes; and summed over all pairs of a table's answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mldr.annotation.agreement.answers import AnswerTable
from mldr.statistics import Floats, Ints

_BLOCK = 256
"""Answers compared with all others at a time, so that memory grows with their number and not with its square."""


def jaccard(
    shared: npt.NDArray[np.floating], first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]
) -> Floats:
    """Return Jaccard's similarity, 1 where both sets are empty.

    Args:
        shared: sizes of the intersections.
        first: sizes of the first sets; shapes broadcast.
        second: of the second sets.
    """
    union = first + second - shared
    return np.asarray(np.divide(shared, union, out=np.ones_like(union), where=union > 0))


def masi(shared: npt.NDArray[np.floating], first: npt.NDArray[np.floating], second: npt.NDArray[np.floating]) -> Floats:
    """Return the MASI similarity: Jaccard's, times 1 for equal sets, 2/3 where one holds the other, 1/3 where they overlap.

    Passonneau 2006, "Measuring agreement on set-valued items (MASI)". Two empty sets are equal, so their similarity is 1.
    """
    held = shared == np.minimum(first, second)
    weight = np.where(held, np.where(first == second, 1.0, 2 / 3), 1 / 3)  # without overlap Jaccard's is 0 already
    return np.asarray(weight * jaccard(shared, first, second))


def expected(table: AnswerTable) -> tuple[Floats, Floats]:
    """Return the MASI and the Jaccard distances between all answers, summed by the clusters of both: shape (clusters, clusters).

    Each ordered pair counts once, an answer against itself (0 apart) too, so that weights of clusters give the sum of a resample.
    """
    rater, item = np.nonzero(table.answered)
    order = np.argsort(item, kind="stable")
    rater, item = rater[order], item[order]
    n_answers = len(item)
    sizes = table.sizes[rater, item].astype(np.float32)
    row_of = np.full(table.answered.shape, -1, dtype=np.int64)
    row_of[rater, item] = np.arange(n_answers)
    members = np.zeros((n_answers, table.n_codes), dtype=np.float32)
    who, place = np.nonzero(table.chosen)
    members[row_of[who, table.item[place]], table.code[place]] = 1.0
    cluster = table.cluster[item]
    starts = np.flatnonzero(np.diff(cluster, prepend=-1))
    sums = np.zeros((2, table.n_clusters, table.n_clusters))
    for start in range(0, n_answers, _BLOCK):
        rows = slice(start, start + _BLOCK)
        shared = members[rows] @ members.T
        for position, similarity in enumerate((masi, jaccard)):
            apart = 1.0 - similarity(shared, sizes[rows, None], sizes[None, :])
            across = np.add.reduceat(apart.astype(np.float64), starts, axis=1)
            np.add.at(sums[position], cluster[rows], across)
    return sums[0], sums[1]


def quadratic(weights: Floats, between: Floats) -> Floats:
    """Return w D w' of each row of weights: a sum over pairs of clusters in which each counts as often as it was drawn."""
    return np.asarray(((weights @ between) * weights).sum(axis=1))


def ordered_pairs(raters: Ints) -> Floats:
    """Return how many ordered pairs of answers items with so many raters have."""
    return np.asarray(raters * (raters - 1), dtype=np.float64)
