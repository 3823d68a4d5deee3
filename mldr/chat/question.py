"""A request in each way that it may be asked of an endpoint, each with its key in the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mldr.chat.endpoint import ModelEndpoint, StructuredMode
from mldr.chat.request import ChatRequest
from mldr.chat.store import response_key
from mldr.chat.structured import modes_of, request_body
from mldr.files import canonical_json, sha256_text


@dataclass(frozen=True, slots=True)
class Way:
    """One way of asking."""

    mode: StructuredMode
    body: dict[str, Any]
    """The whole request body, before a retry bumps its seed."""
    key: str


class Question:
    """A request and a sample number, and the ways of asking, made when they are needed: most are found at the first."""

    def __init__(self, endpoint: ModelEndpoint, request: ChatRequest, sample: int) -> None:
        self.endpoint, self.request, self.sample = endpoint, request, sample
        self._made: list[Way] = []

    def ways(self) -> Iterator[Way]:
        """Yield the ways of asking in the order in which they are tried and looked up."""
        for number, mode in enumerate(modes_of(self.endpoint, self.request)):
            if number == len(self._made):
                body = request_body(self.endpoint, self.request, mode, self.sample)
                self._made.append(Way(mode, body, response_key(body, self.endpoint.provider, self.sample)))
            yield self._made[number]

    @property
    def key(self) -> str:
        """The key of the first way: the question's identity while it is on its way."""
        return next(self.ways()).key

    @property
    def schema_hash(self) -> str:
        """The identity of the schema: what a server refuses may hang on it."""
        return sha256_text(canonical_json(self.request.schema))
