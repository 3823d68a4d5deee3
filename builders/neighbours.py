"""Exact nearest neighbours by cosine, in blocks of matrix products, and their reranking by text and picture together.

Vectors are rounded to a grid of whole numbers on which float arithmetic makes no rounding error. So equal pairs score equal,
and the answer is the same for any block size, number of threads or BLAS; ties go to the smaller position.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mldr.builders.apart import Apart
from mldr.builders.settings import MatchSettings
from mldr.builders.sourcevectors import SourceVectors
from mldr.embed import Vectors

COARSE = 2.0**12
"""Length of a vector on the grid of the search: sums of products stay below 2**24, so float32 holds them exactly."""
FINE = 2.0**23
"""Length on the grid of the reranking: coordinates fit float32, sums of products stay below 2**46, in float64."""
ROWS, COLUMNS = 1024, 8192
"""Size of a block of scores: 32 MB."""
_APART = -(2.0**25)
"""Below every score of a pair that may be chosen."""
_PLACES = 2**32


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest of each source, nearest first."""

    indexes: npt.NDArray[np.int32]
    """Shape (sources, k), positions in the pool; -1 where fewer are to be had."""
    scores: npt.NDArray[np.float64]
    """Shape (sources, k); -inf beside -1."""


def on_grid(vectors: Vectors, length: float) -> Vectors:
    """Return rows scaled to `length` and rounded to whole numbers; a zero row stays zero.

    Scaled a little shorter in truth, so that rounding makes no row longer than `length`.
    """
    room = np.floor(length - np.sqrt(vectors.shape[1]) / 2)
    grid = np.empty(vectors.shape, dtype=np.float32)
    for start in range(0, len(vectors), COLUMNS):
        rows = np.asarray(vectors[start : start + COLUMNS], dtype=np.float64)
        rows = rows / np.maximum(np.abs(rows).max(axis=1, keepdims=True, initial=0), np.finfo(np.float64).tiny)
        norms = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
        grid[start : start + COLUMNS] = np.rint(rows * (room / np.where(norms > 0, norms, 1)))
    return grid


def nearest(grid: Vectors, k: int, apart: Apart, *, rows: int = ROWS, columns: int = COLUMNS) -> npt.NDArray[np.int32]:
    """Return the k positions with the largest dot products among those that may be told with each, nearest first.

    Exact: every pair is scored, `rows` x `columns` at a time; only a running list of k for the rows at hand is kept.

    Args:
        grid: of `on_grid(vectors, COARSE)`, shape (sources, dimensions).
        k: how many; -1 fills up where there are fewer.
        apart: which pairs may not be chosen.
        rows: of a block of scores.
        columns: of a block of scores.

    Returns:
        Shape (sources, min(k, sources - 1)).
    """
    n = len(grid)
    k = max(0, min(k, n - 1))
    found = np.empty((n, k), dtype=np.int32)
    if not k:
        return found
    block = np.empty((rows, columns), dtype=np.float32)
    for start in range(0, n, rows):
        end = min(start + rows, n)
        mask = apart.mask(start, end)
        best = np.full((end - start, k), _key(_APART, 0), dtype=np.int64)
        for first, last in _spans(n, k, columns):
            scores = block.reshape(-1)[: (end - start) * (last - first)].reshape(end - start, last - first)
            np.matmul(grid[start:end], grid[first:last].T, out=scores)
            mask.apply(scores, first, _APART)
            best = _merged(best, scores, first)
        best.sort(axis=1)
        found[start:end] = _positions(best[:, ::-1])
    return found


def _spans(n: int, k: int, columns: int) -> list[tuple[int, int]]:
    """Return spans of columns that grow from a few k: the first ones raise the bar before the many have to pass it."""
    spans, first, width = [], 0, min(4 * k, columns)
    while first < n:
        spans.append((first, min(first + width, n)))
        first, width = first + width, min(4 * width, columns)
    return spans


def _key(score: float, position: int) -> int:
    """Return a whole number that sorts by score, then by position backwards: the order of choice, without ties."""
    return int(score) * _PLACES + (_PLACES - 1 - position)


def _positions(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    positions = _PLACES - 1 - keys % _PLACES
    return np.where(keys // _PLACES > _APART, positions, -1).astype(np.int32)


def _merged(best: npt.NDArray[np.int64], scores: npt.NDArray[np.float32], first: int) -> npt.NDArray[np.int64]:
    """Return the k largest keys of each row, of those so far and a block of scores; in no order."""
    k = best.shape[1]
    floor = (best.min(axis=1) // _PLACES).astype(np.float32)
    hits = np.flatnonzero(scores > floor[:, None])  # of ties the one at the larger position loses
    if not len(hits):
        return best
    row, column = np.divmod(hits, scores.shape[1])
    counts = np.bincount(row, minlength=len(best))
    place = np.arange(len(hits)) - np.repeat(np.cumsum(counts) - counts, counts)
    both = np.full((len(best), k + int(counts.max())), _key(_APART, 0), dtype=np.int64)
    both[:, :k] = best
    both[row, k + place] = scores.reshape(-1)[hits].astype(np.int64) * _PLACES + (_PLACES - 1 - first - column)
    both.partition(both.shape[1] - k, axis=1)
    return both[:, -k:]


def reranked(
    found: npt.NDArray[np.int32], vectors: SourceVectors, positions: npt.NDArray[np.int64], settings: MatchSettings
) -> Neighbours:
    """Return candidates in the order of text_weight * text cosine + image_weight * image cosine (AAAI; IJCV 4.1).

    The weights are divided by their sum. Where either source has no picture vector, the text cosine is the score.

    Args:
        found: candidates of `nearest`.
        vectors: of all sources.
        positions: pool position -> row of `vectors`, shape (sources of the pool,).
        settings: the weights.
    """
    scores = _cosines(found, on_grid(_rows(vectors.text, positions), FINE))
    total = settings.text_weight + settings.image_weight
    if vectors.image is not None and settings.image_weight > 0:
        has = np.ones(len(vectors.ids), np.bool_) if vectors.has_image is None else vectors.has_image
        has = has[positions]
        pictures = np.where(has[:, None], _rows(vectors.image, positions), np.float32(0))
        both = has[:, None] & has[found]
        mixed = settings.text_weight * scores + settings.image_weight * _cosines(found, on_grid(pictures, FINE))
        scores = np.where(both, mixed / total, scores)
    scores[found < 0] = -np.inf
    order = np.lexsort((found, -scores), axis=1)
    return Neighbours(np.take_along_axis(found, order, 1), np.take_along_axis(scores, order, 1))


def _rows(vectors: Vectors, positions: npt.NDArray[np.int64]) -> Vectors:
    return np.asarray(vectors[positions], dtype=np.float32)


def _cosines(found: npt.NDArray[np.int32], grid: Vectors, rows: int = 128) -> npt.NDArray[np.float64]:
    """Return the cosine of each row with each of its candidates, exactly as far as the grid goes."""
    length = FINE - np.sqrt(grid.shape[1]) / 2
    scores = np.empty(found.shape, dtype=np.float64)
    for start in range(0, len(found), rows):
        own = grid[start : start + rows].astype(np.float64)
        others = grid[found[start : start + rows]].astype(np.float64)
        scores[start : start + rows] = np.matmul(others, own[:, :, None])[:, :, 0] / length**2
    return scores
