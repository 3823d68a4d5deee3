"""From a draft to the dialogue and its labels, without a model: the same draft gives the same records, anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mldr.builders.asking import Asking, chosen, distinct
from mldr.builders.labels import Labelled, rows_of, rule_negatives, source_askings
from mldr.builders.negatives import Absence
from mldr.builders.stitch import Stitched, stitch
from mldr.builders.writing.asker import Kept
from mldr.builders.writing.context import Material, WritingContext
from mldr.builders.writing.draft import Draft
from mldr.builders.writing.stitching import stitched_by_model
from mldr.builders.writing.tagging import tag_fragments, tag_members
from mldr.builders.writing.verifying import flagged, similarity
from mldr.dialogue import Dialogue, Fragment, Gold, Query
from mldr.files import canonical_json, parse_json


def realise(
    material: Material, image_keys: Mapping[str, str], context: WritingContext, draft: Draft | None
) -> tuple[Dialogue | None, Labelled]:
    """Return a row's dialogue with its fragments, queries and gold; None for the dialogue where the draft drops it.

    Args:
        material: the row and its sources.
        image_keys: image ref -> key.
        context: the settings.
        draft: what models said; None makes everything by rule.
    """
    draft = draft or Draft(material.row.dialogue_id)
    if draft.dropped:
        return None, Labelled((), (), (), +Counter(draft.counts))
    stitched = stitched_of(material, image_keys, context, draft)
    return with_changes(stitched.dialogue, material), labelled(material, stitched, context, draft)


def labelled(material: Material, stitched: Stitched, context: WritingContext, draft: Draft) -> Labelled:
    """Return the fragments, queries and gold of a stitched dialogue.

    Args:
        material: the row and its sources.
        stitched: the dialogue and where its sources went.
        context: the settings.
        draft: what models said; an empty one labels everything by rule.
    """
    counts = Counter(draft.counts)
    candidates = candidates_of(material, stitched, context, draft, counts)
    asked = worded(chosen_of(material, candidates, context, draft, counts), context, draft, counts)
    if draft.negatives is None:
        absence = absence_of(material, stitched, context, [*candidates, *asked], draft)
        for kind, others, wanted in (
            ("unrelated", material.strangers, context.queries.negatives),
            ("near", material.neighbours, context.queries.near),
        ):
            asked += rule_negatives(material.row, others, kind, wanted, absence, context.seed, counts)  # type: ignore[arg-type]
    else:
        asked += draft.negatives
    queries, gold = rows_of(material.row, asked, context.salt)
    fragments = sorted((one.fragment for one in candidates if one.fragment), key=lambda one: one.fragment_id)
    return verified(Labelled(tuple(fragments), queries, gold, +counts), context, draft)


def with_changes(dialogue: Dialogue, material: Material) -> Dialogue:
    """Return the dialogue with what its sources' reader changed in them, as their licences ask to be said."""
    changes = sorted({change for source in material.sources for change in source.changes})
    if not changes:
        return dialogue
    told = parse_json(dialogue.meta) if dialogue.meta else {}
    return replace(dialogue, meta=canonical_json({**told, "changes": changes}))


def stitched_of(material: Material, image_keys: Mapping[str, str], context: WritingContext, draft: Draft) -> Stitched:
    """Return the stitched dialogue: the model's where an answer held, else by rule."""
    if draft.stitch is not None:
        return stitched_by_model(material.row, material.sources, image_keys, draft.stitch)
    return stitch(material.row, material.sources, image_keys, context.seed, interleave=context.stitch.interleave)


def candidates_of(
    material: Material, stitched: Stitched, context: WritingContext, draft: Draft, counts: Counter[str]
) -> list[Asking]:
    """Return every fragment of a dialogue with the text by which it may be asked for; '' where only a model could write one.

    With tags of a model, the topics stay as fragments, and the sources' other tags give way. Of fragments with the same elements
    one is kept, topics before coarse tags before fine ones. Where no model writes queries, tags alone are asked (as in the
    papers), a topic by the tag on the same elements: negatives are tags, too, so that no manner gives an answer away.
    """
    askings = source_askings(material.row, stitched, material.sources, context.rules, context.salt)
    if draft.tags is None:
        return askings
    kept: dict[tuple[tuple[int, ...], tuple[int, ...]], Asking] = {}
    for asking in askings:
        if asking.level == "topic" and asking.fragment is not None:
            kept[_elements(asking.fragment)] = replace(asking, text="")
    for fragment in tag_fragments(stitched.dialogue, draft.tags.value, context.salt):
        before = kept.get(_elements(fragment))
        tag = _by_tag(fragment, draft.tags)
        if before is None:
            kept[_elements(fragment)] = tag
            continue
        counts["fragments left out, another has the same elements"] += 1
        if not before.text:
            kept[_elements(fragment)] = replace(tag, level=before.level, fragment=before.fragment)
    return list(kept.values())


def _elements(fragment: Fragment) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return fragment.utterance_ids, fragment.image_ids


def _by_tag(fragment: Fragment, tags: Kept) -> Asking:
    meta = canonical_json({"tag": tags.origin()})
    return Asking(fragment.topic, fragment.level, "model", tags.model, fragment, meta=meta)


def chosen_of(
    material: Material, candidates: Sequence[Asking], context: WritingContext, draft: Draft, counts: Counter[str]
) -> list[Asking]:
    """Return the fragments that are asked for."""
    tagged = draft.tags is not None
    pool: Sequence[Asking] = [one for one in candidates if one.kind != "negative"]
    if not context.queries.model:
        named = [one for one in pool if one.text or one.level != "topic"]
        counts["topics without a tag of their own, not asked for"] += (len(pool) - len(named)) if tagged else 0
        pool = distinct(named if tagged else pool, counts)
    draw = f"{context.seed}/chosen/{material.row.dialogue_id}"
    return chosen(pool, context.queries.limit, context.queries.kinds, draw, counts)


def worded(asked: Sequence[Asking], context: WritingContext, draft: Draft, counts: Counter[str]) -> list[Asking]:
    """Return the chosen askings in the words of the model that writes queries.

    One that it brought no words for is not asked: negatives are all in the model's manner, so a query in another one could
    be told to have an answer. That is counted in the draft.
    """
    if not context.queries.model:
        return list(asked)
    texts: list[Asking] = []
    for asking in asked:
        kept = draft.queries.get(asking.fragment.fragment_id) if asking.fragment else None
        if kept is None:
            continue
        meta = canonical_json({"queries": kept.origin(), "tag": asking.fragment.topic if asking.fragment else ""})
        texts.append(replace(asking, text=kept.value["text"], label_source="model", label_model=kept.model, meta=meta))
    return distinct(texts, counts)


def absence_of(
    material: Material, stitched: Stitched, context: WritingContext, askings: Sequence[Asking], draft: Draft
) -> Absence:
    """Return what a negative must not be: the words, topics, queries and tags of the dialogue."""
    topics = [source.topic for source in material.sources]
    tags = [tag for _, tag, _, _ in tag_members(draft.tags.value)] if draft.tags else []
    return Absence(stitched.dialogue, context.rules, topics, [asking.text for asking in askings] + tags)


def verified(labels: Labelled, context: WritingContext, draft: Draft) -> Labelled:
    """Return the labels with the outcome of the blind answers: nothing is dropped, disagreements are flagged."""
    if context.verify is None:
        return labels
    gold: list[Gold] = []
    flags = []
    agreement: Counter[str] = Counter()
    for query, one in zip(labels.queries, labels.gold, strict=True):
        kept = _verdict(query, draft)
        agrees = kept is not None and similarity(one, kept.value) >= context.verify.threshold
        if kept is not None:
            agreement[f"{one.kind} asked"] += 1
            agreement[f"{one.kind} agreed"] += agrees
            if not agrees:
                flags.append(flagged(one, kept))
        gold.append(replace(one, verified=agrees))
    return replace(labels, gold=tuple(gold), flagged=tuple(flags), agreement=agreement)


def _verdict(query: Query, draft: Draft) -> Kept | None:
    return draft.verdicts.get(query.text)
