"""Lists of ids of a million queries as two flat arrays, and the few operations that scoring needs on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.signedinteger[Any]]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)  # no slots: owners are worked out once
class Ragged:
    """Lists one after another: list k is `values[offsets[k]:offsets[k + 1]]`."""

    values: Ints
    """32 bits: an id is a position, and millions of them are held at once."""
    offsets: Ints
    """One more than there are lists; starts at 0."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, position: int) -> Ints:
        return self.values[self.offsets[position] : self.offsets[position + 1]]

    @cached_property
    def lengths(self) -> Ints:
        """The length of each list."""
        return np.diff(self.offsets)

    @cached_property
    def owners(self) -> Ints:
        """The list that each value belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.lengths)

    def positions_of(self, lists: Ints) -> Ints:
        """Return the positions of the values of some lists, in the order of `lists`."""
        lengths = self.lengths[lists]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        kind: type[np.int32] | type[np.int64] = np.int32 if max(total, len(self.values)) < 2**31 else np.int64
        # Value k of list i stands at its offset plus k; what is subtracted is how many values came before the list.
        shift = (self.offsets[:-1][lists] - (ends - lengths)).astype(kind)
        positions: Ints = np.arange(total, dtype=kind)
        positions += np.repeat(shift, lengths)
        return positions

    def take(self, lists: Ints) -> Ragged:
        """Return some lists, in the order given; -1 stands for an empty one."""
        absent = lists < 0
        lengths = np.where(absent, 0, self.lengths[np.where(absent, 0, lists)]) if len(self) else np.zeros_like(lists)
        kept = lists[~absent]
        values = self.values
        if len(values) and not (len(kept) == len(self) and np.array_equal(kept, np.arange(len(self)))):
            values = values[self.positions_of(kept)]
        return Ragged(values, offsets_of(lengths))

    def repeats(self) -> Bools:
        """Return for each value but the first whether it equals the one before it in its list."""
        return self._within(self.values[1:] == self.values[:-1])

    def ascending(self) -> Ragged:
        """Return the lists with their values in ascending order."""
        if not self._within(self.values[1:] < self.values[:-1]).any():
            return self
        order = np.lexsort((self.values, self.owners))
        return Ragged(self.values[order], self.offsets)

    def _within(self, compared: Bools) -> Bools:
        """Return comparisons of neighbours without those of values of different lists."""
        borders = self.offsets[1:-1]
        compared[borders[(borders > 0) & (borders < len(self.values))] - 1] = False
        return compared

    @classmethod
    def of(cls, lists: Iterable[Sequence[int]]) -> Ragged:
        """Return Python lists as one."""
        kept = list(lists)
        values = np.fromiter((value for one in kept for value in one), dtype=np.int32)
        return cls(values, offsets_of(np.array([len(one) for one in kept], dtype=np.int64)))

    @classmethod
    def from_arrow(cls, column: pa.ChunkedArray | pa.Array) -> Ragged:
        """Return an Arrow column of lists of integers; null lists are empty.

        Raises:
            ValueError: if a list holds a null.
        """
        array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if pa.types.is_null(array.type):
            return cls(np.zeros(0, dtype=np.int32), np.zeros(len(array) + 1, dtype=np.int64))
        flat = array.flatten()  # leaves out what lies under null lists
        if flat.null_count:
            raise ValueError("a list holds a null")
        lengths = array.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        return cls(as_ints(flat).astype(np.int32, copy=False), offsets_of(lengths))


def as_ints(array: Any) -> Ints:
    """Return an Arrow array of integers without nulls, of whatever width, without a copy where that is possible."""
    return np.asarray(array.to_numpy(zero_copy_only=False))


def offsets_of(lengths: Ints) -> Ints:
    """Return the offsets of lists of these lengths."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
