"""Answers for a real server of a model that does its work well; each follows from its question alone."""

from __future__ import annotations

import json
from typing import Any

from mldr import markup
from mldr.chat.request import ChatRequest, Message
from tests.builders.writing.clerks import Clerk
from tests.fakes.chat_server import Answer


def clerk_answers() -> Answer:
    """Return what a server answers to the requests of a build."""
    clerk = Clerk()

    def answer(messages: list[dict[str, Any]], schema: dict[str, Any] | None) -> str:
        name = _name(schema or {})
        asked = tuple(Message(one["role"], one["content"]) for one in messages)
        request = ChatRequest(asked, schema or {}, name, "")
        value = _found(request) if name == "fragment" else getattr(clerk, f"_{name}")(request)
        return json.dumps(value, ensure_ascii=False)

    return answer


def _name(schema: dict[str, Any]) -> str:
    properties = schema.get("properties", {})
    if "utterances" in properties:
        return "stitched_dialogue"
    if "tags" in properties:
        return "tags"
    if "queries" in properties:
        return "wrong_details" if '"detail"' in json.dumps(schema) else "queries"
    return "fragment"


def _found(request: ChatRequest) -> dict[str, list[int]]:
    """Return the elements that share a word of four letters with the query."""
    rendered, query = request.messages[1].text.removeprefix("The chat:\n").rsplit("\n\nThe query: ", 1)
    words = {word for word in query.lower().split() if len(word) >= 4}
    utterances = markup.parse(rendered)
    found = [one.utterance_id for one in utterances if one.text and words & set(one.text.lower().split())]
    images = [image for one in utterances for image in one.image_ids if one.utterance_id in found]
    return {"utterance_ids": found, "image_ids": images}
