"""What became of each query: exactly one outcome, the first that applies, and the ids that are scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from mldr.eval.goldset import GoldSet, Universe
from mldr.eval.intake import PredictionTable
from mldr.eval.prediction import CLAIMABLE
from mldr.eval.ragged import Bools, Floats, Ints, Ragged, offsets_of

Outcome = Literal["missing", "api_error", "refused", "parse_error", "out_of_range", "empty", "ok"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
FAILURES: frozenset[Outcome] = frozenset(("missing", "api_error", "refused", "parse_error"))
"""A failure is never paid: it scores 0 wherever there is something to retrieve from."""

_CLAIMED = np.array([OUTCOMES.index(name) for name in ("missing", *CLAIMABLE)], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers of one modality, one list a query of the gold set."""

    ids: Ragged
    """As scored: each once, ascending, utterances without text left out; failures have none."""
    inside: Bools
    """Of each id: whether the dialogue has it."""
    right: Bools
    """Of each id: whether it is gold."""
    scores: Floats | None
    """Parallel to the ids, NaN where a row carries none; of a repeated id, the first."""
    repeated: Ints
    """A query: ids that were given again."""
    textless: Ints
    """A query: ids of utterances without text, which are ignored."""

    @property
    def outside(self) -> Ints:
        """A query: ids that its dialogue does not have, each a false positive."""
        return np.bincount(self.ids.owners[~self.inside], minlength=len(self.ids)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of every query of a gold set."""

    outcome: Ints
    """Of each query: a position in `OUTCOMES`."""
    utt: Answered
    img: Answered
    latency: Floats
    """Seconds, NaN where unknown."""

    @property
    def failed(self) -> Bools:
        """Which queries ended in a failure."""
        return np.isin(self.outcome, [OUTCOMES.index(outcome) for outcome in sorted(FAILURES)])

    def name(self, position: int) -> Outcome:
        """Return the outcome of one query."""
        return OUTCOMES[int(self.outcome[position])]


def judge(table: PredictionTable, gold: GoldSet) -> Judged:
    """Return what became of each query.

    Args:
        table: the predictions, read against the queries of `gold`.
        gold: the queries.
    """
    row = np.full(len(gold), -1, dtype=np.int64)
    row[table.query] = np.arange(len(table))
    answered = row >= 0
    claimed = np.where(answered, table.claimed[row] if len(table) else 0, 0)
    outcome = _CLAIMED[claimed]  # 'missing' where nothing is claimed, for now
    valid = answered & (claimed == 0)
    rows = np.where(valid, row, -1)
    utt = _answered(table.utterances, table.utterance_scores, rows, gold.utt)
    img = _answered(table.images, table.image_scores, rows, gold.img)
    some = (utt.ids.lengths + img.ids.lengths) > 0
    outside = (utt.outside + img.outside) > 0
    named = [OUTCOMES.index(name) for name in ("out_of_range", "ok", "empty")]
    outcome[valid] = np.where(outside, named[0], np.where(some, named[1], named[2]))[valid]
    latency = np.full(len(gold), np.nan)
    latency[table.query] = table.latency
    return Judged(outcome, utt, img, latency)


def _answered(given: Ragged, scores: Floats | None, rows: Ints, universe: Universe) -> Answered:
    taken = given.take(rows)
    owners, values = taken.owners, taken.values
    marks = None if scores is None else scores[given.positions_of(rows[rows >= 0])]
    inside = (values >= 0) & (values < universe.size[owners])
    textless = np.zeros(len(rows), dtype=np.int64)
    if universe.textless is not None:
        silent = np.zeros(len(values), dtype=np.bool_)
        silent[inside] = universe.textless[universe.start[owners[inside]] + values[inside]]
        textless = np.bincount(owners[silent], minlength=len(rows)).astype(np.int64)
        owners, values, inside = owners[~silent], values[~silent], inside[~silent]
        marks = None if marks is None else marks[~silent]
    order = _distinct(owners, values)
    repeated = np.zeros(len(rows), dtype=np.int64)
    if order is not None:
        repeated = np.bincount(owners, minlength=len(rows)) - np.bincount(owners[order], minlength=len(rows))
        owners, values, inside = owners[order], values[order], inside[order]
        marks = None if marks is None else marks[order]
    right = np.zeros(len(values), dtype=np.bool_)
    right[inside] = universe.gold[universe.start[owners[inside]] + values[inside]]
    ids = Ragged(values, offsets_of(np.bincount(owners, minlength=len(rows)).astype(np.int64)))
    return Answered(ids, inside, right, marks, repeated, textless)


def _distinct(owners: Ints, values: Ints) -> Ints | None:
    """Return the positions of each owner's distinct values, ascending, first mentions; None where all are so already."""
    same = owners[1:] == owners[:-1]
    if (values[1:] > values[:-1])[same].all():
        return None
    order = np.lexsort((values, owners))  # stable: of equals, the first given stays first
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = (values[order][1:] != values[order][:-1]) | (owners[order][1:] != owners[order][:-1])
    return order[fresh]
