"""What became of each query: exactly one outcome, the first that applies, and the ids that are scored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from mldr.answers import parse_answer
from mldr.eval.goldset import Asked
from mldr.eval.prediction import CLAIMABLE, Prediction

Outcome = Literal["missing", "api_error", "refused", "parse_error", "out_of_range", "empty", "ok"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
FAILURES: frozenset[Outcome] = frozenset(("missing", "api_error", "refused", "parse_error"))
"""A failure is never paid: it scores 0 wherever there is something to retrieve from."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A query with its outcome and the ids that are scored: each once, ascending, textless utterances left out."""

    outcome: Outcome
    utterance_ids: tuple[int, ...] = ()
    image_ids: tuple[int, ...] = ()
    utterance_scores: tuple[float, ...] | None = None
    """Parallel to the ids as scored; of a repeated id, the first."""
    image_scores: tuple[float, ...] | None = None
    repeated: int = 0
    """Ids that were given again."""
    textless: int = 0
    """Ids of utterances without text, which are ignored."""
    out_of_range: int = 0
    """Ids that the dialogue does not have, each a false positive."""


def judge(prediction: Prediction | None, asked: Asked) -> Judged:
    """Return what became of one query.

    Args:
        prediction: the row that answers it, None where there is none.
        asked: the query's universe.
    """
    if prediction is None:
        return Judged("missing")
    for outcome in OUTCOMES:
        if outcome in CLAIMABLE and prediction.outcome == outcome:
            return Judged(outcome)
    if prediction.utterance_ids is not None and prediction.image_ids is not None:
        utterances, images = prediction.utterance_ids, prediction.image_ids
    else:
        answer = parse_answer(prediction.response or "")
        if answer is None:
            return Judged("parse_error")
        utterances, images = answer.utterance_ids, answer.image_ids
    return _scored(utterances, images, prediction, asked)


def _scored(utterances: tuple[int, ...], images: tuple[int, ...], prediction: Prediction, asked: Asked) -> Judged:
    kept = [i for i in utterances if i not in asked.textless]
    utterance_ids, utterance_scores = _once(kept, utterances, prediction.utterance_scores)
    image_ids, image_scores = _once(images, images, prediction.image_scores)
    outside = sum(not 0 <= i < asked.n_utterances for i in utterance_ids)
    outside += sum(not 0 <= i < asked.n_images for i in image_ids)
    outcome: Outcome = "out_of_range" if outside else "ok" if utterance_ids or image_ids else "empty"
    return Judged(
        outcome=outcome,
        utterance_ids=utterance_ids,
        image_ids=image_ids,
        utterance_scores=utterance_scores,
        image_scores=image_scores,
        repeated=len(kept) + len(images) - len(utterance_ids) - len(image_ids),
        textless=len(utterances) - len(kept),
        out_of_range=outside,
    )


def _once(
    kept: Iterable[int], given: tuple[int, ...], scores: tuple[float, ...] | None
) -> tuple[tuple[int, ...], tuple[float, ...] | None]:
    ids = tuple(sorted(set(kept)))
    if scores is None:
        return ids, None
    first: dict[int, float] = {}
    for identifier, score in zip(given, scores, strict=True):
        first.setdefault(identifier, float(score))
    return ids, tuple(first[identifier] for identifier in ids)
