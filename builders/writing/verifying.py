"""The second, blind answer to a query: what the model is asked, and whether what it says agrees with the gold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mldr.builders.writing import prompts
from mldr.builders.writing.asker import INTEGER, Kept, Ledger, Voice, ask_once, list_schema, object_schema
from mldr.chat.request import ChatRequest, Message
from mldr.dialogue import Dialogue, Gold
from mldr.markup import escape, render

_SCHEMA = object_schema({"utterance_ids": list_schema(INTEGER), "image_ids": list_schema(INTEGER)})
_LISTED = 1000
"""Ids of an answer that are read; no dialogue has so many elements."""


def verify_request(dialogue: Dialogue, query: str) -> ChatRequest:
    """Return the question for the elements that answer one query.

    A dialogue's queries are asked one by one: beside the others, a query would tell what the others do not ask for. The
    dialogue comes first, so that a server may keep it from one to the next.
    """
    content = f"The chat:\n{render(dialogue, 'captions')}\n\nThe query: {escape(query)}"
    return ChatRequest((Message("system", prompts.VERIFY), Message("user", content)), _SCHEMA, "fragment", "verify")


async def blind_answer(voice: Voice, dialogue: Dialogue, query: str, ledger: Ledger) -> Kept | None:
    """Return a model's answer to a query, as sorted ids; None where it gives none, which is counted."""
    answer = await ask_once(voice, verify_request(dialogue, query), ledger)
    if answer is None:
        return None
    silent = set(dialogue.textless_ids)  # they are outside the universe: whoever names one says nothing by it
    value = {
        "utterance_ids": sorted(set(_ids(answer.value["utterance_ids"])) - silent),
        "image_ids": sorted(set(_ids(answer.value["image_ids"]))),
    }
    return Kept(value, voice.model, voice.prompt, 1)


def _ids(values: Iterable[Any]) -> list[int]:
    return [int(value) for value in list(values)[:_LISTED]]


def finds_something(dialogue: Dialogue, kept: Kept) -> bool:
    """Say whether an answer names an element that is there."""
    return any(0 <= i < dialogue.n_utterances for i in kept.value["utterance_ids"]) or any(
        0 <= i < dialogue.n_images for i in kept.value["image_ids"]
    )


def similarity(gold: Gold, value: Mapping[str, Any]) -> float:
    """Return the Jaccard similarity of gold and answer, utterances and images together; 1 where both are empty.

    An id that the dialogue does not have counts against the answer.
    """
    right = {("u", i) for i in gold.utterance_ids} | {("i", i) for i in gold.image_ids}
    given = {("u", i) for i in value["utterance_ids"]} | {("i", i) for i in value["image_ids"]}
    return len(right & given) / len(right | given) if right | given else 1.0


def flagged(gold: Gold, kept: Kept) -> dict[str, Any]:
    """Return the record of a query whose two answers disagree, for people to judge."""
    return {
        "query_id": gold.query_id,
        "gold": {"utterance_ids": list(gold.utterance_ids), "image_ids": list(gold.image_ids)},
        "answer": dict(kept.value),
        "model": kept.model,
    }
