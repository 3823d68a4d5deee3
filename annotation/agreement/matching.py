"""Which fragment of one annotator is which of another, where nobody gave them a common query: the assignment of most overlap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mldr.statistics import Floats, Ints


def assignment(gain: Floats) -> list[tuple[int, int]]:
    """Return the pairs (row, column) of a one-to-one assignment of the greatest total gain, by row.

    The Hungarian method by shortest augmenting paths (Jonker and Volgenant 1987), in rows times rows times columns steps. Every row
    is assigned, or every column where there are fewer columns.

    Args:
        gain: shape (rows, columns); finite.
    """
    if gain.shape[0] > gain.shape[1]:
        return sorted((row, column) for column, row in assignment(gain.T))
    n_rows, n_columns = gain.shape
    # Row and column 0 stand for "none"; prices keep cost - row_price - column_price at or above 0.
    cost = np.zeros((n_rows + 1, n_columns + 1))
    cost[1:, 1:] = -gain
    row_price, column_price = np.zeros(n_rows + 1), np.zeros(n_columns + 1)
    owner = np.zeros(n_columns + 1, dtype=np.int64)
    for row in range(1, n_rows + 1):
        owner[0] = row
        _augment(cost, row_price, column_price, owner)
    return sorted((int(owner[column]) - 1, column - 1) for column in range(1, n_columns + 1) if owner[column])


def _augment(cost: Floats, row_price: Floats, column_price: Floats, owner: Ints) -> None:
    """Give the row that waits at column 0 a column, moving others along the cheapest path; all arrays but the cost change."""
    n_columns = len(owner)
    nearest, came_from = np.full(n_columns, np.inf), np.zeros(n_columns, dtype=np.int64)
    visited = np.zeros(n_columns, dtype=np.bool_)
    column = 0
    while True:
        visited[column] = True
        row = owner[column]
        reduced = cost[row] - row_price[row] - column_price
        better = ~visited & (reduced < nearest)
        nearest[better], came_from[better] = reduced[better], column
        open_columns = np.where(visited, np.inf, nearest)
        following = int(open_columns.argmin())
        step = open_columns[following]
        row_price[owner[visited]] += step
        column_price[visited] -= step
        nearest[~visited] -= step
        column = following
        if owner[column] == 0:
            break
    while column:
        before = int(came_from[column])
        owner[column] = owner[before]
        column = before


def overlaps(first: Sequence[frozenset[int]], second: Sequence[frozenset[int]]) -> tuple[Ints, Ints, Ints]:
    """Return the sizes of the intersections, shape (first, second), and of the sets of either side."""
    codes = {i: code for code, i in enumerate(sorted(frozenset().union(*first, *second)))}
    members = [np.zeros((len(side), max(1, len(codes))), dtype=np.int64) for side in (first, second)]
    for rows, side in zip(members, (first, second), strict=True):
        for row, own in zip(rows, side, strict=True):
            row[[codes[i] for i in own]] = 1
    return members[0] @ members[1].T, members[0].sum(axis=1), members[1].sum(axis=1)


def matched(first: Sequence[frozenset[int]], second: Sequence[frozenset[int]]) -> list[tuple[int, int]]:
    """Return the pairs of positions that a matching of the least total Jaccard distance makes of sets that share something.

    Two empty sets are equal, so they may be paired too.
    """
    if not first or not second:
        return []
    shared, one, other = overlaps(first, second)
    union = one[:, None] + other[None, :] - shared
    similarity = np.divide(shared, union, out=np.ones(shared.shape), where=union > 0)
    return [(row, column) for row, column in assignment(similarity) if similarity[row, column] > 0]


def f1(first: frozenset[int], second: frozenset[int]) -> float:
    """Return the F1 of two sets, 1 where both are empty."""
    total = len(first) + len(second)
    return 2 * len(first & second) / total if total else 1.0


def matched_f1(first: Sequence[frozenset[int]], second: Sequence[frozenset[int]]) -> list[float]:
    """Return the F1 of each matched pair, and 0 for each set that was matched with none."""
    pairs = matched(first, second)
    return [f1(first[row], second[column]) for row, column in pairs] + [0.0] * (
        len(first) + len(second) - 2 * len(pairs)
    )
