"""How a server is held to a schema, from strict to by the prompt alone, and how its answer is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from mldr.chat.endpoint import ModelEndpoint, StructuredMode
from mldr.chat.fits import Check, quick_check
from mldr.chat.request import ChatRequest
from mldr.errors import MldrError, fault, printable
from mldr.files import canonical_json, parse_json, sha256_text

MODES: tuple[StructuredMode, ...] = ("json_schema", "json_object", "prompt")
"""In the order in which `auto` tries them."""

Reason = Literal["refused", "empty", "malformed", "schema", "length"]

_ASKED = "Answer with one JSON object and nothing else. It must fit this JSON Schema:\n"
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"```[a-zA-Z]*[ \t]*\n(.*?)\n[ \t]*```", re.DOTALL)


class Unusable(Exception):
    """An answer that arrived and cannot be used; `reason` is one of `Unanswered`'s."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason: Reason = reason
        self.detail = printable(detail, 200)
        super().__init__(f"{reason}: {self.detail}")


def modes_of(endpoint: ModelEndpoint, request: ChatRequest) -> tuple[StructuredMode, ...]:
    """Return the ways of asking that an endpoint may be tried with, in order."""
    if request.schema is None:
        return ("prompt",)
    return MODES if endpoint.structured == "auto" else (endpoint.structured,)


def request_body(endpoint: ModelEndpoint, request: ChatRequest, mode: StructuredMode, sample: int) -> dict[str, Any]:
    """Return the whole body of a chat completion (OpenAI API, POST /chat/completions).

    Args:
        endpoint: gives model, temperature, limits and further fields.
        request: gives messages and schema.
        mode: how the schema is asked for.
        sample: added to the endpoint's seed, if it has one.
    """
    messages = [one.body() for one in request.messages]
    body: dict[str, Any] = {"model": endpoint.model, "messages": messages}
    if "max_completion_tokens" not in endpoint.extra:  # newer models refuse the older name
        body["max_tokens"] = endpoint.max_tokens
    if endpoint.temperature is not None:
        body["temperature"] = endpoint.temperature
    if endpoint.seed is not None:
        body["seed"] = endpoint.seed + sample
    body.update(endpoint.extra)
    if request.schema is None:
        return body
    schema = dict(request.schema)
    if mode == "json_schema":
        named = {"name": request.schema_name, "schema": schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    elif mode == "json_object":
        body["response_format"] = {"type": "json_object", "schema": schema}
    else:
        _append_to_system(messages, _ASKED + canonical_json(schema))
    return body


def _append_to_system(messages: list[dict[str, Any]], text: str) -> None:
    if messages and messages[0]["role"] == "system":
        messages[0]["content"] += "\n\n" + text
    else:
        messages.insert(0, {"role": "system", "content": text})


def check_request(request: ChatRequest) -> None:
    """Refuse a question that cannot be sent.

    Raises:
        InputError: if there is no message, or a text holds half of a surrogate pair.
    """
    if not request.messages:
        raise fault(request.step, "a request without messages")
    for number, message in enumerate(request.messages):
        try:
            "".join(message.texts).encode("utf-8")
        except UnicodeEncodeError as error:
            place = f"{request.step}, message {number}, character {error.start}"
            raise fault(place, "half of a surrogate pair; the text is no Unicode") from error


def stored_body(body: dict[str, Any]) -> str:
    """Return a request body as it is kept: canonical JSON, each picture inside it as the hash of its address."""
    messages = [{**one, "content": _hashed(one["content"])} for one in body["messages"]]
    return canonical_json({**body, "messages": messages})


def _hashed(content: Any) -> Any:
    if isinstance(content, str):
        return content
    return [
        part if part["type"] == "text" else {"type": "image_url", "sha256": sha256_text(part["image_url"]["url"])}
        for part in content
    ]


def read_answer(text: str, schema: Mapping[str, Any], mode: StructuredMode) -> Any:
    """Return the value of an answer: strict JSON that fits the schema.

    Args:
        text: the answer.
        schema: its JSON Schema (draft 2020-12).
        mode: in `prompt` a code fence and text around one JSON object are passed over, since nothing held the model to JSON.

    Raises:
        Unusable: `empty`, `malformed` or `schema`, and why.
    """
    if not text.strip():
        raise Unusable("empty", "no text")
    try:
        text.encode("utf-8")
        value = _parsed(text, mode)
    except ValueError as error:  # the text's own half of a surrogate pair among them
        raise Unusable("malformed", str(error)) from error
    quick, validator = _checks(canonical_json(schema))
    if not (quick is not None and quick(value)) and not validator.is_valid(value):
        worst = best_match(validator.iter_errors(value))
        raise Unusable("schema", f"{worst.json_path}: {worst.message}" if worst else "does not fit")
    return value


def _parsed(text: str, mode: StructuredMode) -> Any:
    try:
        value = parse_json(text)
    except ValueError:
        if mode != "prompt":
            raise
        value = parse_json(_object_in(text))
    if "\\u" in text and _unstorable(value):  # only an escape can bring what UTF-8 text does not hold
        raise ValueError("holds a NUL or half of a surrogate pair")
    return value


def _object_in(text: str) -> str:
    """Return what stands for one JSON object in the words of a model; whether it is one, the parser says."""
    spoken = _THOUGHTS.sub("", text)
    fenced = _FENCED.findall(spoken)
    if len(fenced) == 1:
        return str(fenced[0])
    start, end = spoken.find("{"), spoken.rfind("}")
    if start < 0 or end < start:
        raise ValueError("no JSON object in the answer")
    return spoken[start : end + 1]


def _unstorable(value: Any) -> bool:
    written = canonical_json(value).replace("\\\\", "")  # an escaped backslash before `u0000` is text
    try:
        written.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return "\\u0000" in written


@lru_cache(maxsize=256)
def _checks(schema: str) -> tuple[Check | None, Draft202012Validator]:
    document = parse_json(schema)
    try:
        Draft202012Validator.check_schema(document)
    except Exception as error:
        raise MldrError(printable(f"no JSON Schema: {error}")) from error
    return quick_check(document), Draft202012Validator(document)
