"""The F1 reward, on the very F1 that the evaluation computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mldr.eval.counts import Counts, per_query
from mldr.eval.ragged import Bools
from mldr.retrievers.f2rvlm.rewards.target import Floats, Named, Target, named

F1Form = Literal["weighted", "paper"]

LENGTH_DECAY = 0.95
"""What an id too many or too few costs, as a factor (IJCV 6.1.1)."""


def f1_reward(answers: Sequence[str], targets: Sequence[Target], *, form: F1Form = "weighted") -> Floats:
    """Return the F1 reward of each answer, in [0, 1].

    With P and G the sets of ids that answer and gold name in a modality m (utterances, images):

        v_m = F1(P, G) * 0.95 ** abs(|P| - |G|)        F1 = 2 |P & G| / (|P| + |G|); 1 where both are empty
        reward = w_utt * v_utt + w_img * v_img

    `paper` (AAAI eq. 2; the constants are in IJCV 6.1.1): both weights are 0.5. So a modality that is empty on both sides
    pays 0.5 whatever the other one says: a wholly wrong list of utterances earns half of the reward on every query
    without gold images, and so does an empty answer.

    `weighted`, ours: the weight 0.5 is paid only where there is something to compare. A modality that is empty on both sides
    hands its weight to the other one (w = 1 and 0); where both modalities are empty on both sides, the right answer to a
    negative query, the reward is 1. A modality that is empty on one side only keeps its 0.5 and is worth 0. So an answer
    with nothing right in it earns 0, and only the exact sets earn 1.

    Ids are sets: a repeated id counts once (the format reward minds it), utterances without text are ignored, and an id
    outside the dialogue is a false positive. An answer that cannot be parsed earns 0, beside an empty gold too.

    Args:
        answers: raw texts, one a completion.
        targets: the gold of each completion's query.
        form: how the two modalities are weighed.

    Raises:
        ValueError: if there are not as many targets as answers, or for an unknown form.
    """
    if form not in ("weighted", "paper"):
        raise ValueError(f"form is {form!r}; it is 'weighted' or 'paper'")
    read = named(answers, targets)
    utterances, images = modality_counts(read, targets)
    weights = (0.5, 0.5) if form == "paper" else shares(utterances, images)
    return weights[0] * _decayed(utterances) + weights[1] * _decayed(images)


def modality_counts(read: Sequence[Named | None], targets: Sequence[Target]) -> tuple[Counts, Counts]:
    """Return the evaluation's counts of utterances and of images, one entry a completion.

    The universe is not needed for F1, so every modality counts as one that there is something to retrieve from.
    """
    failed = np.fromiter((one is None for one in read), dtype=np.bool_, count=len(read))
    pairs = list(zip(read, targets, strict=True))
    utterances = [(one.utterance_ids, target.utterance_ids) for one, target in _answered(pairs)]
    images = [(one.image_ids, target.image_ids) for one, target in _answered(pairs)]
    return _counted(utterances, failed), _counted(images, failed)


def shares(utterances: Counts, images: Counts) -> tuple[Floats, Floats]:
    """Return the weights of the two modalities: 0.5 each, 1 where the other is empty on both sides and this one is not."""
    idle_utterances, idle_images = _idle(utterances), _idle(images)
    of_utterances = np.where(idle_images, 1.0, np.where(idle_utterances, 0.0, 0.5))
    return of_utterances, 1.0 - of_utterances


def _answered(pairs: Sequence[tuple[Named | None, Target]]) -> list[tuple[Named, Target]]:
    empty = Named(frozenset(), frozenset())
    return [(empty if one is None else one, target) for one, target in pairs]


def _counted(pairs: Sequence[tuple[frozenset[int], frozenset[int]]], failed: Bools) -> Counts:
    # Sets of Python integers: an answer may name an id of thousands of digits, which no array holds.
    rows = np.array([(len(p & g), len(p), len(g)) for p, g in pairs], dtype=np.int64).reshape(-1, 3)
    tp, fp, fn = rows[:, 0], rows[:, 1] - rows[:, 0], rows[:, 2] - rows[:, 0]
    return Counts(tp, fp, fn, tn=np.zeros_like(tp), universe=np.ones_like(tp), failed=failed)


def _decayed(counts: Counts) -> Floats:
    decay: Floats = np.power(LENGTH_DECAY, np.abs(counts.fp - counts.fn))  # |P| - |G| is fp - fn
    return per_query(counts, "f1") * decay


def _idle(counts: Counts) -> Bools:
    return np.asarray(counts.tp + counts.fp + counts.fn == 0)
