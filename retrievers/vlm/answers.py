"""Ids out of what a model wrote: the papers' grammar first, then a JSON object, as servers that are held to a schema answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mldr.answers import Answer, parse_answer
from mldr.eval.prediction import MAX_ID

LONGEST = 1_000_000
"""Characters of a response that are read; the end counts, since the last answer does."""

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "utterance_ids": {"type": "array", "items": {"type": "integer"}},
        "image_ids": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["utterance_ids", "image_ids"],
    "additionalProperties": False,
}
"""What a server may be held to: the two lists."""

_OBJECT = re.compile(r"\{[^{}]*\}")


def read(response: str) -> Answer | None:
    """Return the last complete answer in a model's text, None where there is none.

    An id that no dialogue could have (negative, or over `MAX_ID`) becomes one near `MAX_ID`, so that it counts as out of
    range, as it does where `mldr-eval` reads the response itself.
    """
    text = response[-LONGEST:]
    found = parse_answer(text)
    if found is None:
        found = _in_json(text)
    return None if found is None else Answer(_bounded(found.utterance_ids), _bounded(found.image_ids))


def _bounded(ids: tuple[int, ...]) -> tuple[int, ...]:
    far: dict[int, int] = {}
    return tuple(one if 0 <= one <= MAX_ID else far.setdefault(one, MAX_ID - len(far)) for one in ids)


def _in_json(text: str) -> Answer | None:
    """Return the last JSON object that holds exactly the two lists."""
    for match in reversed(list(_OBJECT.finditer(text))):
        try:
            value = json.loads(match[0])
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and set(value) == {"utterance_ids", "image_ids"} and all(map(_ids, value.values())):
            return Answer(tuple(value["utterance_ids"]), tuple(value["image_ids"]))
    return None


def _ids(value: Any) -> bool:
    return isinstance(value, list) and all(type(one) is int for one in value)
