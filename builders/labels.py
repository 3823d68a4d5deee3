"""Fragments, queries and gold of a stitched dialogue: carried over from its sources, or made by rule where those bring none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from mldr.builders.asking import Asking
from mldr.builders.negatives import Absence, by_rule
from mldr.builders.plan import PlanRow
from mldr.builders.rulequery import RuleQueries
from mldr.builders.sources.record import SourceDialogue, SourceTag
from mldr.builders.stitch import Stitched
from mldr.builders.tags import source_tags, tag_query
from mldr.dialogue import Fragment, Gold, NegativeType, Query
from mldr.identity import fragment_id, query_ids


@dataclass(frozen=True, slots=True)
class Labelled:
    """What is asked of a dialogue, and what answers it; queries sorted by id, gold parallel to them."""

    fragments: tuple[Fragment, ...]
    queries: tuple[Query, ...]
    gold: tuple[Gold, ...]
    counts: Counter[str]
    """reason -> queries that were not asked, answers of models that were rejected."""
    flagged: tuple[Mapping[str, Any], ...] = ()
    """Queries whose blind answer disagrees with the gold, with both answers and the model; for people to judge."""
    agreement: Counter[str] = field(default_factory=Counter)
    """`<kind> asked` and `<kind> agreed` -> queries with a blind answer, and those whose answer agrees with the gold. A negative
    to which the verifying model found an answer was never asked, so negatives agree by construction."""


def source_askings(
    row: PlanRow, stitched: Stitched, sources: Sequence[SourceDialogue], rules: RuleQueries, salt: bytes = b""
) -> list[Asking]:
    """Return a query for each tag of the sources, with its fragment; the text is '' where none can be made.

    In a dialogue that was translated, a query that a source brings is of the wrong language, so the rule makes one from
    the fragment's own words.
    """
    askings = []
    for position, source in enumerate(sources):
        for tag in source_tags(source):
            fragment = _fragment(row, stitched, position, source, tag, salt)
            text, label_source, label_model = tag_query(source, tag, rules)
            if source.language != row.language:
                told = [stitched.dialogue.utterances[i].text for i in fragment.utterance_ids]
                told += [stitched.dialogue.images[i].caption for i in fragment.image_ids]
                text, label_source, label_model = rules.query(told), "rule", ""
            askings.append(Asking(text, tag.level, label_source, label_model, fragment))
    return askings


def rule_negatives(
    row: PlanRow,
    others: Sequence[SourceDialogue],
    negative_type: NegativeType,
    wanted: int,
    absence: Absence,
    seed: int,
    counts: Counter[str],
) -> list[Asking]:
    """Return up to `wanted` negatives of a type; those that are lacking are counted."""
    found: list[Asking] = []
    for asking in islice(by_rule(row, others, negative_type, absence, seed), wanted):
        found.append(asking)
        absence.take(asking.text)
    counts[f"negatives for which no {negative_type} query was found"] += wanted - len(found)
    return found


def rows_of(row: PlanRow, asked: Sequence[Asking], salt: bytes = b"") -> tuple[tuple[Query, ...], tuple[Gold, ...]]:
    """Return queries sorted by id, and the gold of each; no two askings have the same text."""
    ids = query_ids(row.dialogue_id, [asking.text for asking in asked], salt)
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
            negative_type=asking.negative_type,
            meta=asking.meta,
        )
        pairs.append((Query(query_id, row.dialogue_id, row.language, asking.text), gold))
    return tuple(query for query, _ in pairs), tuple(gold for _, gold in pairs)


def _fragment(
    row: PlanRow, stitched: Stitched, position: int, source: SourceDialogue, tag: SourceTag, salt: bytes
) -> Fragment:
    utterances = {stitched.utterance_ids[position][turn] for turn in tag.turns}
    return Fragment(
        fragment_id=fragment_id(row.dialogue_id, source.source_id, tag.level, tag.name, salt),
        dialogue_id=row.dialogue_id,
        level=tag.level,
        topic=source.topic if tag.level == "topic" else tag.name,
        source_id=source.source_id,
        utterance_ids=tuple(i for i in sorted(utterances) if stitched.dialogue.utterances[i].text),
        image_ids=tuple(sorted(stitched.image_ids[position][image] for image in tag.images)),
    )
