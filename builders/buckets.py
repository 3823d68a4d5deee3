"""Pairs of positions whose keys agree, in pieces of bounded size: the join behind both searches for near-duplicates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from mldr.components import Joined

Positions = npt.NDArray[np.int64]
PIECE = 1 << 19
"""Pairs looked at together: a few tens of megabytes."""


class Buckets:
    """Positions by key.

    Args:
        keys: the key of each position, shape (n,), any unsigned integers.
    """

    def __init__(self, keys: npt.NDArray[np.unsignedinteger]) -> None:
        self._order: Positions = np.argsort(keys, kind="stable").astype(np.int64)
        self._keys = keys[self._order]

    def adjacent(self) -> tuple[Positions, Positions]:
        """Return each position with the next of its bucket: as many pairs as positions at most."""
        same = np.flatnonzero(self._keys[1:] == self._keys[:-1])
        return self._order[same], self._order[same + 1]

    def pairs(self, joined: Joined, flipped: int = 0, piece: int = PIECE) -> Iterator[tuple[Positions, Positions]]:
        """Yield the pairs of positions, smaller first, whose keys differ in exactly the bits of `flipped`.

        Positions of one component are not paired, as far as `joined` knows when a piece is made.
        """
        wanted = self._keys ^ self._keys.dtype.type(flipped)
        start = np.searchsorted(self._keys, wanted, "left")
        length = np.searchsorted(self._keys, wanted, "right") - start
        if not flipped:
            length[self._settled(joined)] = 0
        ends = np.cumsum(length)
        n_pairs = int(ends[-1]) if len(ends) else 0
        for first in range(0, n_pairs, piece):
            number = np.arange(first, min(first + piece, n_pairs))
            row = np.searchsorted(ends, number, "right")
            column = start[row] + number - (ends[row] - length[row])
            a, b = self._order[row], self._order[column]
            roots = joined.roots()
            open_ = (a < b) & (roots[a] != roots[b])
            if open_.any():
                yield a[open_], b[open_]

    def _settled(self, joined: Joined) -> npt.NDArray[np.bool_]:
        """Return which positions, in sorted order, lie in a bucket that is one component already."""
        roots = joined.roots()[self._order]
        begins = np.flatnonzero(np.concatenate([[True], self._keys[1:] != self._keys[:-1]]))
        if not len(self._keys):
            return np.zeros(0, dtype=np.bool_)
        low, high = np.minimum.reduceat(roots, begins), np.maximum.reduceat(roots, begins)
        sizes = np.diff(np.append(begins, len(self._keys)))
        settled: npt.NDArray[np.bool_] = np.repeat(low == high, sizes)
        return settled
