"""Systems that do not read: what any score must be held against."""

from __future__ import annotations

import random
from collections.abc import Iterator

from mldr.eval.prediction import Prediction
from mldr.markup import Sees
from mldr.retrievers.protocol import Ask, DialogueView


def _texts(view: DialogueView) -> tuple[int, ...]:
    return tuple(i for i, utterance in enumerate(view.utterances) if utterance.text)


class All:
    """Returns the whole dialogue: F1 = 2p / (1 + p), p being the share of gold."""

    sees: tuple[Sees, ...] = ("text",)

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield every utterance with text and every image, for each query."""
        for ask in asks:
            yield Prediction(ask.query_id, _texts(view), tuple(range(len(view.images))))


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
        if isinstance(chance, bool) or not isinstance(chance, (int, float)) or not 0 <= chance <= 1:
            raise ValueError(f"chance is {chance!r}; a number from 0 to 1 is expected")
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(f"seed is {seed!r}; a whole number is expected")
        self.chance = chance
        self.seed = seed

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield a random answer for each query, the same in every run with the same seed."""
        for ask in asks:
            draw = random.Random(f"{self.seed}/{ask.query_id}")
            utterances = tuple(i for i in _texts(view) if draw.random() < self.chance)
            images = tuple(i for i in range(len(view.images)) if draw.random() < self.chance)
            yield Prediction(ask.query_id, utterances, images)
