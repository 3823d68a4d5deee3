"""Topic segmentation first, then one segment as a whole: how the dialogue-segmentation literature would answer.

Segments are found without any label by lexical cohesion (TextTiling; Hearst 1997, Computational Linguistics 23(1)).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from mldr.eval.prediction import Prediction
from mldr.eval.ragged import Floats
from mldr.markup import Sees
from mldr.retrievers.fitting import Answered, joint_macro, run_of_utterances
from mldr.retrievers.options import check_flags, check_numbers, check_whole
from mldr.retrievers.protocol import Ask, DialogueView, Example, Gold
from mldr.tokens import tokens

BLOCK = 5
"""Utterances on each side of a gap that are compared."""
CUTS = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
"""Depths at which is cut that are tried, in standard deviations from the dialogue's mean depth."""
NEVER = 2.0
"""A least score that no segment has: scores end at 1."""
FLOORS = 20
"""Least scores of a segment that are tried: quantiles on validation."""


class SegmentThenPick:
    """Cuts the dialogue where its words change, then returns the segment that fits the query best, whole, or nothing.

    A gap between two utterances is cut where the cosine of the words before and after it dips deeply (TextTiling). A segment's
    score is the share of the query's words that it holds, weighted by their rarity in the dialogue. How deep and how good is
    enough are fitted on validation, together.

    Args:
        cut: a gap is cut where its depth is over the mean plus so many standard deviations.
        floor: a segment with a smaller score is not returned.
        block: utterances on each side of a gap that are compared.
        captions: whether captions count among an utterance's words.
    """

    def __init__(
        self, cut: float | None = None, floor: float | None = None, block: int = BLOCK, captions: bool = False
    ) -> None:
        check_numbers({"cut": cut, "floor": floor}, optional=True)
        check_whole({"block": block}, 1)
        check_flags({"captions": captions})
        self.captions, self.block = captions, block
        self.sees: tuple[Sees, ...] = ("text", "captions") if captions else ("text",)
        self._cuts = CUTS if cut is None else (float(cut),)
        self._floor = floor
        self.cut = 0.0 if cut is None else float(cut)
        self.floor = 0.0 if floor is None else float(floor)

    @property
    def fitted(self) -> dict[str, Any]:
        """The two values in use."""
        return {"cut": round(self.cut, 6), "floor": round(self.floor, 6)}

    def fit(self, examples: Iterable[Example]) -> None:
        """Choose `cut` and `floor` with the best macro F1 on validation; of equals the smaller."""
        read = [(Words.of(view, self.captions), view, asks, golds) for view, asks, golds in examples]
        best = -1.0
        for cut in self._cuts:
            picked = [
                (*_pick(words, words.segments(cut, self.block), ask.text), view, gold)
                for words, view, asks, golds in read
                for ask, gold in zip(asks, golds, strict=True)
            ]
            for floor in self._floors([score for _, score, _, _ in picked]):
                score = joint_macro(_answers(picked, floor))
                if picked and score > best:
                    best, self.cut, self.floor = score, cut, floor

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield the segment for each query."""
        words = Words.of(view, self.captions)
        segments = words.segments(self.cut, self.block)
        for ask in asks:
            kept = _kept(*_pick(words, segments, ask.text), self.floor)
            yield Prediction(ask.query_id, *run_of_utterances(view, kept))

    def _floors(self, scores: Sequence[float]) -> list[float]:
        if self._floor is not None:
            return [self._floor]
        if not scores:
            return []
        return [0.0, *(float(one) for one in np.unique(np.quantile(scores, np.linspace(0, 1, FLOORS)))), NEVER]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of each utterance of a dialogue, and the weight of each word."""

    bags: tuple[Counter[str], ...]
    weights: dict[str, float]
    """Word -> log of utterances over utterances with it, plus 1 (so that a word in all of them still weighs something)."""

    @classmethod
    def of(cls, view: DialogueView, captions: bool) -> Words:
        """Count the words of a dialogue."""
        bags = tuple(
            Counter(tokens(" ".join([one.text, *(view.images[i].caption for i in one.image_ids if captions)])))
            for one in view.utterances
        )
        found = Counter(word for bag in bags for word in bag)
        return cls(bags, {word: 1 + math.log(len(bags) / count) for word, count in sorted(found.items())})

    def segments(self, cut: float, block: int) -> list[range]:
        """Return the segments of the dialogue, in order, without a gap between them.

        An utterance without a word (a picture alone) begins no segment: it stays with what came before.

        Args:
            cut: in standard deviations over the mean depth.
            block: utterances with words on each side.
        """
        spoken = [i for i, bag in enumerate(self.bags) if bag]
        depths = depths_of([self._similarity(spoken, gap, block) for gap in range(1, len(spoken))])
        limit = float(depths.mean() + cut * depths.std()) if len(depths) else 0.0
        deep = (gap for gap, depth in enumerate(depths) if depth > 0 and depth >= limit and _is_peak(depths, gap))
        starts = [0, *(spoken[gap + 1] for gap in deep), len(self.bags)]
        return [range(start, stop) for start, stop in pairwise(starts) if stop > start]

    def score(self, segment: range, query: Iterable[str]) -> float:
        """Return the weighted share of the query's known words that a segment holds, 0 of none."""
        held = {word for i in segment for word in self.bags[i]}
        known = {word for word in query if word in self.weights}
        whole = sum(self.weights[word] for word in sorted(known))
        return sum(self.weights[word] for word in sorted(known & held)) / whole if whole else 0.0

    def _similarity(self, spoken: Sequence[int], gap: int, block: int) -> float:
        before, after = Counter[str](), Counter[str]()
        for i in spoken[max(0, gap - block) : gap]:
            before += self.bags[i]
        for i in spoken[gap : gap + block]:
            after += self.bags[i]
        return _cosine(self._weighted(before), self._weighted(after))

    def _weighted(self, bag: Counter[str]) -> dict[str, float]:
        return {word: count * self.weights[word] for word, count in sorted(bag.items())}


def depths_of(similarities: Sequence[float]) -> Floats:
    """Return how far each gap's similarity lies below the nearest peaks on its two sides (Hearst 1997, section 4.4)."""
    values = list(similarities)
    depths = np.zeros(len(values))
    for gap, value in enumerate(values):
        left = right = value
        for other in reversed(values[:gap]):
            if other < left:
                break
            left = other
        for other in values[gap + 1 :]:
            if other < right:
                break
            right = other
        depths[gap] = (left - value) + (right - value)
    return depths


def _is_peak(depths: Floats, gap: int) -> bool:
    """Say whether no neighbouring gap is deeper: of two next to each other only one is a border (the first of equals)."""
    before = depths[gap - 1] if gap else -1.0
    after = depths[gap + 1] if gap + 1 < len(depths) else -1.0
    return bool(depths[gap] > before and depths[gap] >= after)


def _cosine(one: dict[str, float], other: dict[str, float]) -> float:
    norm = math.sqrt(sum(v * v for v in one.values()) * sum(v * v for v in other.values()))
    return sum(value * other[word] for word, value in one.items() if word in other) / norm if norm else 0.0


def _pick(words: Words, segments: Sequence[range], query: str) -> tuple[range, float]:
    """Return the segment with the best score, and that score; of equals the shortest, then the first."""
    asked = tokens(query)
    scores = [words.score(segment, asked) for segment in segments]
    if not scores:
        return range(0), 0.0
    best = min(range(len(segments)), key=lambda i: (-scores[i], len(segments[i]), i))
    return segments[best], scores[best]


def _answers(picked: Sequence[tuple[range, float, DialogueView, Gold]], floor: float) -> Iterator[Answered]:
    for segment, score, view, gold in picked:
        yield Answered(*run_of_utterances(view, _kept(segment, score, floor)), gold, view)


def _kept(segment: range, score: float, floor: float) -> range:
    """Return the segment, or nothing where it shares no word with the query or is not good enough."""
    return segment if score > 0 and score >= floor else range(0)
