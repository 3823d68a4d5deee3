"""The papers' matching, inside a split and a language: from each source to its nearest, and on from there to theirs."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import accumulate
from typing import overload

import numpy as np
import numpy.typing as npt

from mldr.builders.apart import Apart
from mldr.builders.duplicates import Marks
from mldr.builders.match import Match
from mldr.builders.neighbours import COARSE, COLUMNS, ROWS, Neighbours, nearest, on_grid, reranked
from mldr.builders.settings import MatchSettings
from mldr.builders.sourcevectors import SourceVectors
from mldr.builders.spool import SourceHead
from mldr.errors import Faults
from mldr.files import sha256_text

SINGLE_USE = ("validation", "test")
"""Splits in which each source is told once."""
_CELLS = 1 << 24
"""Candidates held at most when the lists of what is left over are made longer."""
Triples = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class MatchedPool:
    """The matches of one split and language, as positions."""

    split: str
    language: str
    ids: Sequence[str]
    """Position -> source id."""
    triples: Triples
    """Shape (matches, 3), in the order in which they are told."""
    near: npt.NDArray[np.int32]
    """Shape (matches, neighbours), nearest first; -1 where fewer are to be had."""


class Matches(Sequence[Match]):
    """Matches of many pools. 400,000 of them with eight neighbours take 18 MB; records are made when they are asked for."""

    def __init__(self, pools: Sequence[MatchedPool]) -> None:
        self._pools = pools
        self._starts = [0, *accumulate(len(pool.triples) for pool in pools)]

    def n_reordered(self) -> int:
        """Return how many matches tell the same three sources as an earlier one, in another order."""
        return sum(len(pool.triples) - len(np.unique(np.sort(pool.triples, axis=1), axis=0)) for pool in self._pools)

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, index: int) -> Match: ...
    @overload
    def __getitem__(self, index: slice) -> list[Match]: ...
    def __getitem__(self, index: int | slice) -> Match | list[Match]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        number = bisect_right(self._starts, index) - 1
        pool, row = self._pools[number], index - self._starts[number]
        told = tuple(pool.ids[position] for position in pool.triples[row])
        near = tuple(pool.ids[position] for position in pool.near[row] if position >= 0)
        return Match(pool.split, pool.language, told, near)


def match_nearest(
    heads: Mapping[str, SourceHead],
    split_of: Mapping[str, str],
    vectors: SourceVectors,
    marks: Marks,
    settings: MatchSettings,
    seed: int,
    dropped: Counter[str],
    *,
    single_use: Sequence[str] = SINGLE_USE,
    block: tuple[int, int] = (ROWS, COLUMNS),
) -> Matches:
    """Return the matches of nearest neighbours (AAAI; IJCV 4.1).

    Of the `candidates` nearest of A by the cosine of mean text embeddings, reranked, the `best` become B; of those of each B
    the `best` that may also stand beside A become C: up to best * best dialogues A, B, C for each A. No ordered
    triple comes twice, since each begins at another A or goes on to another B or C; the same three in another order are
    another dialogue, as in the papers (`Matches.n_reordered` counts them). In splits of `single_use` each source is told
    once: see `told_once`.

    Args:
        heads: source_id -> head.
        split_of: source_id -> split.
        vectors: a row for each source in `split_of`; further rows are passed over.
        marks: source_id -> what no two sources of a dialogue may share (`with_components`).
        settings: the numbers.
        seed: orders the sources, which settles ties.
        dropped: takes the count of sources that are told nowhere.
        single_use: splits in which each source is told once.
        block: rows and columns of a block of scores; changes memory and speed, never the matches.

    Raises:
        InputError: with each source without a vector, or with one that is not finite.
    """
    vectors.check()
    row_of = {source_id: row for row, source_id in enumerate(vectors.ids)}
    faults = Faults()
    pools: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source_id in sorted(split_of, key=lambda s: sha256_text(f"{seed}/match/{s}")):
        pools[split_of[source_id], heads[source_id].language].append(source_id)
        if source_id not in row_of:
            faults.add(f"source {source_id}", "has no embedding")
    faults.check()
    found = []
    for (split, language), ids in sorted(pools.items()):
        pool = _Pool(ids, [marks[s] for s in ids], np.array([row_of[s] for s in ids]), vectors, settings, block)
        neighbours = pool.neighbours()
        once = split in single_use
        triples = told_once(pool, neighbours) if once else chained(neighbours, pool.apart, settings.best)
        if left := len(ids) - len(np.unique(triples)):
            dropped["sources without two partners that may stand beside them"] += left
        near = near_each(triples, neighbours, pool.apart, settings.neighbours)
        found.append(MatchedPool(split, language, ids, triples, near))
    return Matches(found)


class _Pool:
    """The sources of one split and language."""

    def __init__(
        self,
        ids: Sequence[str],
        marks: Sequence[frozenset[str]],
        positions: npt.NDArray[np.int64],
        vectors: SourceVectors,
        settings: MatchSettings,
        block: tuple[int, int],
    ) -> None:
        self.ids, self._marks, self._positions = ids, marks, positions
        self._vectors, self.settings, self._block = vectors, settings, block
        self.apart = Apart(marks)

    def neighbours(self, candidates: int | None = None) -> Neighbours:
        """Return the reranked candidates of each source."""
        k = self.settings.candidates if candidates is None else candidates
        grid = on_grid(np.asarray(self._vectors.text[self._positions], dtype=np.float32), COARSE)
        found = nearest(grid, k, self.apart, rows=self._block[0], columns=self._block[1])
        del grid
        return reranked(found, self._vectors, self._positions, self.settings)

    def part(self, chosen: Sequence[int]) -> _Pool:
        """Return a pool of some of the sources, in their order."""
        ids, marks = [self.ids[i] for i in chosen], [self._marks[i] for i in chosen]
        return _Pool(ids, marks, self._positions[list(chosen)], self._vectors, self.settings, self._block)


def chained(neighbours: Neighbours, apart: Apart, best: int) -> Triples:
    """Return up to best * best triples A, B, C for each A, shape (triples, 3)."""
    indexes = neighbours.indexes
    found: list[tuple[int, int, int]] = []
    for a in range(len(indexes)):
        for b in indexes[a, :best].tolist():
            if b < 0:
                break
            found += [(a, b, c) for c in _free(indexes[b].tolist(), a, apart, best)]
    return np.array(found, dtype=np.int32).reshape(-1, 3)


def _free(candidates: Sequence[int], beside: int, apart: Apart, wanted: int) -> list[int]:
    chosen: list[int] = []
    for c in candidates:
        if len(chosen) == wanted or c < 0:
            break
        if apart.is_free(beside, c):
            chosen.append(c)
    return chosen


def told_once(pool: _Pool, neighbours: Neighbours) -> Triples:
    """Return triples in which no source comes twice, shape (triples, 3), greedily.

    The next triple is the one, of all A, B among A's candidates and C among B's, with the largest sum of both scores; ties
    go to the smaller A. When no list holds a free source any more, the sources that are left are searched again among
    themselves, with longer lists where even that finds none.
    """
    left = list(range(len(pool.ids)))
    triples: list[tuple[int, int, int]] = []
    k = pool.settings.candidates
    while True:
        found = _greedy(neighbours, pool.apart)
        triples += [(left[a], left[b], left[c]) for a, b, c in found]
        used = {position for triple in found for position in triple}
        rest = [position for position in range(len(left)) if position not in used]
        is_whole = not found and bool((neighbours.indexes[:, -1:] < 0).all() or k >= len(left) - 1)
        if len(rest) < 3 or is_whole or (not found and 2 * k * len(rest) > _CELLS):
            return np.array(triples, dtype=np.int32).reshape(-1, 3)
        k = k if found else 2 * k
        left = [left[position] for position in rest]
        pool = pool.part(rest)
        neighbours = pool.neighbours(k)


def _greedy(neighbours: Neighbours, apart: Apart) -> list[tuple[int, int, int]]:
    used = np.zeros(len(neighbours.indexes), dtype=np.bool_).tolist()
    tops = neighbours.scores[:, 0].tolist() if neighbours.scores.shape[1] else []
    queue = []
    for a in range(len(tops)):
        if (entry := _best_of(a, neighbours, apart, used, tops)) is not None:
            queue.append(entry)
    heapify(queue)
    found = []
    while queue:
        _, a, b, c = heappop(queue)
        if used[a]:
            continue
        if used[b] or used[c]:  # what is left is worth no more than that was: it queues again
            if (entry := _best_of(a, neighbours, apart, used, tops)) is not None:
                heappush(queue, entry)
            continue
        found.append((a, b, c))
        used[a] = used[b] = used[c] = True
    return found


def _best_of(
    a: int, neighbours: Neighbours, apart: Apart, used: list[bool], tops: list[float]
) -> tuple[float, int, int, int] | None:
    """Return (minus the sum of scores, A, B, C) of the best triple that begins at A, of sources not used."""
    best, chosen = -np.inf, None
    for b, near in zip(neighbours.indexes[a].tolist(), neighbours.scores[a].tolist(), strict=True):
        if b < 0:
            break
        if used[b] or near + tops[b] <= best:
            continue
        for c, score in zip(neighbours.indexes[b].tolist(), neighbours.scores[b].tolist(), strict=True):
            if c < 0 or near + score <= best:
                break
            if not used[c] and apart.is_free(a, c):
                best, chosen = near + score, (b, c)
                break
    return None if chosen is None else (-best, a, *chosen)


def near_each(triples: Triples, neighbours: Neighbours, apart: Apart, wanted: int) -> npt.NDArray[np.int32]:
    """Return the sources nearest to any of the three that may stand beside all three, shape (triples, wanted)."""
    near = np.full((len(triples), wanted), -1, dtype=np.int32)
    if not neighbours.indexes.shape[1]:
        return near
    for start in range(0, len(triples) if wanted else 0, ROWS):
        told = triples[start : start + ROWS]
        indexes = neighbours.indexes[told].reshape(len(told), -1)
        scores = neighbours.scores[told].reshape(len(told), -1)
        ordered = np.take_along_axis(indexes, np.lexsort((indexes, -scores), axis=1), axis=1)
        for row, candidates in enumerate(ordered.tolist()):
            chosen = _beside(candidates, told[row].tolist(), apart, wanted)
            near[start + row, : len(chosen)] = chosen
    return near


def _beside(candidates: Sequence[int], told: Sequence[int], apart: Apart, wanted: int) -> list[int]:
    taken = frozenset().union(*(apart.of[position] for position in told))
    chosen: list[int] = []
    for candidate in candidates:
        if len(chosen) == wanted or candidate < 0:
            break
        if candidate not in told and candidate not in chosen and apart.of[candidate].isdisjoint(taken):
            chosen.append(candidate)
    return chosen
