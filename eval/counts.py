"""The one table that every measure derives from: per query and modality, true and false positives and negatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mldr.eval.goldset import Asked
from mldr.eval.outcomes import FAILURES, OUTCOMES, Judged

Modality = Literal["utt", "img"]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of one modality, one entry a query.

    A failure counts as an empty answer here; `failed` marks it, for measures that average over queries.
    """

    tp: Ints
    fp: Ints
    """Ids outside the dialogue included."""
    fn: Ints
    tn: Ints
    universe: Ints
    """The dialogue's utterances with text, or its images."""
    failed: Bools

    def of(self, rows: Bools | Ints) -> Counts:
        """Return the counts of some queries: a mask, or positions."""
        return Counts(
            self.tp[rows], self.fp[rows], self.fn[rows], self.tn[rows], self.universe[rows], self.failed[rows]
        )


@dataclass(frozen=True, slots=True)
class CountTable:
    """The counts of both modalities and the outcome of each query, in the order of the gold set."""

    utt: Counts
    img: Counts
    outcome: Ints
    """Position in `OUTCOMES`."""

    def __getitem__(self, modality: Modality) -> Counts:
        return self.utt if modality == "utt" else self.img

    @property
    def n_queries(self) -> int:
        """The number of queries."""
        return len(self.outcome)

    @property
    def valid(self) -> Bools:
        """Which queries did not end in a failure."""
        return ~self.utt.failed

    def of(self, rows: Bools | Ints) -> CountTable:
        """Return the table of some queries."""
        return CountTable(self.utt.of(rows), self.img.of(rows), self.outcome[rows])


def count(asked: Iterable[Asked], judged: Sequence[Judged]) -> CountTable:
    """Return the count table of a gold set and what became of its queries, parallel to one another."""
    rows = list(asked)
    failed = np.array([judgement.outcome in FAILURES for judgement in judged], dtype=bool)
    utterances = [
        _count(judgement.utterance_ids, query.gold_utterances, query.n_utterances, query.utterance_universe)
        for query, judgement in zip(rows, judged, strict=True)
    ]
    images = [
        _count(judgement.image_ids, query.gold_images, query.n_images, query.n_images)
        for query, judgement in zip(rows, judged, strict=True)
    ]
    outcome = np.array([OUTCOMES.index(judgement.outcome) for judgement in judged], dtype=np.int64)
    return CountTable(_counts(utterances, failed), _counts(images, failed), outcome)


def _count(
    predicted: tuple[int, ...], gold: frozenset[int], size: int, universe: int
) -> tuple[int, int, int, int, int]:
    """Return tp, fp, fn, tn and the universe; `size` bounds the ids that exist, `universe` counts those that can be gold."""
    tp = sum(identifier in gold for identifier in predicted)
    inside = sum(0 <= identifier < size for identifier in predicted)
    fn = len(gold) - tp
    return tp, len(predicted) - tp, fn, universe - inside - fn, universe


def _counts(rows: list[tuple[int, int, int, int, int]], failed: Bools) -> Counts:
    columns = np.array(rows, dtype=np.int64).reshape(len(rows), 5).T
    return Counts(columns[0], columns[1], columns[2], columns[3], columns[4], failed)
