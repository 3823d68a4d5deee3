"""Systems that do not read: what any score must be held against."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from mldr.eval.prediction import Prediction
from mldr.markup import Sees
from mldr.retrievers.fitting import Answered, joint_macro, run_of_utterances, texts
from mldr.retrievers.options import check_known, check_numbers, check_whole
from mldr.retrievers.protocol import Ask, DialogueView, Example


class All:
    """Returns the whole dialogue: F1 = 2p / (1 + p), p being the share of gold."""

    sees: tuple[Sees, ...] = ("text",)

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield every utterance with text and every image, for each query."""
        for ask in asks:
            yield Prediction(ask.query_id, texts(view), tuple(range(len(view.images))))


class Nothing:
    """Returns nothing: right on negatives only."""

    sees: tuple[Sees, ...] = ("text",)

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield an empty answer for each query."""
        for ask in asks:
            yield Prediction(ask.query_id, (), ())


class Random:
    """Returns each utterance and image with a fixed chance, drawn from the seed and the query id."""

    sees: tuple[Sees, ...] = ("text",)

    def __init__(self, chance: float = 0.5, seed: int = 0) -> None:
        check_numbers({"chance": chance}, 0, 1)
        check_whole({"seed": seed})
        self.chance = chance
        self.seed = seed

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield a random answer for each query, the same in every run with the same seed."""
        for ask in asks:
            draw = random.Random(f"{self.seed}/{ask.query_id}")
            utterances = tuple(i for i in texts(view) if draw.random() < self.chance)
            images = tuple(i for i in range(len(view.images)) if draw.random() < self.chance)
            yield Prediction(ask.query_id, utterances, images)


class FirstK:
    """Returns the first k utterances and the images that they carry, the same for every query.

    Args:
        k: how many; None takes the best on validation, 8 where there is none (the papers' answers hold 8.0 utterances on average).
    """

    sees: tuple[Sees, ...] = ("text",)
    MOST = 50
    """The largest k that is tried."""

    def __init__(self, k: int | None = None) -> None:
        check_whole({"k": k}, 1, optional=True)
        self._is_given = k is not None
        self.k = 8 if k is None else k

    @property
    def fitted(self) -> dict[str, Any]:
        """The k in use."""
        return {"k": self.k}

    def fit(self, examples: Iterable[Example]) -> None:
        """Choose k with the best macro F1 on validation; of equals the smallest."""
        if self._is_given:
            return
        kept = list(examples)
        if any(asks for _, asks, _ in kept):
            self.k = max(range(1, self.MOST + 1), key=lambda k: (joint_macro(_same(kept, lambda view: range(k))), -k))

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Return the same answer to each query."""
        return _to_each(asks, view, range(min(self.k, len(view.utterances))))


PARTS = ("first", "middle", "last")


class Third:
    """Returns the first, the middle or the last third of the dialogue, the same one for every query: what position alone is worth.

    Args:
        part: `first`, `middle` or `last`; `auto` takes the best on validation, the first where there is none.
    """

    sees: tuple[Sees, ...] = ("text",)

    def __init__(self, part: str = "auto") -> None:
        check_known({"part": part}, ("auto", *PARTS))
        self._is_given = part != "auto"
        self.part = "first" if part == "auto" else part

    @property
    def fitted(self) -> dict[str, Any]:
        """The part in use."""
        return {"part": self.part}

    def fit(self, examples: Iterable[Example]) -> None:
        """Choose the part with the best macro F1 on validation; of equals the earliest."""
        if self._is_given:
            return
        kept = list(examples)
        if any(asks for _, asks, _ in kept):
            scores = {part: joint_macro(_same(kept, partial(_third, part=part))) for part in PARTS}
            self.part = max(PARTS, key=lambda part: (scores[part], -PARTS.index(part)))

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Return the same answer to each query."""
        return _to_each(asks, view, _third(view, self.part))


def _to_each(asks: list[Ask], view: DialogueView, chosen: range) -> Iterator[Prediction]:
    answer = run_of_utterances(view, chosen)
    return (Prediction(ask.query_id, *answer) for ask in asks)


def _third(view: DialogueView, part: str) -> range:
    count, number = len(view.utterances), PARTS.index(part)
    return range(count * number // 3, count * (number + 1) // 3)


def _same(examples: list[Example], chosen: Callable[[DialogueView], range]) -> Iterator[Answered]:
    """Yield what an answer that does not depend on the query is worth on validation."""
    for view, _, golds in examples:
        answer = run_of_utterances(view, (i for i in chosen(view) if i < len(view.utterances)))
        for gold in golds:
            yield Answered(*answer, gold, view)
