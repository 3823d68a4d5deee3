"""Near-duplicate texts: MinHash signatures over character shingles find candidates, the shingles themselves decide."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mldr.builders.buckets import Buckets, Positions
from mldr.components import Joined

Shingles = npt.NDArray[np.uint64]
HASHES = 128
"""Values of a signature."""
SHINGLE = 5
"""Characters of a shingle."""
SHINGLE_CJK = 3
"""The same in texts that are mostly Chinese, Japanese or Korean: a character says more there."""
RECALL = 0.999
"""The chance that a pair exactly at the threshold becomes a candidate; more similar pairs have a better one."""
_MARGIN = 0.15
"""A signature's estimate lies nearer to the truth than this (four standard deviations at 0.8)."""
_CJK = ((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
_EMPTY = np.uint32(0xFFFFFFFF)
_draws = np.frombuffer(hashlib.shake_256(b"mldr minhash 1").digest(HASHES * 16), dtype="<u8").astype(np.uint64)
_FACTORS, _OFFSETS = _draws[:HASHES] | np.uint64(1), _draws[HASHES:]


def shingles(text: str) -> Shingles:
    """Return the distinct character shingles of a text as sorted 64-bit hashes, shape (shingles,).

    Width, case and white space make no difference. A text shorter than a shingle is one; an empty one has none.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    codes = np.frombuffer(plain.encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    if not len(codes):
        return codes
    is_cjk = np.any([(codes >= low) & (codes <= high) for low, high in _CJK], axis=0)
    size = min(SHINGLE_CJK if is_cjk.mean() > 0.5 else SHINGLE, len(codes))
    rolled = np.zeros(len(codes) - size + 1, dtype=np.uint64)
    for place in range(size):
        rolled = rolled * np.uint64(0x9E3779B97F4A7C15) + codes[place : place + len(rolled)]
    return np.unique(_mixed(rolled))


def signature(own: Shingles) -> npt.NDArray[np.uint32]:
    """Return the MinHash signature of a set of shingles, shape (HASHES,) (Broder 1997)."""
    if not len(own):
        return np.full(HASHES, _EMPTY, dtype=np.uint32)
    lowest = (own[:, None] * _FACTORS + _OFFSETS).min(axis=0)
    upper: npt.NDArray[np.uint32] = (lowest >> np.uint64(32)).astype(np.uint32)
    return upper


def jaccard(first: Shingles, second: Shingles) -> float:
    """Return the size of the intersection over that of the union; two empty sets share nothing."""
    common = len(np.intersect1d(first, second, assume_unique=True))
    union = len(first) + len(second) - common
    return common / union if union else 0.0


def near_texts(texts: Iterable[str], read: Callable[[int], str], threshold: float) -> Positions:
    """Return for each text the first of its group, shape (texts,): groups are the components of "at least so similar".

    Args:
        texts: every text once, in order; none is held.
        read: returns the text at a position again, to verify a candidate.
        threshold: the Jaccard similarity of the shingles from which two texts are near-duplicates, above 0. Under 0.5 the
            candidates become many.
    """
    rows = [signature(shingles(text)) for text in texts]
    signatures = np.stack(rows) if rows else np.zeros((0, HASHES), np.uint32)
    del rows
    filled = np.flatnonzero((signatures != _EMPTY).any(axis=1))
    groups = np.arange(len(signatures), dtype=np.int64)
    groups[filled] = filled[_joined(signatures[filled], lambda place: read(int(filled[place])), threshold).roots()]
    return groups


def _joined(signatures: npt.NDArray[np.uint32], read: Callable[[int], str], threshold: float) -> Joined:
    joined = Joined(len(signatures))
    near = lru_cache(maxsize=4096)(lambda place: shingles(read(place)))
    refused: set[tuple[int, int]] = set()

    def consider(first: Positions, second: Positions) -> None:
        likely = (signatures[first] == signatures[second]).mean(axis=1) >= threshold - _MARGIN
        for pair in zip(first[likely].tolist(), second[likely].tolist(), strict=True):
            if pair in refused or joined.root(pair[0]) == joined.root(pair[1]):
                continue
            if jaccard(near(pair[0]), near(pair[1])) >= threshold:
                joined.join(*pair)
            else:
                refused.add(pair)

    width = _rows_a_band(threshold)
    for start in range(0, HASHES - width + 1, width):
        buckets = Buckets(_band_keys(signatures[:, start : start + width]))
        consider(*buckets.adjacent())
        for first, second in buckets.pairs(joined):
            consider(first, second)
    return joined


def _rows_a_band(threshold: float) -> int:
    """Return the most values a band may have while pairs at the threshold are still found."""
    for rows in range(HASHES, 1, -1):
        if 1 - (1 - threshold**rows) ** (HASHES // rows) >= RECALL:
            return rows
    return 1


def _band_keys(band: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    keys = np.zeros(len(band), dtype=np.uint64)
    for column in band.T:
        keys = _mixed(keys ^ column.astype(np.uint64))
    return keys


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return 64-bit values with their bits spread (the finaliser of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
