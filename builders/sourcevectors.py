"""The vectors of the sources, as embedding makes them and matching takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mldr.embed import Vectors
from mldr.errors import Faults

_ROWS = 8192
"""Rows that are looked at at once."""


@dataclass(frozen=True, slots=True)
class SourceVectors:
    """The mean embeddings of sources, row by row; rows may lie on disk, so that memory does not grow with them.

    Matching takes rows of any length that are finite; a zero row is like nothing.
    """

    ids: Sequence[str]
    """Row -> source id."""
    text: Vectors
    """Shape (sources, dimensions)."""
    image: Vectors | None = None
    """Shape (sources, dimensions of pictures); None: there are none."""
    has_image: npt.NDArray[np.bool_] | None = None
    """Which rows of `image` count, shape (sources,); None: all."""

    def check(self) -> None:
        """Check shapes and values.

        Raises:
            InputError: with each source whose vector is not finite, and each array that does not fit the ids.
        """
        faults = Faults()
        place = "embeddings of the sources"
        if len(set(self.ids)) != len(self.ids):
            faults.add(place, "a source has two rows; each has one")
        for name, rows in (("text", self.text), ("image", self.image)):
            if rows is None:
                continue
            if rows.ndim != 2 or len(rows) != len(self.ids):
                faults.add(place, f"{name} has shape {rows.shape}; a row for each of {len(self.ids):,} ids is expected")
                continue
            counted = self.has_image if name == "image" else None
            for start in range(0, len(rows), _ROWS):
                bad = ~np.isfinite(rows[start : start + _ROWS]).all(axis=1)
                if counted is not None and counted.shape == (len(rows),):
                    bad &= counted[start : start + _ROWS]
                for row in np.flatnonzero(bad).tolist():
                    faults.add(f"source {self.ids[start + row]}", f"its {name} embedding holds NaN or infinity")
        if self.has_image is not None and self.has_image.shape != (len(self.ids),):
            faults.add(place, f"has_image has shape {self.has_image.shape}; ({len(self.ids)},) is expected")
        faults.check()
