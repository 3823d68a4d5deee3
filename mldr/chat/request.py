"""One question to a language model and its answer, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mldr.errors import InterruptedRun
from mldr.images import data_uri

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture within a message; it goes out inside the request, never as an address."""

    content: bytes
    """The encoded picture."""
    media_type: str
    pixels: int
    """Width times height, for estimates of tokens."""

    def url(self) -> str:
        """Return the picture as a data URI (RFC 2397)."""
        return data_uri(self.content, self.media_type)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation with a model."""

    role: Role
    content: str | tuple[str | ImagePart, ...]
    """A text; or texts and pictures in the order in which they are read."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts, in order."""
        parts = (self.content,) if isinstance(self.content, str) else self.content
        return tuple(part for part in parts if isinstance(part, str))

    @property
    def text(self) -> str:
        """All texts, as one."""
        return "".join(self.texts)

    @property
    def pictures(self) -> tuple[ImagePart, ...]:
        """The pictures, in order."""
        return () if isinstance(self.content, str) else tuple(p for p in self.content if isinstance(p, ImagePart))

    def body(self) -> dict[str, Any]:
        """Return the message as the OpenAI API takes it; one without pictures is a plain text, since some servers take no other."""
        if not self.pictures:
            return {"role": self.role, "content": self.text}
        parts = [
            {"type": "text", "text": part}
            if isinstance(part, str)
            else {"type": "image_url", "image_url": {"url": part.url()}}
            for part in self.content
        ]
        return {"role": self.role, "content": parts}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A question whose answer is JSON of a schema, or any text."""

    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None = field(hash=False)
    """JSON Schema of the answer: an object; every property required, additionalProperties false. None asks for no form."""
    schema_name: str
    """A short name, letters and underscores."""
    step: str
    """The step of the build that asks (`stitch`, `tag`, ...); for counts of cost, no part of the request."""
    any_text: bool = False
    """Whatever text comes is the answer, an empty one too, and is not asked for again: the schema only steers the server. Always so
    without a schema."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a server counted."""

    tokens_in: int = 0
    tokens_out: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.tokens_in + other.tokens_in, self.tokens_out + other.tokens_out)


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """A whole answer that fits the schema of its request, or any text where that was asked for."""

    value: Any
    """The parsed JSON; None where any text is the answer."""
    text: str
    usage: Usage
    """Of the answer that was stored: the same whether it came from the server or the store."""
    from_store: bool
    finish_reason: str = ""
    """Why the model stopped: `stop`, `length`, or what a server says."""


class ServerFailed(InterruptedRun):
    """A server failed one request for longer than the retries last; another request may fare better."""


class Unanswered(InterruptedRun):
    """A model gave no usable answer to one request, however often it was asked: refused, empty, or not of the schema.

    The server itself works; other requests may go on. `reason` is one of `refused`, `empty`, `malformed`, `schema`, `length`.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)

    def __reduce__(self) -> tuple[type[Unanswered], tuple[str, str]]:
        return type(self), (self.reason, str(self))
