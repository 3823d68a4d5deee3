"""What a row will ask, before anything is asked: its requests and answers of about the right length, for pricing a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mldr.builders.asking import Asking
from mldr.builders.plan import PlanRow
from mldr.builders.stitch import Stitched, stitch
from mldr.builders.writing.context import Material, WritingContext
from mldr.builders.writing.draft import Draft
from mldr.builders.writing.elements import alone, element_names
from mldr.builders.writing.querying import detail_request, queries_request
from mldr.builders.writing.realise import candidates_of, chosen_of
from mldr.builders.writing.stitching import stitch_request
from mldr.builders.writing.tagging import tag_request
from mldr.builders.writing.verifying import verify_request
from mldr.chat.request import ChatRequest
from mldr.dialogue import Dialogue, Fragment

TAGGED_ANEW = 6
"""Fragments that tags of a model make of a dialogue, about: where nothing is tagged yet, so many are asked for."""
_WORDS = "a query of about as many words as one has"


@dataclass(frozen=True, slots=True)
class Expected:
    """A request that a row will make, and a text as long as its answer may be."""

    name: str
    """The recipe's name of the model."""
    request: ChatRequest
    answer: str


def expected(material: Material, image_keys: Mapping[str, str], context: WritingContext) -> Iterator[Expected]:
    """Yield the requests of one row if every first answer holds; the dialogue by rule stands in for the model's.

    Rejected answers cost more than this, and questions that rows share cost less. A translated dialogue is priced by
    the words of its sources.
    """
    row = replace(material.row, language=material.sources[0].language)
    stitched = stitch(row, material.sources, image_keys, context.seed, interleave=context.stitch.interleave)
    if context.stitch.model:
        answer = _stitch_answer(stitched, material.translated)
        yield Expected(context.stitch.model, stitch_request(material, context), answer)
    if context.tag.model:
        yield _tags(stitched.dialogue, stitched.bridge_ids, material.row, context)
    asked = _asked(replace(material, row=row), stitched, context)
    fragments = [one.fragment for one in asked if one.fragment]
    if context.queries.model and fragments:
        yield _queries(stitched.dialogue, stitched.bridge_ids, fragments, material.row, context)
    yield from _negatives(material, stitched, fragments, context)
    yield from _verify(material.row, stitched.dialogue, len(fragments), context)


def _asked(material: Material, stitched: Stitched, context: WritingContext) -> list[Asking]:
    silent: Counter[str] = Counter()
    draft = Draft(material.row.dialogue_id)
    candidates = candidates_of(material, stitched, context, draft, silent)
    asked = chosen_of(material, candidates, context, draft, silent)
    if context.tag.model and candidates:
        wanted = min(context.queries.limit or TAGGED_ANEW, TAGGED_ANEW)
        asked = [candidates[position % len(candidates)] for position in range(wanted)]
    return asked


def _stitch_answer(stitched: Stitched, translated: bool) -> str:
    dialogue = stitched.dialogue
    said = [
        {
            "speaker": one.speaker,
            "text": one.text,
            "images": [f"p{i}" for i in one.image_ids],
            "from": ["s1.t1"],
            "topic": 1,
        }
        for one in dialogue.utterances
    ]
    captions = [{"image": f"p{i}", "caption": image.caption} for i, image in enumerate(dialogue.images)]
    return json.dumps({"utterances": said, **({"captions": captions} if translated else {})}, ensure_ascii=False)


def _tags(dialogue: Dialogue, bridges: tuple[int, ...], row: PlanRow, context: WritingContext) -> Expected:
    tags = [
        {"element": name, "coarse": "home cooking", "fine": "baking bread"} for name in element_names(dialogue, bridges)
    ]
    return Expected(context.tag.model, tag_request(dialogue, bridges, row.language), json.dumps({"tags": tags}))


def _queries(
    dialogue: Dialogue, bridges: tuple[int, ...], fragments: list[Fragment], row: PlanRow, context: WritingContext
) -> Expected:
    request = queries_request(dialogue, bridges, fragments, row.language)
    texts = [{"part": number, "text": _WORDS} for number in range(1, len(fragments) + 1)]
    return Expected(context.queries.model, request, json.dumps({"queries": texts}))


def _negatives(
    material: Material, stitched: Stitched, fragments: list[Fragment], context: WritingContext
) -> Iterator[Expected]:
    settings, row = context.queries, material.row
    for source in (*material.strangers[: settings.negatives], *material.neighbours[: settings.near]):
        lone = alone(source)
        whole = tuple(i for i, turn in enumerate(source.turns) if turn.text), tuple(range(len(source.images)))
        if settings.model:
            fragment = Fragment("", source.source_id, "topic", source.topic, source.source_id, *whole)
            yield _queries(lone, (), [fragment], row, context)
        elif context.tag.model:
            yield _tags(lone, (), row, context)
    if settings.model and settings.near and fragments:
        request = detail_request(stitched.dialogue, stitched.bridge_ids, [_WORDS] * (settings.near + 2), row.language)
        one = {"query": 1, "detail": "as many", "instead": "as few", "text": _WORDS}
        yield Expected(settings.model, request, json.dumps({"queries": [one] * (settings.near + 2)}))


def _verify(row: PlanRow, dialogue: Dialogue, n_fragments: int, context: WritingContext) -> Iterator[Expected]:
    n_negatives = context.queries.negatives + context.queries.near
    answer = json.dumps({"utterance_ids": list(range(dialogue.n_utterances // 3)), "image_ids": [0, 1]})
    judge = context.judge(row.split)
    asked = [judge] * n_negatives if judge else []
    if context.verify is not None and context.verifies(row.split):
        asked += [context.verify.model] * n_fragments
    for name in asked:
        yield Expected(name, verify_request(dialogue, _WORDS), answer)
