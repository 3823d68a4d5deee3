"""Near-duplicate pictures: a 64-bit perceptual hash, and an exact search for hashes that differ in few bits."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt

from mldr.builders.buckets import Buckets, Positions
from mldr.components import Joined
from mldr.images import open_stored

SIDE = 32
"""Pixels of the grey thumbnail whose frequencies are hashed."""
CHUNKS = 4
"""Parts of a hash, of 16 bits each."""
_FLAT = 2.0
"""A thumbnail whose grey values deviate by less (of 255) shows nothing that could be recognised."""


def perceptual_hash(content: bytes) -> int | None:
    """Return 64 bits that stay nearly the same when a picture is scaled, recompressed or brightened.

    The signs of the 64 lowest frequencies of a grey thumbnail's cosine transform against their median (pHash, Zauner 2010),
    in whole numbers, so that they are the same on every machine. None for a plain surface: any two would look the same.

    Raises:
        ImageError: for bytes that are no picture that may be decoded.
    """
    from PIL import Image

    grey = open_stored(content).convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    pixels = np.asarray(grey, dtype=np.int64)
    if pixels.std() < _FLAT:
        return None
    cosines = _cosines()
    waves = cosines @ pixels @ cosines.T
    low = waves[:8, :8].ravel()
    low[0] = waves[0, 8]  # the mean brightness says nothing about what is seen
    bits = low > np.median(low)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


@cache
def _cosines() -> npt.NDArray[np.int64]:
    """Return the lowest nine rows of the cosine transform (DCT-II), times 1024, shape (9, SIDE)."""
    rows, places = np.arange(9)[:, None], np.arange(SIDE)[None, :]
    cosines: npt.NDArray[np.int64] = np.rint(1024 * np.cos(np.pi * rows * (2 * places + 1) / (2 * SIDE))).astype(
        np.int64
    )
    return cosines


def near_hashes(hashes: npt.NDArray[np.uint64], bits: int) -> Positions:
    """Return for each hash the first of its group, shape (hashes,): groups are the components of "at most so many bits".

    Exact (multi-index hashing, Norouzi et al. 2012): of four parts of two such hashes, one differs in a quarter of the bits
    at most, so for each part only the buckets that near are compared.

    Args:
        hashes: shape (hashes,).
        bits: 0 to 16. Above 12 pictures of a large set run together by chance.
    """
    distinct, first, back = np.unique(hashes, return_index=True, return_inverse=True)
    joined = Joined(len(distinct))
    for part in range(CHUNKS):
        buckets = Buckets(((distinct >> np.uint64(16 * part)) & np.uint64(0xFFFF)).astype(np.uint16))
        for flipped in _masks(bits // CHUNKS):
            for a, b in buckets.pairs(joined, flipped):
                close = _count_bits(distinct[a] ^ distinct[b]) <= bits
                for pair in zip(a[close].tolist(), b[close].tolist(), strict=True):
                    joined.join(*pair)
    roots = joined.roots()
    lowest = np.full(len(distinct), len(hashes), dtype=np.int64)
    np.minimum.at(lowest, roots, first)
    groups: Positions = lowest[roots][back]
    return groups


def _masks(radius: int) -> list[int]:
    """Return every 16-bit number with at most `radius` bits set, 0 first."""
    return [sum(1 << bit for bit in chosen) for count in range(radius + 1) for chosen in combinations(range(16), count)]


def _count_bits(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    counts: npt.NDArray[np.int64] = _bits_of_16()[values.view(np.uint16).reshape(-1, 4)].sum(axis=1, dtype=np.int64)
    return counts


@cache
def _bits_of_16() -> npt.NDArray[np.uint8]:
    return np.array([number.bit_count() for number in range(1 << 16)], dtype=np.uint8)
