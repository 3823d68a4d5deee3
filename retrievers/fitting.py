"""What tuning on validation maximises: the same F1 that scores are made of, over whole answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mldr.eval.counts import Counts, per_query
from mldr.eval.ragged import Floats, Ints
from mldr.retrievers.protocol import DialogueView, Gold

Ids = tuple[int, ...]
Kept = tuple[Collection[int], frozenset[int], int]
"""The ids of an answer, the gold ids, and how many ids there are."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to one query of validation, and the truth."""

    utterance_ids: Ids
    image_ids: Ids
    gold: Gold
    view: DialogueView


def query_f1(rows: Sequence[Kept]) -> Floats:
    """Return the F1 of each query, NaN where nothing could be answered, by the one definition of F1."""
    counted = np.zeros((len(rows), 4), dtype=np.int64)
    for number, (kept, gold, universe) in enumerate(rows):
        ids = set(kept)
        tp = len(ids & gold)
        counted[number] = tp, len(ids) - tp, len(gold) - tp, max(universe, len(ids | gold)) if universe else 0
    hits, wrong, missed, sizes = counted.T
    return f1_of(hits, wrong, missed, sizes)


def f1_of(tp: Ints, fp: Ints, fn: Ints, universe: Ints) -> Floats:
    """Return the F1 of each query from its counts, of queries that did not fail."""
    return per_query(Counts(tp, fp, fn, universe - tp - fp - fn, universe, np.zeros(len(tp), dtype=bool)), "f1")


def joint_macro(answers: Iterable[Answered]) -> float:
    """Return the mean of the two modalities' macro F1, that of one where the other has no universe anywhere; 0 of no answers."""
    kept = list(answers)
    utterances = query_f1([(one.utterance_ids, one.gold.utterance_ids, len(texts(one.view))) for one in kept])
    images = query_f1([(one.image_ids, one.gold.image_ids, len(one.view.images)) for one in kept])
    means = [float(np.nanmean(values)) for values in (utterances, images) if not np.isnan(values).all()]
    return float(np.mean(means)) if means else 0.0


def texts(view: DialogueView) -> Ids:
    """Return the ids of the utterances that have text: the others are never an answer."""
    return tuple(i for i, utterance in enumerate(view.utterances) if utterance.text)


def run_of_utterances(view: DialogueView, positions: Iterable[int]) -> tuple[Ids, Ids]:
    """Return the utterances with text among `positions`, and the images that all of them carry."""
    chosen = sorted(set(positions))
    utterances = tuple(i for i in chosen if view.utterances[i].text)
    return utterances, tuple(image for i in chosen for image in view.utterances[i].image_ids)
