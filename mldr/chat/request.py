"""One question to a language model and its answer, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mldr.errors import InterruptedRun

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation with a model."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A question whose answer is JSON of a schema."""

    messages: tuple[Message, ...]
    schema: Mapping[str, Any] = field(hash=False)
    """JSON Schema of the answer: an object; every property required, additionalProperties false."""
    schema_name: str
    """A short name, letters and underscores."""
    step: str
    """The step of the build that asks (`stitch`, `tag`, ...); for counts of cost, no part of the request."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a server counted."""

    tokens_in: int = 0
    tokens_out: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.tokens_in + other.tokens_in, self.tokens_out + other.tokens_out)


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """A whole answer that fits the schema of its request."""

    value: Any
    """The parsed JSON."""
    text: str
    usage: Usage
    """Of the answer that was stored: the same whether it came from the server or the store."""
    from_store: bool


class Unanswered(InterruptedRun):
    """A model gave no usable answer to one request, however often it was asked: refused, empty, or not of the schema.

    The server itself works; other requests may go on. `reason` is one of `refused`, `empty`, `malformed`, `schema`, `length`.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)

    def __reduce__(self) -> tuple[type[Unanswered], tuple[str, str]]:
        return type(self), (self.reason, str(self))
