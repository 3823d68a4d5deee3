"""BM25 over the utterances of one dialogue: the lexical baseline that the papers left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from mldr.eval.prediction import Prediction
from mldr.eval.ragged import Floats
from mldr.markup import Sees
from mldr.retrievers.decision import Rule, Scored, fit
from mldr.retrievers.options import check_flags, check_numbers
from mldr.retrievers.protocol import Ask, DialogueView, Example
from mldr.tokens import tokens


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
        check_flags({"captions": captions})
        check_numbers({"utterance_threshold": utterance_threshold, "image_threshold": image_threshold})
        self.captions = captions
        self.sees: tuple[Sees, ...] = ("text", "captions") if captions else ("text",)
        self.thresholds = {"utterances": float(utterance_threshold), "images": float(image_threshold)}

    @property
    def fitted(self) -> dict[str, Any]:
        """The thresholds in use."""
        return {f"{name}_threshold": round(value, 6) for name, value in self.thresholds.items()}

    def fit(self, examples: Iterable[Example]) -> None:
        """Choose for each modality the threshold with the best macro F1 on validation."""
        utterances: list[Scored] = []
        images: list[Scored] = []
        for view, asks, golds in examples:
            scorer = Scorer(view, self.captions)
            for ask, gold in zip(asks, golds, strict=True):
                scores = scorer.scores(ask.text)
                utterances.append((scores[0], gold.utterance_ids))
                images.append((scores[1], gold.image_ids))
        for name, rows in (("utterances", utterances), ("images", images)):
            rule = fit(rows, ("threshold",), least=0.0)
            self.thresholds[name] = self.thresholds[name] if rule is None else rule.value

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield the utterances and images above the thresholds, with their scores."""
        scorer = Scorer(view, self.captions)
        for ask in asks:
            utterances, images = scorer.scores(ask.text)
            kept = (
                Rule("threshold", self.thresholds["utterances"]).kept(utterances),
                Rule("threshold", self.thresholds["images"]).kept(images),
            )
            yield Prediction(
                ask.query_id,
                kept[0],
                kept[1],
                utterance_scores=tuple(round(float(utterances[i]), 6) for i in kept[0]),
                image_scores=tuple(round(float(images[i]), 6) for i in kept[1]),
            )


class Scorer:
    """BM25 of one dialogue."""

    def __init__(self, view: DialogueView, captions: bool) -> None:
        self.by_captions = captions
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
        """Return the scores of all utterances and of all images; NaN for what shares no token with the query."""
        known = [token for token in tokens(query) if token in self._known]
        if not known:
            return np.full(self._n_utterances, np.nan), np.full(self._n_images, np.nan)
        scores = np.asarray(self._indexed().get_scores(known), dtype=np.float64)
        scores = np.where(scores > 0, scores, np.nan)
        return scores[: self._n_utterances], scores[self._n_utterances :]

    def _indexed(self) -> Any:
        if self._index is None:
            import bm25s

            self._index = bm25s.BM25()
            self._index.index(self._documents, show_progress=False)
        return self._index
