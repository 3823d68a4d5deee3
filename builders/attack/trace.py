"""Which public source each utterance and image of a dialogue came from: by its exact words, else by its nearest ones."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mldr.builders.settings import TOPICS
from mldr.builders.sources.record import SourceDialogue
from mldr.builders.stitch import bridges
from mldr.dialogue import Dialogue
from mldr.tokens import tokens

NEAR = 0.5
"""The Jaccard similarity of tokens from which an utterance counts as a source's turn."""

_COMMON = 200
"""A token that more turns hold finds no candidate: it would cost time and tell nothing."""

_ALONE = 2
"""A source counts as told in a dialogue if at least so many utterances or images point at it."""


def plain_words(text: str) -> str:
    """Return a text without case, punctuation and spaces: what a light edit does not change."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


Turn = tuple[str, int]
"""A source's id and the position of its turn."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Where the elements of one dialogue came from, as far as the attacker can tell."""

    utterances: Mapping[int, Turn]
    """utterance id -> the turn that it repeats; untraced ones are not in it."""
    images: Mapping[int, Turn]
    """image id -> the source and the position of its image."""
    parts: tuple[tuple[int, ...], ...]
    """The utterances between one bridge and the next, where the dialogue has bridges that are known."""

    @property
    def source_ids(self) -> tuple[str, ...]:
        """The sources, those that most elements point at first."""
        votes = Counter(source for source, _ in [*self.utterances.values(), *self.images.values()])
        return tuple(sorted(votes, key=lambda source: (-votes[source], source)))


@dataclass(slots=True)
class SourceIndex:
    """The public sources, by the words of their turns and captions. Holds all of them: an attacker's machine is large."""

    dialogues: dict[str, SourceDialogue] = field(default_factory=dict)
    _exact: dict[str, list[Turn]] = field(default_factory=lambda: defaultdict(list))
    _captions: dict[str, list[Turn]] = field(default_factory=lambda: defaultdict(list))
    _holders: dict[str, list[Turn]] = field(default_factory=lambda: defaultdict(list))
    _tokens: dict[Turn, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Iterable[SourceDialogue]) -> SourceIndex:
        """Return the index of some sources."""
        index = cls()
        for source in sources:
            index.add(source)
        return index

    def add(self, source: SourceDialogue) -> None:
        """Take one source."""
        self.dialogues[source.source_id] = source
        for position, turn in enumerate(source.turns):
            place = source.source_id, position
            if words := plain_words(turn.text):
                self._exact[words].append(place)
                self._tokens[place] = frozenset(tokens(turn.text))
                for token in self._tokens[place]:
                    if len(self._holders[token]) <= _COMMON:
                        self._holders[token].append(place)
        for position, image in enumerate(source.images):
            if words := plain_words(image.caption):
                self._captions[words].append((source.source_id, position))
            self._captions[image.ref].append((source.source_id, position))

    def trace(self, dialogue: Dialogue) -> Trace:
        """Return where the elements of a dialogue came from; of several possible sources, the one that explains most of it."""
        known = {plain_words(text) for text in bridges().get(dialogue.language, [])}
        words = [plain_words(utterance.text) for utterance in dialogue.utterances]
        said: dict[int, list[Turn]] = {}
        for number, utterance in enumerate(dialogue.utterances):
            if words[number] and words[number] not in known:
                said[number] = self._exact.get(words[number]) or self._near(utterance.text)
        shown = {number: self._picture(image.image_key, image.caption) for number, image in enumerate(dialogue.images)}
        told, votes = _told([*said.values(), *shown.values()])
        own = {number: {place for place in places if place[0] in told} for number, places in said.items()}
        utterances = {
            number: min(places, key=lambda place: (-_neighbours(number, place, own), -votes[place[0]], place))
            for number, places in own.items()
            if places
        }
        self._fill([bool(word) and word in known for word in words], utterances)
        self._carry(dialogue, utterances, shown)
        images = {number: place for number, places in shown.items() if (place := _best(places, votes, told))}
        return Trace(utterances, images, _parts(words, known))

    def _near(self, text: str) -> list[Turn]:
        own = frozenset(tokens(text))
        shared: Counter[Turn] = Counter()
        for token in sorted(own):
            if len(holders := self._holders.get(token, [])) <= _COMMON:
                shared.update(holders)
        return [
            place
            for place, _ in shared.most_common(50)
            if len(own & self._tokens[place]) >= NEAR * len(own | self._tokens[place])
        ]

    def _picture(self, image_key: str, caption: str) -> list[Turn]:
        by_ref = self._captions.get(image_key.removeprefix("ref:"), []) if image_key.startswith("ref:") else []
        return by_ref or self._captions.get(plain_words(caption), [])

    def _fill(self, bridged: list[bool], utterances: dict[int, Turn]) -> None:
        """Give an utterance without a turn of its own (too short, too common) the one that its neighbours leave for it."""
        used = set(utterances.values())
        for number, bridge in enumerate(bridged):
            for step in (1, -1):
                source, turn = utterances.get(number - step, ("", 0))
                place = source, turn + step
                free = number not in utterances and not bridge and source and place not in used
                if free and 0 <= place[1] < len(self.dialogues[source].turns):
                    utterances[number] = place
                    used.add(place)

    def _carry(self, dialogue: Dialogue, utterances: Mapping[int, Turn], shown: dict[int, list[Turn]]) -> None:
        """Let an image that nothing else explains come from the turn that its utterance repeats."""
        for number, utterance in enumerate(dialogue.utterances):
            if (place := utterances.get(number)) and (
                image := self.dialogues[place[0]].turns[place[1]].image
            ) is not None:
                for image_id in utterance.image_ids:
                    shown[image_id] = shown.get(image_id) or [(place[0], image)]


def _told(found: Iterable[list[Turn]]) -> tuple[set[str], Counter[str]]:
    """Return the sources that a dialogue seems to tell, and how strongly its elements point at each: common words do so weakly."""
    votes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for places in found:
        sources = sorted({source for source, _ in places})
        votes.update({source: 1_000_000 // len(sources) for source in sources})
        counts.update(sources)
    able = [source for source in votes if counts[source] >= _ALONE]
    return set(sorted(able, key=lambda source: (-votes[source], source))[:TOPICS]), votes


def _neighbours(number: int, place: Turn, own: Mapping[int, set[Turn]]) -> int:
    """Return how many of the two utterances beside one can be the turns beside a place."""
    return sum((place[0], place[1] + step) in own.get(number + step, ()) for step in (-1, 1))


def _best(places: Iterable[Turn], votes: Mapping[str, int], told: set[str]) -> Turn | None:
    return min(
        (place for place in places if place[0] in told), key=lambda place: (-votes[place[0]], place), default=None
    )


def _parts(words: list[str], bridges_known: set[str]) -> tuple[tuple[int, ...], ...]:
    parts: list[list[int]] = [[]]
    for number, word in enumerate(words):
        if word in bridges_known:
            parts.append([])
        else:
            parts[-1].append(number)
    return tuple(tuple(part) for part in parts if part) if len(parts) > 1 else ()
