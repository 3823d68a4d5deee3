"""The answers of several raters to the same items, as arrays: what every measure of agreement is worked out from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from mldr.statistics import Floats, Ints

Bools = npt.NDArray[np.bool_]
Answer = frozenset[int] | None
"""The ids that a rater chose; None where the rater did not answer."""


@dataclass(frozen=True, slots=True)
class Item:
    """One query, with what it may be answered with and what each rater chose."""

    cluster: str
    """What a bootstrap must not tear apart."""
    universe: frozenset[int]
    """Every id that may be chosen. An item without any is left out of every measure."""
    answers: tuple[Answer, ...]
    """Parallel to the raters; inside the universe."""


@dataclass(frozen=True, slots=True)
class AnswerTable:
    """The items that at least two raters answered, by cluster. A place is one id of one item's universe."""

    cluster: Ints
    """Of each item, 0-based and ascending."""
    n_clusters: int
    item: Ints
    """Of each place, ascending."""
    code: Ints
    """Of each place: its id, as a column 0 to n_codes - 1 that all items share."""
    n_codes: int
    chosen: Bools
    """Shape (raters, places)."""
    answered: Bools
    """Shape (raters, items)."""

    @property
    def n_items(self) -> int:
        """How many items there are."""
        return len(self.cluster)

    @property
    def n_raters(self) -> int:
        """How many raters there are, whether they answered anything or not."""
        return len(self.answered)

    @property
    def n_places(self) -> int:
        """How many messages (or images) were judged, one for each item that shows them."""
        return len(self.item)

    @property
    def raters_of(self) -> Ints:
        """How many raters answered each item, at least 2."""
        return np.asarray(self.answered.sum(axis=0), dtype=np.int64)

    @property
    def sizes(self) -> Ints:
        """How many ids each rater chose, shape (raters, items)."""
        return np.stack([self.count(row) for row in self.chosen]) if self.n_raters else np.zeros((0, 0), np.int64)

    def count(self, places: Bools) -> Ints:
        """Return how many of each item's places are true."""
        return np.bincount(self.item[places], minlength=self.n_items).astype(np.int64)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs of raters."""
        yield from combinations(range(self.n_raters), 2)

    def by_cluster(self, columns: Sequence[Floats | Ints]) -> Floats:
        """Return columns with a value an item, summed over each cluster: shape (clusters, columns)."""
        sums = np.zeros((self.n_clusters, len(columns)))
        for position, column in enumerate(columns):
            sums[:, position] = np.bincount(self.cluster, weights=column, minlength=self.n_clusters)
        return sums


def answer_table(items: Sequence[Item], n_raters: int) -> AnswerTable:
    """Return items as arrays. One that fewer than two raters answered says nothing of agreement and is left out, as alpha asks.

    Args:
        items: in any order; those of one cluster are put together.
        n_raters: how many answers each item has, None counted.

    Raises:
        ValueError: if an answer holds an id that is not in its item's universe.
    """
    kept = [item for item in items if item.universe and sum(answer is not None for answer in item.answers) >= 2]
    kept.sort(key=lambda item: item.cluster)
    names = {name: position for position, name in enumerate(sorted({item.cluster for item in kept}))}
    ids = [sorted(item.universe) for item in kept]
    codes, places = np.unique(np.array([i for own in ids for i in own], dtype=np.int64), return_inverse=True)
    n_places = len(places)
    chosen = np.zeros((n_raters, n_places), dtype=np.bool_)
    answered = np.zeros((n_raters, len(kept)), dtype=np.bool_)
    start = 0
    for position, (item, own) in enumerate(zip(kept, ids, strict=True)):
        at = {i: start + place for place, i in enumerate(own)}
        for rater, answer in enumerate(item.answers):
            if answer is None:
                continue
            if strangers := answer - item.universe:
                raise ValueError(f"{min(strangers)} is chosen and is not in the universe")
            answered[rater, position] = True
            chosen[rater, [at[i] for i in answer]] = True
        start += len(own)
    return AnswerTable(
        cluster=np.array([names[item.cluster] for item in kept], dtype=np.int64),
        n_clusters=len(names),
        item=np.repeat(np.arange(len(kept)), [len(own) for own in ids]).astype(np.int64),
        code=places.astype(np.int64),
        n_codes=len(codes),
        chosen=chosen,
        answered=answered,
    )
