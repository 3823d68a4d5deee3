"""The F1 reward, on the very F1 that the evaluation computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mldr.eval.counts import Counts, per_query
from mldr.eval.ragged import Bools, Floats, Ints
from mldr.retrievers.f2rvlm.rewards.target import Named, Target, named, same_length

F1Form = Literal["weighted", "paper"]

LENGTH_DECAY = 0.95
"""What an id too many or too few costs, as a factor (IJCV 6.1.1)."""


def f1_reward(answers: Sequence[str], targets: Sequence[Target], *, form: F1Form = "weighted") -> Floats:
    """Return the F1 reward of each answer, in [0, 1].

    With P and G the sets of ids that answer and gold name in a modality m (utterances, images):

        v_m = F1(P, G) * 0.95 ** abs(|P| - |G|)        F1 = 2 |P ∩ G| / (|P| + |G|); 1 where both are empty
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
    same_length(answers=answers, targets=targets)
    utterances, images = modality_counts(answers, targets)
    weights = (0.5, 0.5) if form == "paper" else shares(utterances, images)
    return weights[0] * _decayed(utterances) + weights[1] * _decayed(images)


def modality_counts(answers: Sequence[str], targets: Sequence[Target]) -> tuple[Counts, Counts]:
    """Return the evaluation's counts of utterances and of images, one entry a completion.

    The universe is not needed for F1, so every modality counts as one that there is something to retrieve from.
    """
    # Sets of Python integers: an answer may name an id of thousands of digits, which no array holds.
    sizes = np.array([_sizes(one, target) for one, target in zip(named(answers, targets), targets, strict=True)])
    columns = sizes.astype(np.int64).reshape(-1, 7).T
    return _counted(columns[:3], columns[6]), _counted(columns[3:6], columns[6])


def shares(utterances: Counts, images: Counts) -> tuple[Floats, Floats]:
    """Return the weights of the two modalities: 0.5 each, 1 where the other is empty on both sides and this one is not."""
    idle_utterances, idle_images = _idle(utterances), _idle(images)
    of_utterances = np.where(idle_images, 1.0, np.where(idle_utterances, 0.0, 0.5))
    return of_utterances, 1.0 - of_utterances


def _sizes(read: Named | None, gold: Target) -> tuple[int, ...]:
    """Return shared, named and gold ids of both modalities, and whether the answer failed; a failure names none."""
    if read is None:
        return 0, 0, len(gold.utterance_ids), 0, 0, len(gold.image_ids), 1
    utterances, images = read.utterance_ids, read.image_ids
    return (
        len(utterances & gold.utterance_ids),
        len(utterances),
        len(gold.utterance_ids),
        len(images & gold.image_ids),
        len(images),
        len(gold.image_ids),
        0,
    )


def _counted(sizes: Ints, failed: Ints) -> Counts:
    shared, given, gold = sizes
    nothing = np.zeros_like(shared)
    return Counts(shared, given - shared, gold - shared, nothing, universe=nothing + 1, failed=failed > 0)


def _decayed(counts: Counts) -> Floats:
    decay: Floats = np.power(LENGTH_DECAY, np.abs(counts.fp - counts.fn))  # |P| - |G| is fp - fn
    return per_query(counts, "f1") * decay


def _idle(counts: Counts) -> Bools:
    return np.asarray(counts.tp + counts.fp + counts.fn == 0)
