"""Which sources of a pool may not be told in one dialogue, by position: those that share a mark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

_NONE: frozenset[int] = frozenset()
_SMALL = 64
"""Members of a group whose pairs are written out; of larger groups whole rectangles are masked."""


class Apart:
    """The shared marks of a pool; marks that only one of its sources has are forgotten.

    Args:
        marks: the marks of each source, in the order of the pool.
    """

    def __init__(self, marks: Sequence[Iterable[str]]) -> None:
        holders: dict[str, list[int]] = defaultdict(list)
        for position, own in enumerate(marks):
            for mark in own:
                holders[mark].append(position)
        groups = sorted({tuple(found) for found in holders.values() if len(found) > 1})
        numbers: dict[int, list[int]] = defaultdict(list)
        for number, group in enumerate(groups):
            for position in group:
                numbers[position].append(number)
        self.of: list[frozenset[int]] = [
            frozenset(numbers[position]) if position in numbers else _NONE for position in range(len(marks))
        ]
        self._groups = [np.array(group, dtype=np.int64) for group in groups]

    def is_free(self, first: int, second: int) -> bool:
        """Say whether two positions differ and share no mark."""
        return first != second and self.of[first].isdisjoint(self.of[second])

    def mask(self, start: int, end: int) -> RowMask:
        """Return what the rows `start` to `end` of a matrix of pairs may not choose."""
        touched = sorted({number for own in self.of[start:end] for number in own})
        small = [self._groups[n] for n in touched if len(self._groups[n]) <= _SMALL]
        large = [self._groups[n] for n in touched if len(self._groups[n]) > _SMALL]
        return RowMask(start, end, small, large)


class RowMask:
    """The pairs that a block of rows may not choose."""

    def __init__(
        self, start: int, end: int, small: Sequence[npt.NDArray[np.int64]], large: Sequence[npt.NDArray[np.int64]]
    ) -> None:
        itself = np.arange(start, end)
        rows, columns = [itself - start], [itself]
        for group in small:
            own = group[np.searchsorted(group, start) : np.searchsorted(group, end)] - start
            rows.append(np.repeat(own, len(group)))
            columns.append(np.tile(group, len(own)))
        row, column = np.concatenate(rows), np.concatenate(columns)
        order = np.argsort(column, kind="stable")
        self._row, self._column = row[order], column[order]
        self._large = [
            (group[np.searchsorted(group, start) : np.searchsorted(group, end)] - start, group) for group in large
        ]

    def apply(self, scores: npt.NDArray[np.float32], first: int, value: float) -> None:
        """Write `value` where a pair may not be chosen into a block of scores whose first column is `first`."""
        last = first + scores.shape[1]
        span = slice(*np.searchsorted(self._column, [first, last]))
        scores[self._row[span], self._column[span] - first] = value
        for rows, group in self._large:
            columns = group[np.searchsorted(group, first) : np.searchsorted(group, last)] - first
            scores[np.ix_(rows, columns)] = value
