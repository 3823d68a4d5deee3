"""QR codes and other machine-readable codes in a picture, by zxing-cpp (Apache-2.0): a scan leads to a person or a parcel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mldr.annotation.privacy.boxes import Box, box_around
from mldr.annotation.privacy.faces import Pixels

MARGIN = 0.12
"""Of the longer side, on each side: the quiet zone of a code, and its outermost row where the corners are off by a little."""
ENLARGED = 4_000_000
"""A picture of up to this many pixels is searched at twice its size, too, for codes of little more than a pixel a square."""
TURNS = (0.0, 30.0, 60.0)
"""Degrees: bar codes are read within some 20 degrees of upright; QR codes in any turn."""


def find_codes(pixels: Pixels) -> list[Box]:
    """Return a box around every code, those that cannot be read included; one may be found several times."""
    import cv2

    height, width = pixels.shape[:2]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    found = []
    scales = (1, 2) if width * height <= ENLARGED else (1,)
    for scale in scales:
        for degrees in TURNS if scale == 1 else TURNS[:1]:
            there, back = _moves(width, height, scale, degrees)
            size = _size(width, height, scale, degrees)
            copy = cv2.warpAffine(grey, there[:2], size, flags=cv2.INTER_CUBIC, borderValue=255)
            for points in _positions(copy if degrees or scale > 1 else grey):
                flat = np.column_stack([points, np.ones(len(points))]) @ back.T
                found.append(box_around([(x, y) for x, y, _ in flat.tolist()], width, height))
    return [box for box in found if box.area]


def _positions(grey: Any) -> list[list[tuple[int, int]]]:
    """Return the four corners of each code."""
    import zxingcpp

    found = []
    for code in zxingcpp.read_barcodes(grey, return_errors=True):
        place = code.position
        corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
        found.append([(corner.x, corner.y) for corner in corners])
    return found


def _size(width: int, height: int, scale: int, degrees: float) -> tuple[int, int]:
    """Return the size of the smallest picture that holds another, turned and enlarged."""
    cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    return (
        math.ceil(scale * (width * cosine + height * sine)),
        math.ceil(scale * (width * sine + height * cosine)),
    )


def _moves(width: int, height: int, scale: int, degrees: float) -> tuple[Any, Any]:
    """Return the affine map, 3 x 3, of a picture's points to those of its turned and enlarged copy, and the map back."""
    cosine, sine = (scale * part(math.radians(degrees)) for part in (math.cos, math.sin))
    size = _size(width, height, scale, degrees)
    x, y = (size[0] - cosine * width + sine * height) / 2, (size[1] - sine * width - cosine * height) / 2
    there = np.array([[cosine, -sine, x], [sine, cosine, y], [0, 0, 1]], dtype=np.float64)
    return there, np.linalg.inv(there)
