"""BM25 over the utterances of one dialogue: the lexical baseline that the papers left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mldr.eval.counts import Counts, per_query
from mldr.eval.prediction import Prediction
from mldr.markup import Sees
from mldr.retrievers.protocol import Ask, DialogueView, Example
from mldr.tokens import tokens

Floats = npt.NDArray[np.float64]
CANDIDATES = 100
"""Thresholds that are tried: quantiles of the scores on validation."""


class BM25:
    """Ranks utterances by BM25 and keeps those above a threshold that was fitted on validation.

    A document is an utterance's text; an image's document is the text that it was sent with, or its caption where
    captions are allowed. Words for scripts with spaces, character 1- and 2-grams for Chinese.

    Args:
        captions: whether images are found by their captions.
        utterance_threshold: a score must be above it; replaced by `fit`.
        image_threshold: the same for images.
    """

    def __init__(self, captions: bool = False, utterance_threshold: float = 0.0, image_threshold: float = 0.0) -> None:
        if not isinstance(captions, bool):
            raise ValueError(f"captions is {captions!r}; true or false is expected")
        for name, value in (("utterance_threshold", utterance_threshold), ("image_threshold", image_threshold)):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ValueError(f"{name} is {value!r}; a number is expected")
        self.captions = captions
        self.sees: tuple[Sees, ...] = ("text", "captions") if captions else ("text",)
        self.thresholds = {"utterances": float(utterance_threshold), "images": float(image_threshold)}

    @property
    def fitted(self) -> dict[str, Any]:
        """The thresholds in use."""
        return {f"{name}_threshold": round(value, 6) for name, value in self.thresholds.items()}

    def fit(self, examples: Iterable[Example]) -> None:
        """Choose for each modality the threshold with the best macro F1 on validation."""
        utterances: list[tuple[Floats, frozenset[int]]] = []
        images: list[tuple[Floats, frozenset[int]]] = []
        for view, asks, golds in examples:
            scorer = _Scorer(view, self.captions)
            for ask, gold in zip(asks, golds, strict=True):
                scores = scorer.scores(ask.text)
                utterances.append((scores[0], gold.utterance_ids))
                images.append((scores[1], gold.image_ids))
        for name, rows in (("utterances", utterances), ("images", images)):
            if rows:
                self.thresholds[name] = _best_threshold(rows)

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield the utterances and images above the thresholds, with their scores."""
        scorer = _Scorer(view, self.captions)
        for ask in asks:
            utterances, images = scorer.scores(ask.text)
            kept = _above(utterances, self.thresholds["utterances"]), _above(images, self.thresholds["images"])
            yield Prediction(
                ask.query_id,
                kept[0],
                kept[1],
                utterance_scores=tuple(round(float(utterances[i]), 6) for i in kept[0]),
                image_scores=tuple(round(float(images[i]), 6) for i in kept[1]),
            )


class _Scorer:
    """BM25 of one dialogue. A query without a known token, or a dialogue without one, scores 0 everywhere."""

    def __init__(self, view: DialogueView, captions: bool) -> None:
        self._n_utterances = len(view.utterances)
        self._n_images = len(view.images)
        carrier = {image: utterance.text for utterance in view.utterances for image in utterance.image_ids}
        documents = [tokens(utterance.text) for utterance in view.utterances]
        for image_id, image in enumerate(view.images):
            documents.append(tokens(image.caption if captions else carrier.get(image_id, "")))
        self._documents = documents
        self._known = {token for document in documents for token in document}
        self._index: Any = None

    def scores(self, query: str) -> tuple[Floats, Floats]:
        """Return the scores of all utterances and of all images."""
        known = [token for token in tokens(query) if token in self._known]
        if not known:
            return np.zeros(self._n_utterances), np.zeros(self._n_images)
        scores = np.asarray(self._indexed().get_scores(known), dtype=np.float64)
        return scores[: self._n_utterances], scores[self._n_utterances :]

    def _indexed(self) -> Any:
        if self._index is None:
            import bm25s

            self._index = bm25s.BM25()
            self._index.index(self._documents, show_progress=False)
        return self._index


def _above(scores: Floats, threshold: float) -> tuple[int, ...]:
    return tuple(int(i) for i in np.flatnonzero(scores > max(threshold, 0.0)))


def _best_threshold(rows: Sequence[tuple[Floats, frozenset[int]]]) -> float:
    """Return the threshold with the best mean F1 over queries; of equals, the lowest."""
    seen = np.concatenate([scores for scores, _ in rows])
    positive = seen[seen > 0]
    if not len(positive):
        return 0.0
    candidates = np.unique(np.concatenate([[0.0], np.quantile(positive, np.linspace(0, 1, CANDIDATES))]))
    means = [float(np.nanmean(_f1(rows, threshold))) for threshold in candidates]
    return float(candidates[int(np.argmax(means))])


def _f1(rows: Sequence[tuple[Floats, frozenset[int]]], threshold: float) -> Floats:
    """Return the F1 of each query at a threshold, by the one definition of F1."""
    counts = np.array([_count(scores, gold, threshold) for scores, gold in rows], dtype=np.int64).T
    tp, fp, fn, universe = counts
    return per_query(Counts(tp, fp, fn, universe - tp - fp - fn, universe, np.zeros(len(rows), dtype=bool)), "f1")


def _count(scores: Floats, gold: frozenset[int], threshold: float) -> tuple[int, int, int, int]:
    kept = _above(scores, threshold)
    tp = sum(i in gold for i in kept)
    return tp, len(kept) - tp, len(gold) - tp, len(scores)
