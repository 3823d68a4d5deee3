"""The best contiguous run of a dialogue by BM25: what a system is worth that believes answers to be in one piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from mldr.eval.prediction import Prediction
from mldr.eval.ragged import Floats
from mldr.markup import Sees
from mldr.retrievers.bm25 import Scorer
from mldr.retrievers.fitting import Answered, joint_macro, run_of_utterances
from mldr.retrievers.options import check_flags, check_numbers
from mldr.retrievers.protocol import Ask, DialogueView, Example

COSTS = 40
"""Costs that are tried: quantiles of the scores on validation."""


class Window:
    """Returns the run of utterances whose BM25 scores, each less a cost, add up to most; nothing where no run is worth its cost.

    That is Kadane's maximum subarray; the cost of an utterance is what sets a run's length, and it is fitted on validation. The
    images of the run are returned with it. Of equal runs the shortest is taken, then the first.

    Args:
        cost: of an utterance; None takes the best on validation, half of the mean score above 0 where there is none.
        captions: whether an utterance is found by its images' captions too.
    """

    def __init__(self, cost: float | None = None, captions: bool = False) -> None:
        check_numbers({"cost": cost}, 0, optional=True)
        check_flags({"captions": captions})
        self.captions = captions
        self.sees: tuple[Sees, ...] = ("text", "captions") if captions else ("text",)
        self._is_given = cost is not None
        self.cost = None if cost is None else float(cost)

    @property
    def fitted(self) -> dict[str, Any]:
        """The cost in use, None for half of the mean score."""
        return {"cost": None if self.cost is None else round(self.cost, 6)}

    def fit(self, examples: Iterable[Example]) -> None:
        """Choose the cost with the best macro F1 on validation; of equals the smallest."""
        if self._is_given:
            return
        rows = []
        for view, asks, golds in examples:
            scorer = Scorer(view, self.captions)
            rows += [(view, _scores(view, scorer, ask.text), gold) for ask, gold in zip(asks, golds, strict=True)]
        positive = np.concatenate([scores[scores > 0] for _, scores, _ in rows]) if rows else np.zeros(0)
        if not len(positive):
            return
        costs = np.unique(np.concatenate([[0.0], np.quantile(positive, np.linspace(0, 1, COSTS))]))
        means = [joint_macro(_answered(rows, float(cost))) for cost in costs]
        self.cost = float(costs[int(np.argmax(means))])

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield the best run for each query."""
        scorer = Scorer(view, self.captions)
        for ask in asks:
            scores = _scores(view, scorer, ask.text)
            positive = scores[scores > 0]
            cost = self.cost if self.cost is not None else float(positive.mean()) / 2 if len(positive) else 0.0
            yield Prediction(ask.query_id, *run_of_utterances(view, best_run(scores - cost)))


def best_run(worth: Floats) -> range:
    """Return the contiguous run of the largest sum, if that is over 0; of equals the shortest, then the first.

    Args:
        worth: of each position, shape (positions,).
    """
    best, found = 0.0, range(0)
    total, start = 0.0, 0
    for position, value in enumerate(worth):
        if total <= 0:  # a start that adds nothing only makes the run longer
            total, start = 0.0, position
        total += float(value)
        run = range(start, position + 1)
        if total > best or (total == best > 0 and len(run) < len(found)):
            best, found = total, run
    return found


def _scores(view: DialogueView, scorer: Scorer, query: str) -> Floats:
    """Return the score of each utterance: of its text, or of the best of its images' captions, whichever is higher."""
    utterances, images = (np.nan_to_num(scores) for scores in scorer.scores(query))
    if not scorer.by_captions:
        return utterances
    own = ([images[i] for i in utterance.image_ids] for utterance in view.utterances)
    return np.array([max([text, *captions]) for text, captions in zip(utterances, own, strict=True)], dtype=np.float64)


def _answered(rows: Sequence[tuple[DialogueView, Floats, Any]], cost: float) -> Iterator[Answered]:
    for view, scores, gold in rows:
        yield Answered(*run_of_utterances(view, best_run(scores - cost)), gold, view)
