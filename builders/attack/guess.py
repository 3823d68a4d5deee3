"""What answers each query of a traced dialogue: the tags of its sources, asked for as a build would, and the nearest of them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mldr.builders.attack.position import positioned
from mldr.builders.attack.trace import SourceIndex, Trace, plain_words
from mldr.builders.rulequery import RuleQueries
from mldr.builders.settings import TOPICS
from mldr.builders.tags import source_tags, tag_query
from mldr.dataset import Asked
from mldr.dialogue import Dialogue
from mldr.eval.prediction import Prediction
from mldr.tokens import tokens

SURE, LEAST = 0.6, 0.1
"""Similarity of a query to a tag's own query, and to a fragment's words: from here on it is taken for its."""


_VOTE = 1_000_000
"""Of a query, shared among the sources that it may come from; whole numbers, whose sum has no rounding."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """Elements of a dialogue that the attacker holds for one fragment."""

    utterance_ids: tuple[int, ...]
    image_ids: tuple[int, ...]
    queries: frozenset[str]
    """Texts that would ask for it."""
    words: frozenset[str]


@dataclass(slots=True)
class Asker:
    """The queries that a build makes of the public sources, under the term statistics that an attacker can count."""

    index: SourceIndex
    rules: dict[str, list[RuleQueries]] = field(default_factory=dict)
    """language -> statistics of all public sources, and of those traced in the split."""
    elsewhere: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """A query's plain words -> the sources that bring it or would be asked so."""

    @classmethod
    def of(cls, index: SourceIndex, traced: Iterable[str]) -> Asker:
        """Return the asker of an index, given the sources that were found in the split."""
        made = cls(index)
        for names in (sorted(index.dialogues), sorted(set(traced))):
            counted: dict[str, RuleQueries] = {}
            for name in names:
                source = index.dialogues[name]
                counted.setdefault(source.language, RuleQueries()).add(source)
            for language, rules in counted.items():
                made.rules.setdefault(language, []).append(rules)
        for name, source in index.dialogues.items():
            for position in range(len(source_tags(source))):
                for text in made.texts(name, position):
                    made.elsewhere[plain_words(text)].add(name)
        return made

    def texts(self, source_id: str, position: int) -> set[str]:
        """Return the texts that may ask for a tag of a source."""
        source = self.index.dialogues[source_id]
        tag = source_tags(source)[position]
        made = {tag_query(source, tag, rules)[0] for rules in self.rules.get(source.language, [])}
        return {text for text in (*made, tag.name) if text}

    def fragments(self, dialogue: Dialogue, trace: Trace) -> Iterator[Fragment]:
        """Yield the fragments of a dialogue that its traced sources have tags for; parts between bridges where none is traced."""
        turns = {place: number for number, place in trace.utterances.items()}
        pictures = {place: number for number, place in trace.images.items()}
        for source_id in trace.source_ids:
            for position, tag in enumerate(source_tags(self.index.dialogues[source_id])):
                ids = [turns[source_id, turn] for turn in tag.turns if (source_id, turn) in turns]
                images = [pictures[source_id, image] for image in tag.images if (source_id, image) in pictures]
                if ids or images:
                    yield _fragment(dialogue, ids, images, self.texts(source_id, position))
        if not trace.source_ids:
            for part in trace.parts or (tuple(range(dialogue.n_utterances)),):
                images = [image for number in part for image in dialogue.utterances[number].image_ids]
                yield _fragment(dialogue, part, images, ())

    def refined(self, asked: Asked, trace: Trace) -> Trace:
        """Return the trace of a dialogue, by the order of its messages where few of their words are a source's.

        Which sources it tells is then read from its queries: each source of it brings several, one of a negative's brings one.
        """
        texts = asked.dialogue.n_utterances - len(asked.dialogue.textless_ids)
        if 2 * len(trace.utterances) >= texts:
            return trace
        votes: Counter[str] = Counter()
        for query in asked.queries:
            holders = sorted(self.elsewhere.get(plain_words(query.text), set()))
            votes.update({name: _VOTE // len(holders) for name in holders})
        told = sorted((name for name in votes if votes[name] > _VOTE), key=lambda name: (-votes[name], name))[:TOPICS]
        return positioned(asked.dialogue, [self.index.dialogues[name] for name in told]) or trace


def _fragment(dialogue: Dialogue, ids: Iterable[int], images: Iterable[int], queries: Iterable[str]) -> Fragment:
    kept, pictures = tuple(sorted(set(ids) - set(dialogue.textless_ids))), tuple(sorted(images))
    told = [dialogue.utterances[i].text for i in kept] + [dialogue.images[i].caption for i in pictures]
    return Fragment(kept, pictures, frozenset(queries), frozenset(token for text in told for token in tokens(text)))


def guesses(asked: Asked, trace: Trace, asker: Asker) -> Iterator[Prediction]:
    """Yield what an attacker answers to each query of a dialogue."""
    fragments = list(asker.fragments(asked.dialogue, trace))
    weights = _weights(fragments)
    for query in asked.queries:
        fragment = _answer(query.text, fragments, weights, set(trace.source_ids), asker)
        ids = ((), ()) if fragment is None else (fragment.utterance_ids, fragment.image_ids)
        yield Prediction(query.query_id, *ids)


def _answer(
    text: str, fragments: list[Fragment], weights: Mapping[str, float], told: set[str], asker: Asker
) -> Fragment | None:
    """Return the fragment that a query asks for; None where it looks like a negative."""
    words = plain_words(text)
    for fragment in fragments:
        if words in {plain_words(one) for one in fragment.queries}:
            return fragment
    if told and asker.elsewhere.get(words, told) - told:
        return None  # the query of a source that is not told here
    own = frozenset(tokens(text))
    near = max(fragments, key=lambda one: _nearest(own, one), default=None)
    if near is not None and _nearest(own, near) >= SURE:
        return near
    best = max(fragments, key=lambda one: _overlap(own, one, weights), default=None)
    return best if best is not None and _overlap(own, best, weights) >= LEAST else None


def _nearest(own: frozenset[str], fragment: Fragment) -> float:
    sets = [frozenset(tokens(text)) for text in sorted(fragment.queries)]
    return max((len(own & one) / len(own | one) for one in sets if one | own), default=0.0)


def _weights(fragments: list[Fragment]) -> dict[str, float]:
    """Return token -> how well it tells one fragment from another."""
    holders = Counter(token for fragment in fragments for token in fragment.words)
    return {token: math.log((1 + len(fragments)) / count) for token, count in holders.items()}


def _overlap(own: frozenset[str], fragment: Fragment, weights: Mapping[str, float]) -> float:
    """Return the weight of the query's words that a fragment says, by the root of its length: short ones say it more clearly."""
    if not own:
        return 0.0
    return (
        sum(weights.get(token, 0.0) for token in sorted(own & fragment.words))
        / len(own)
        / math.sqrt(math.sqrt(len(fragment.words)))
    )
