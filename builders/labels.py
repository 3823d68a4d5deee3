"""Fragments, queries and gold of a stitched dialogue: carried over from its sources, or made by rule where those bring none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mldr.builders.plan import PlanRow
from mldr.builders.rulequery import RuleQueries, terms
from mldr.builders.sources.record import SourceDialogue, SourceTag
from mldr.builders.stitch import Stitched
from mldr.dialogue import Fragment, Gold, LabelSource, Level, Query
from mldr.files import sha256_text
from mldr.identity import fragment_id, query_ids


@dataclass(frozen=True, slots=True)
class _Asking:
    """A query that some elements of a source answer."""

    text: str
    level: Level
    label_source: LabelSource
    label_model: str
    fragment: Fragment | None = None
    """None for a negative."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """What is asked of a dialogue, and what answers it; queries sorted by id, gold parallel to them."""

    fragments: tuple[Fragment, ...]
    queries: tuple[Query, ...]
    gold: tuple[Gold, ...]
    counts: Counter[str]
    """reason -> queries that were not asked."""


def source_tags(source: SourceDialogue) -> tuple[SourceTag, ...]:
    """Return the tags of a source: its own, else one for each image; the topic, which is all of it, first."""
    everything = tuple(i for i, turn in enumerate(source.turns) if turn.text), tuple(range(len(source.images)))
    own = list(source.tags) or [
        SourceTag(f"image {position}", "fine", (), (position,)) for position in range(len(source.images))
    ]
    topics = [tag for tag in own if tag.level == "topic"] or [SourceTag(source.topic, "topic", (), ())]
    whole = [
        tag if tag.turns or tag.images else SourceTag(tag.name, "topic", everything[0], everything[1], tag.query)
        for tag in topics
    ]
    return (*whole, *(tag for tag in own if tag.level != "topic"))


def tag_query(source: SourceDialogue, tag: SourceTag, rules: RuleQueries) -> tuple[str, LabelSource, str]:
    """Return a tag's query with its label source and model: as the source brings it, else by rule; '' where none can be made."""
    if tag.query:
        return tag.query, source.label_source, source.label_model
    texts = [source.turns[i].text for i in tag.turns] + [source.images[i].caption for i in tag.images]
    return rules.query(texts), "rule", ""


def label(
    row: PlanRow,
    stitched: Stitched,
    sources: Sequence[SourceDialogue],
    strangers: Sequence[SourceDialogue],
    negatives: int,
    rules: RuleQueries,
    seed: int,
) -> Labelled:
    """Return the fragments, queries and gold of a stitched dialogue.

    Args:
        row: the plan's row.
        stitched: the dialogue and where its sources went.
        sources: its source dialogues.
        strangers: the sources whose queries may be asked as negatives.
        negatives: how many negatives to ask.
        rules: makes queries where sources bring none.
        seed: draws which query of a stranger is asked.
    """
    counts: Counter[str] = Counter()
    fragments: list[Fragment] = []
    asked: dict[str, _Asking] = {}
    for position, source in enumerate(sources):
        for tag in source_tags(source):
            fragment = _fragment(row, stitched, position, source, tag)
            fragments.append(fragment)
            text, label_source, label_model = tag_query(source, tag, rules)
            if not text:
                counts["fragments without a term to ask for"] += 1
            elif text in asked:
                counts["queries that stood twice in a dialogue"] += 1
            else:
                asked[text] = _Asking(text, tag.level, label_source, label_model, fragment)
    found = 0
    for asking in _negatives(row, stitched, strangers, rules, seed):
        if found < negatives and asking.text not in asked:
            asked[asking.text] = asking
            found += 1
    counts["negatives for which no unrelated query was found"] += negatives - found
    queries, gold = _rows(row, list(asked.values()))
    ordered = sorted(fragments, key=lambda fragment: fragment.fragment_id)
    return Labelled(tuple(ordered), queries, gold, +counts)


def _fragment(row: PlanRow, stitched: Stitched, position: int, source: SourceDialogue, tag: SourceTag) -> Fragment:
    return Fragment(
        fragment_id=fragment_id(row.dialogue_id, source.source_id, tag.level, tag.name),
        dialogue_id=row.dialogue_id,
        level=tag.level,
        topic=source.topic if tag.level == "topic" else tag.name,
        source_id=source.source_id,
        utterance_ids=tuple(stitched.utterance_ids[position][turn] for turn in tag.turns),
        image_ids=tuple(stitched.image_ids[position][image] for image in tag.images),
    )


def _negatives(
    row: PlanRow, stitched: Stitched, strangers: Sequence[SourceDialogue], rules: RuleQueries, seed: int
) -> Iterator[_Asking]:
    """Yield a query of each stranger that has little to do with the dialogue's words."""
    texts = [utterance.text for utterance in stitched.dialogue.utterances]
    texts += [image.caption for image in stitched.dialogue.images]
    words = {term for text in texts for term in terms(text)}
    for stranger in strangers:
        tags = source_tags(stranger)
        draw = sha256_text(f"{seed}/asked/{row.dialogue_id}/{stranger.source_id}")
        tag = tags[int(draw[:8], 16) % len(tags)]
        text, label_source, label_model = tag_query(stranger, tag, rules)
        shared = sum(term in words for term in set(terms(text)))
        # A query by rule is all content words, so two of them in the dialogue may well name something in it.
        if text and (label_source != "rule" or shared < 2):
            yield _Asking(text, tag.level, label_source, label_model)


def _rows(row: PlanRow, asked: list[_Asking]) -> tuple[tuple[Query, ...], tuple[Gold, ...]]:
    ids = query_ids(row.dialogue_id, [asking.text for asking in asked])
    pairs = []
    for query_id, asking in sorted(zip(ids, asked, strict=True), key=lambda pair: pair[0]):
        fragment = asking.fragment
        gold = Gold(
            query_id=query_id,
            fragment_id="" if fragment is None else fragment.fragment_id,
            level=asking.level,
            utterance_ids=() if fragment is None else fragment.utterance_ids,
            image_ids=() if fragment is None else fragment.image_ids,
            label_source=asking.label_source,
            label_model=asking.label_model,
            negative_type="unrelated" if fragment is None else "",
        )
        pairs.append((Query(query_id, row.dialogue_id, row.language, asking.text), gold))
    return tuple(query for query, _ in pairs), tuple(gold for _, gold in pairs)
