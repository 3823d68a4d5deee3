"""An upper bound: what a system scores that knows the topics of the dialogue and always picks the right one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mldr.dialogue import Fragment
from mldr.eval.prediction import Prediction
from mldr.markup import Sees
from mldr.retrievers.protocol import Ask, DialogueView, Gold


class OracleTopic:
    """Returns the true topic that holds most of the answer: an upper bound for whole-topic answers, no system.

    Topics are the dialogue's fragments of level `topic`, or those of the coarsest level that it has. Of equals the smaller topic
    wins, then the first. Where the truth is that nothing answers, nothing is returned.
    """

    sees: tuple[Sees, ...] = ("text",)

    def __init__(self) -> None:
        self._topics: list[Gold] = []
        self._golds: Mapping[str, Gold] = {}

    def reveal(self, fragments: Sequence[Fragment], golds: Mapping[str, Gold]) -> None:
        """Take the truth about the next dialogue."""
        levels = [one.level for one in fragments]
        coarsest = next((level for level in ("topic", "coarse", "fine", "free") if level in levels), None)
        self._topics = [
            Gold(frozenset(one.utterance_ids), frozenset(one.image_ids)) for one in fragments if one.level == coarsest
        ]
        self._golds = golds

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield the true topic for each query."""
        for ask in asks:
            topic = self._topic(self._golds.get(ask.query_id, Gold(frozenset(), frozenset())))
            yield Prediction(ask.query_id, tuple(sorted(topic.utterance_ids)), tuple(sorted(topic.image_ids)))

    def _topic(self, gold: Gold) -> Gold:
        nothing = Gold(frozenset(), frozenset())
        shared = [
            (-len(one.utterance_ids & gold.utterance_ids) - len(one.image_ids & gold.image_ids), _size(one), number)
            for number, one in enumerate(self._topics)
        ]
        best = min(shared, default=(0, 0, 0))
        return self._topics[best[2]] if best[0] < 0 else nothing


def _size(topic: Gold) -> int:
    return len(topic.utterance_ids) + len(topic.image_ids)
