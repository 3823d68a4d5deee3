"""A retriever with everything that the protocol offers: scores, fitting on validation, a file of its own, what it needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from mldr.retrievers import Ask, DialogueView, Gold, Prediction
from mldr.retrievers.protocol import Run
from mldr.tokens import tokens

Example = tuple[DialogueView, list[Ask], list[Gold]]


class CountedWords:
    """Keeps utterances that share more tokens with the query than a number that is fitted on validation."""

    sees = ("text",)
    needs: tuple[str, ...] = ()  # shown by --list: an extra, an endpoint, a GPU
    at_once = 2  # dialogues that may be answered at the same time, in threads

    def __init__(self, least: int = 1) -> None:
        self.least = least

    @property
    def fitted(self) -> dict[str, Any]:
        """What was tuned; every prediction records it."""
        return {"least": self.least}

    def open(self, run: Run) -> None:
        """Load a model here; files of one's own go beside `run.out`."""
        run.note("nothing to load")

    def close(self) -> None:
        """Let go of it."""

    def fit(self, examples: Iterable[Example]) -> None:
        """Take the least number of shared tokens with the most right utterances less the wrong ones."""
        gain: Counter[int] = Counter()
        for view, asks, golds in examples:
            for ask, gold in zip(asks, golds, strict=True):
                for utterance_id, shared in enumerate(self._shared(view, ask)):
                    for least in range(1, shared + 1):
                        gain[least] += 1 if utterance_id in gold.utterance_ids else -1
        self.least = max(sorted(gain), key=lambda least: gain[least], default=self.least)

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield each answer the moment it is known: a run that is stopped has lost nothing."""
        for ask in asks:
            shared = self._shared(view, ask)
            found = tuple(i for i, count in enumerate(shared) if count >= self.least)
            scores = tuple(float(shared[i]) for i in found)
            yield Prediction(ask.query_id, found, (), utterance_scores=scores)

    @staticmethod
    def _shared(view: DialogueView, ask: Ask) -> list[int]:
        wanted = set(tokens(ask.text))
        return [len(wanted & set(tokens(utterance.text))) for utterance in view.utterances]
