"""Rectangles in a picture, in whole pixels: what was found, grown, and laid over with a fill."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

GRID = 8
"""Pixels: a fill ends where a block of JPEG (4:4:4) does, so that no block holds both a filled pixel and one that was left."""


class Box(NamedTuple):
    """A rectangle; right and bottom are outside it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """Return how many pixels it has, 0 for an empty one."""
        return max(0, self.right - self.left) * max(0, self.bottom - self.top)

    def common(self, other: Box) -> Box:
        """Return the part that two share; its area is 0 where there is none."""
        low = max(self.left, other.left), max(self.top, other.top)
        return Box(*low, min(self.right, other.right), min(self.bottom, other.bottom))

    def same_thing(self, other: Box) -> bool:
        """Return whether two findings are of one thing: they share half of the smaller one."""
        return 2 * self.common(other).area > min(self.area, other.area)


def box_around(points: Iterable[tuple[float, float]], width: int, height: int) -> Box:
    """Return the box around points, inside a picture; it may be empty.

    Args:
        points: (x, y) in pixels, at least one.
        width: of the picture.
        height: of the picture.

    Raises:
        ValueError: for points that are no numbers: a detector that says so cannot be trusted.
    """
    xs, ys = zip(*points, strict=True)
    if not all(map(math.isfinite, (*xs, *ys))):
        raise ValueError("a detector gave a place that is no number")
    return Box(
        max(0, math.floor(min(xs))),
        max(0, math.floor(min(ys))),
        min(width, math.ceil(max(xs))),
        min(height, math.ceil(max(ys))),
    )


def grown(box: Box, margin: float, width: int, height: int) -> Box:
    """Return a box with a margin (a share of its longer side, on each side), laid on the grid, inside a picture."""
    more = margin * max(box.right - box.left, box.bottom - box.top)
    low = [max(0, math.floor((side - more) / GRID) * GRID) for side in (box.left, box.top)]
    high = [math.ceil((side + more) / GRID) * GRID for side in (box.right, box.bottom)]
    return Box(low[0], low[1], min(width, high[0]), min(height, high[1]))


def distinct(boxes: Iterable[Box]) -> list[Box]:
    """Return one box for each thing that was found several times (at several scales, in several turns): the one around all."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: (-box.area, box)):
        same = next((place for place, other in enumerate(kept) if box.same_thing(other)), None)
        if same is None:
            kept.append(box)
        else:
            other = kept[same]
            low = min(box.left, other.left), min(box.top, other.top)
            kept[same] = Box(*low, max(box.right, other.right), max(box.bottom, other.bottom))
    return sorted(kept)
