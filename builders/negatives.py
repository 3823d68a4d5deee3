"""Queries without an answer: taken from other sources, and checked by rule to be truly absent from the dialogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mldr.builders.asking import Asking
from mldr.builders.plan import PlanRow
from mldr.builders.rulequery import RuleQueries, terms
from mldr.builders.sources.record import SourceDialogue, SourceTag
from mldr.builders.tags import source_tags, tag_query
from mldr.dialogue import Dialogue, NegativeType
from mldr.files import sha256_text
from mldr.tokens import tokens


class Absence:
    """What a dialogue holds, as far as a rule can tell: its words, and what is asked of it."""

    def __init__(self, dialogue: Dialogue, rules: RuleQueries, topics: Iterable[str], texts: Iterable[str]) -> None:
        """Take the dialogue, the term statistics, the names of its topics, and its queries and tags."""
        told = [utterance.text for utterance in dialogue.utterances] + [image.caption for image in dialogue.images]
        self.words = {term for text in told for term in terms(text)}
        self.rules = rules
        self.topics = set(topics)
        self.taken = {_same(text) for text in texts}

    def take(self, text: str) -> None:
        """Note that `text` is asked now, so that it is not asked again."""
        self.taken.add(_same(text))

    def allows(self, asking: Asking) -> bool:
        """Say whether nothing in the dialogue seems to answer a query."""
        if not asking.text or _same(asking.text) in self.taken:
            return False
        if asking.negative_type == "near":
            return self.differs(asking.text, 0.5)
        # A query by rule is all content words, so two of them in the dialogue may well name something in it.
        return asking.label_source != "rule" or sum(term in self.words for term in set(terms(asking.text))) < 2

    def differs(self, text: str, share: float) -> bool:
        """Say whether the dialogue lacks at least one, and at least such a share, of the terms that set `text` apart."""
        own = set(terms(self.rules.query([text])))
        lacking = len(own - self.words)
        return lacking > 0 and lacking >= share * len(own)

    def lacks(self, words: str) -> bool:
        """Say whether the dialogue holds no more than a part of these words."""
        found = set(terms(words)) or set(tokens(words))
        return bool(found) and not found <= self.words

    def shares_topic(self, source: SourceDialogue, tag: SourceTag) -> bool:
        """Say whether a tag is all of a topic that the dialogue has too, by name."""
        return tag.level == "topic" and bool(source.topic) and source.topic in self.topics


def drawn_tag(row: PlanRow, source: SourceDialogue, seed: int) -> SourceTag:
    """Return the tag of another source whose query may be asked of a row's dialogue."""
    tags = source_tags(source)
    draw = sha256_text(f"{seed}/asked/{row.dialogue_id}/{source.source_id}")
    return tags[int(draw[:8], 16) % len(tags)]


def by_rule(
    row: PlanRow,
    others: Sequence[SourceDialogue],
    negative_type: NegativeType,
    absence: Absence,
    seed: int,
) -> Iterator[Asking]:
    """Yield a query of each other source that the dialogue does not seem to answer, in the order of the sources.

    A source in another language than the dialogue's is passed over: the language would give the negative away.
    """
    for source in others:
        tag = drawn_tag(row, source, seed)
        if source.language != row.language or (negative_type == "near" and absence.shares_topic(source, tag)):
            continue
        text, label_source, label_model = tag_query(source, tag, absence.rules)
        asking = Asking(text, tag.level, label_source, label_model, negative_type=negative_type)
        if absence.allows(asking):
            yield asking


def _same(text: str) -> str:
    return " ".join(text.lower().split())
