"""Dialogues that are longer than a model reads: windows with an overlap, and the union of their answers, query by query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mldr.eval.prediction import Prediction
from mldr.files import canonical_json, parse_json
from mldr.retrievers.around import Around
from mldr.retrievers.options import check_whole
from mldr.retrievers.protocol import Ask, DialogueView, Example, Gold

SIZE, OVERLAP = 35, 15
"""The papers' setting for models of short context (arXiv 2606.04591, appendix C.1)."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a dialogue, its ids from 0 again, and the way back."""

    view: DialogueView
    start: int
    """The utterance id of its first utterance in the whole dialogue."""
    image_ids: tuple[int, ...]
    """The window's image id -> the dialogue's."""


class Windows(Around):
    """Cuts long dialogues into windows of 35 utterances with overlap 15, asks any system, and unites its answers.

    Each window is a dialogue of its own for the inner system: ids from 0, speakers as in the whole. Answers are put back into the
    dialogue's ids for each query apart; of an id that two windows give, the higher score counts. A dialogue that fits into one
    window is not cut. An id that a window does not have becomes one that the dialogue does not have, so it is counted as out of
    range. A query fails only where every window failed; `meta` says of how many windows each outcome was.

    Args:
        system: the system that is asked.
        size: utterances of a window.
        overlap: utterances that neighbouring windows share.
        options: of the inner system.
    """

    def __init__(self, system: str = "bm25", size: int = SIZE, overlap: int = OVERLAP, **options: Any) -> None:
        check_whole({"size": size}, 1)
        check_whole({"overlap": overlap}, 0)
        if overlap >= size:
            raise ValueError(f"overlap is {overlap}; it must be smaller than size, {size}")
        super().__init__(system, **options)
        self.size, self.overlap = size, overlap

    def fit(self, examples: Iterable[Example]) -> None:
        """Fit the inner system on windows, since those are what it will be shown."""
        super().fit(part for example in examples for part in _parts(example, self.size, self.overlap))

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield the union of the windows' answers to each query."""
        return self._united(view, asks, None)

    def sampled(self, view: DialogueView, asks: list[Ask], sample: int) -> Iterator[Prediction]:
        """Yield the union of the windows' `sample`-th answers to each query."""
        return self._united(view, asks, sample)

    def _united(self, view: DialogueView, asks: list[Ask], sample: int | None) -> Iterator[Prediction]:
        windows = windows_of(view, self.size, self.overlap)
        if len(windows) == 1:
            yield from self.sampled_from_inner(view, asks, sample)
            return
        found: dict[str, list[tuple[Window, Prediction]]] = {ask.query_id: [] for ask in asks}
        for window in windows:
            for prediction in self.sampled_from_inner(window.view, asks, sample):
                found[prediction.query_id].append((window, prediction))
        for ask in asks:
            yield united(ask.query_id, found[ask.query_id], len(windows))


def windows_of(view: DialogueView, size: int, overlap: int) -> list[Window]:
    """Return the windows of a dialogue, in order; every utterance is in at least one, and none is within another."""
    count, step = len(view.utterances), size - overlap
    starts = [0] if count <= size else [*range(0, count - size, step), count - size]
    return [_window(view, start, min(start + size, count)) for start in starts]


def _parts(example: Example, size: int, overlap: int) -> Iterator[Example]:
    """Yield an example's windows, each with what of the answers lies in it."""
    view, asks, golds = example
    for window in windows_of(view, size, overlap):
        utterances = range(window.start, window.start + len(window.view.utterances))
        number = {image_id: position for position, image_id in enumerate(window.image_ids)}
        parts = [
            Gold(
                frozenset(i - window.start for i in gold.utterance_ids if i in utterances),
                frozenset(number[i] for i in gold.image_ids if i in number),
            )
            for gold in golds
        ]
        yield window.view, asks, parts


def _window(view: DialogueView, start: int, stop: int) -> Window:
    image_ids = tuple(i for utterance in view.utterances[start:stop] for i in utterance.image_ids)
    number = {image_id: position for position, image_id in enumerate(image_ids)}
    utterances = tuple(
        replace(one, image_ids=tuple(number[i] for i in one.image_ids)) for one in view.utterances[start:stop]
    )
    return Window(DialogueView(view.language, utterances, tuple(view.images[i] for i in image_ids)), start, image_ids)


def united(query_id: str, answers: list[tuple[Window, Prediction]], n_windows: int) -> Prediction:
    """Return one answer for the whole dialogue from those of its windows.

    Args:
        query_id: of the query.
        answers: what windows answered.
        n_windows: how many were asked.
    """
    outcomes = Counter(one.outcome or "answered" for _, one in answers)
    outcomes["missing"] += n_windows - len(answers)
    given = [(window, one) for window, one in answers if not one.outcome and one.utterance_ids is not None]
    utterances: dict[int, float | None] = {}
    images: dict[int, float | None] = {}
    for window, one in given:
        own = range(len(window.view.utterances))
        _add(utterances, one.utterance_ids, one.utterance_scores, {i: window.start + i for i in own})
        _add(images, one.image_ids, one.image_scores, dict(enumerate(window.image_ids)))
    meta = _meta(answers, {name: count for name, count in sorted(outcomes.items()) if count})
    responses = [one.response for _, one in answers if one.response is not None]
    failed = "" if given else min((one.outcome for _, one in answers if one.outcome), default="api_error")
    return Prediction(
        query_id,
        tuple(sorted(utterances)) if given else None,
        tuple(sorted(images)) if given else None,
        response="\n".join(responses) if responses else None,
        utterance_scores=_scores(utterances) if given else None,
        image_scores=_scores(images) if given else None,
        outcome=failed,
        meta=canonical_json(meta),
    )


def _add(
    found: dict[int, float | None], ids: tuple[int, ...] | None, scores: tuple[float, ...] | None, own: dict[int, int]
) -> None:
    """Put a window's ids into the dialogue's; one that the window lacks becomes one that no dialogue has."""
    for position, one in enumerate(ids or ()):
        there = own[one] if one in own else max(one, FAR)
        score = None if scores is None else scores[position]
        before = found.get(there)
        found[there] = score if before is None or (score is not None and score > before) else before


FAR = 1_000_000_000
"""Ids from here on are in no dialogue."""


def _scores(found: dict[int, float | None]) -> tuple[float, ...] | None:
    """Return scores in the order of the ids, None where a window gave none."""
    scores = [found[one] for one in sorted(found)]
    return None if any(score is None for score in scores) else tuple(score for score in scores if score is not None)


def _meta(answers: list[tuple[Window, Prediction]], outcomes: dict[str, int]) -> dict[str, Any]:
    """Return what the first window's answer says of the model, and what became of the windows."""
    first = parse_json(answers[0][1].meta) if answers and answers[0][1].meta else {}
    each = [
        {"start": window.start, "stop": window.start + len(window.view.utterances), **_own(one)}
        for window, one in answers
    ]
    shared = {name: value for name, value in first.items() if name not in OF_ONE_ANSWER}
    return {**shared, "window_outcomes": outcomes, "windows": each}


OF_ONE_ANSWER = ("finish_reason", "fault", "tokens_in", "tokens_out", "preprocessing")
"""What a prediction's meta says of this answer alone."""


def _own(one: Prediction) -> dict[str, Any]:
    said = parse_json(one.meta) if one.meta else {}
    return {name: said[name] for name in OF_ONE_ANSWER if name in said}
