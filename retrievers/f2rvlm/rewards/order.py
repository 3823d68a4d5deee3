"""The order consistency reward: how coherent the retrieved elements are, read in dialogue order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mldr.embed import Vectors, unit_rows
from mldr.errors import MldrError
from mldr.eval.ragged import Floats, Ints
from mldr.retrievers.f2rvlm.rewards.target import Named, Target, named, same_length
from mldr.retrievers.f2rvlm.vectors import DialogueVectors

OrderOver = Literal["relevant", "all"]

SHORT = 0.5
"""What fewer than two elements earn (AAAI eq. 3): there is no order to judge."""
BLOCK = 1024
"""Completions whose vectors are gathered at once."""


def order_reward(
    answers: Sequence[str],
    targets: Sequence[Target],
    vectors: Sequence[DialogueVectors],
    *,
    over: OrderOver = "relevant",
) -> Floats:
    """Return the fragment order consistency of each answer.

    The elements e_1 ... e_n of an answer are the retrieved utterances (their text) and the retrieved images, in dialogue order,
    an utterance's text before its images; the retrieved images of one utterance are one element, the mean of their unit vectors.

        reward = 1                                    where answer and gold are both empty
               = 0                                    where exactly one of them is, or the answer cannot be parsed
               = 0.5                                  where n = 1
               = mean over i < n of cos(e_i, e_i+1)   otherwise                                          (AAAI eq. 3)

    for answers of text alone and of images alone too. Ids outside the dialogue are no elements; an answer that has no element
    left earns 0.

    `all`, the papers' form: every retrieved element counts, so a coherent wrong fragment is paid as well as a right one; in
    [-1, 1]. `relevant`, ours: only elements that are gold count, and a mean below 0 is 0, so a wrong fragment earns nothing,
    a right one never less than an unreadable one, and all rewards share the range [0, 1]. How many elements are missing or
    wrong is for the F1 reward.

    Args:
        answers: raw texts, one a completion.
        targets: the gold of each completion's query.
        vectors: of each completion's dialogue; the same object for the completions of one dialogue is quickest.
        over: which elements count.

    Raises:
        ValueError: if the columns are not parallel, or for an unknown `over`.
        MldrError: if a gold element has no vector, or vectors of two embedders are mixed.
    """
    if over not in ("relevant", "all"):
        raise ValueError(f"over is {over!r}; it is 'relevant' or 'all'")
    same_length(answers=answers, targets=targets, vectors=vectors)
    blocks = [slice(start, start + BLOCK) for start in range(0, len(answers), BLOCK)]
    return np.concatenate([np.zeros(0), *(_rewards(answers[b], targets[b], vectors[b], over) for b in blocks)])


def _rewards(
    answers: Sequence[str], targets: Sequence[Target], vectors: Sequence[DialogueVectors], over: OrderOver
) -> Floats:
    bank = _Bank(vectors)
    rewards = np.zeros(len(answers))
    for owner, (answer, target, own) in enumerate(zip(named(answers, targets), targets, vectors, strict=True)):
        bank.check(target, own)
        if answer is None:
            continue
        answer = bank.with_text(answer, own)
        if answer.is_empty or target.is_negative:
            rewards[owner] = float(answer.is_empty and target.is_negative)
            continue
        utterances, images = answer.utterance_ids, answer.image_ids
        if over == "relevant":
            utterances, images = utterances & target.utterance_ids, images & target.image_ids
        bank.add(owner, utterances, images, own)
    owners, elements = bank.elements()
    count = np.bincount(owners, minlength=len(answers))
    rewards[count == 1] = SHORT
    neighbours = owners[1:] == owners[:-1]
    cosines = np.einsum("ij,ij->i", elements[1:], elements[:-1])[neighbours]
    means = np.bincount(owners[1:][neighbours], weights=cosines, minlength=len(answers)) / np.maximum(count - 1, 1)
    means = np.clip(means, 0.0 if over == "relevant" else -1.0, 1.0)  # 1 + 1e-7 is rounding
    return np.where(count > 1, means, rewards)


class _Bank:
    """The vectors of the dialogues of a block in one array, and the elements that were taken from it."""

    def __init__(self, vectors: Sequence[DialogueVectors]) -> None:
        distinct = {id(own): own for own in vectors}
        self._text = {key: own.with_text for key, own in distinct.items()}
        filled = {key: own for key, own in distinct.items() if self._text[key] or own.n_images}  # the rest has no width
        widths = {own.dimensions for own in filled.values()}
        if len(widths) > 1:
            raise MldrError(f"vectors of {sorted(widths)} dimensions are not of one space; build one table for all")
        parts = [part for own in filled.values() for part in (own.utterances, own.images)]
        self._rows: Vectors = np.concatenate(parts) if parts else np.zeros((0, 1), dtype=np.float32)
        self._start = dict.fromkeys(distinct, 0)
        total = 0
        for key, own in filled.items():
            self._start[key] = total
            total += own.n_utterances + own.n_images
        self._taken: list[tuple[int, int, int]] = []

    def check(self, target: Target, own: DialogueVectors) -> None:
        """Refuse gold that has no vector: it would lower the reward in silence."""
        absent = sorted(target.utterance_ids - self._text[id(own)])
        outside = sorted(i for i in target.image_ids if not 0 <= i < own.n_images)
        if absent or outside:
            what = f"utterances {absent}" if absent else f"images {outside}"
            raise MldrError(f"gold {what} have no vector; the table was built from another dialogue")

    def with_text(self, answer: Named, own: DialogueVectors) -> Named:
        """Leave out the utterances without text, as the evaluation does; ids outside the dialogue stay named."""
        textless = own.n_utterances - len(self._text[id(own)])
        if not textless:
            return answer
        kept = (i for i in answer.utterance_ids if not 0 <= i < own.n_utterances or i in self._text[id(own)])
        return Named(frozenset(kept), answer.image_ids)

    def add(self, owner: int, utterances: frozenset[int], images: frozenset[int], own: DialogueVectors) -> None:
        """Take the elements of one answer that the dialogue has."""
        start = self._start[id(own)]
        slots = [(2 * i, start + i) for i in utterances & self._text[id(own)]]
        n_images, first = own.n_images, start + own.n_utterances
        slots += [(2 * int(own.carriers[i]) + 1, first + i) for i in images if 0 <= i < n_images]
        self._taken += [(owner, slot, row) for slot, row in sorted(slots)]

    def elements(self) -> tuple[Ints, Vectors]:
        """Return owner and unit vector of each element, by owner and in dialogue order."""
        taken = np.array(self._taken, dtype=np.int64).reshape(-1, 3)
        if not len(taken):
            return taken[:, 0], self._rows[:0]
        owners, slots, rows = taken.T
        starts = np.flatnonzero(np.r_[True, (np.diff(owners) != 0) | (np.diff(slots) != 0)])
        elements = self._rows[rows[starts]]
        sizes = np.diff(np.r_[starts, len(rows)])
        for several in np.flatnonzero(sizes > 1):  # images of one utterance; few
            own = rows[starts[several] : starts[several] + sizes[several]]
            elements[several] = unit_rows(self._rows[own].mean(axis=0, keepdims=True))[0]
        return owners[starts], elements
