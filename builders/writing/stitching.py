"""Stitching by a model: what it is asked, and how its answer becomes a dialogue. What makes an answer wrong is in `losses`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mldr.builders.plan import PlanRow
from mldr.builders.sources.record import SourceDialogue
from mldr.builders.stitch import Stitched, speaker_names, stitched_from
from mldr.builders.writing import prompts
from mldr.builders.writing.asker import INTEGER, STRING, Kept, list_schema, object_schema
from mldr.builders.writing.context import Material, WritingContext
from mldr.builders.writing.references import References
from mldr.builders.writing.wording import clean_text, language_name
from mldr.chat.request import ChatRequest, Message
from mldr.dialogue import Utterance
from mldr.files import canonical_json

UTTERANCE = object_schema(
    {
        "speaker": STRING,
        "text": STRING,
        "images": list_schema(STRING),
        "from": list_schema(STRING),
        "topic": INTEGER,
    }
)
CAPTION = object_schema({"image": STRING, "caption": STRING})


def stitch_request(material: Material, context: WritingContext) -> ChatRequest:
    """Return the question whose answer is the long dialogue of a row."""
    row, sources = material.row, material.sources
    rules = [prompts.INTERLEAVED if context.stitch.interleave else prompts.ORDER]
    rules.append(prompts.TRANSLATED if material.translated else prompts.SAME_LANGUAGE)
    system = prompts.STITCH + "\n".join(rules).replace("{language}", language_name(row.language))
    properties: dict[str, Any] = {"utterances": list_schema(UTTERANCE)}
    if material.translated:
        properties["captions"] = list_schema(CAPTION)
    messages = (Message("system", system), Message("user", _chats(sources)))
    return ChatRequest(messages, object_schema(properties), "stitched_dialogue", "stitch")


def _chats(sources: Sequence[SourceDialogue]) -> str:
    """Return the sources, a JSON object a line: JSON strings keep what they say inside them."""
    references, names = References(sources), speaker_names(sources)
    lines = [_json({"speakers": names})]
    for position, source in enumerate(sources):
        for index, turn in enumerate(source.turns):
            line: dict[str, Any] = {"turn": references.turn(position, index), "speaker": names[turn.speaker]}
            line["text"] = turn.text
            if turn.image is not None:
                caption = source.images[turn.image].caption
                line["images"] = [{"image": references.image(position, turn.image), "caption": caption}]
            lines.append(_json(line))
    return "\n".join(lines)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def stitched_by_model(
    row: PlanRow, sources: Sequence[SourceDialogue], image_keys: Mapping[str, str], kept: Kept
) -> Stitched:
    """Return the dialogue of an answer that was found without a flaw."""
    references = References(sources)
    utterances: list[Utterance] = []
    told: dict[tuple[int, int], int] = {}
    numbers: dict[tuple[int, int], int] = {}
    for said in kept.value["utterances"]:
        images = [references.images[reference] for reference in said["images"]]
        for image in images:
            numbers[image] = len(numbers)
        for reference in said["from"]:
            told[references.turns[reference]] = len(utterances)
        carried = tuple(numbers[image] for image in images)
        utterances.append(Utterance(said["speaker"], clean_text(said["text"]), carried))
    carriers = {image: i for i, utterance in enumerate(utterances) for image in utterance.image_ids}
    for position, source in enumerate(sources):
        for index, turn in enumerate(source.turns):
            if not turn.text and turn.image is not None:  # such a turn is where its picture is
                told[position, index] = carriers[numbers[position, turn.image]]
            elif not turn.text:  # nothing to be seen of it: it lies with the turn before, else the next one
                near = [
                    t for t in (*range(index - 1, -1, -1), *range(index, len(source.turns))) if (position, t) in told
                ]
                told[position, index] = told[position, near[0]] if near else 0
    captions = None
    if "captions" in kept.value:
        given = {one["image"]: clean_text(one["caption"]) for one in kept.value["captions"]}
        captions = {references.images[reference]: caption for reference, caption in given.items()}
    meta = canonical_json({"stitch": kept.origin()})
    return stitched_from(row, sources, image_keys, utterances, told, numbers, captions=captions, meta=meta)
