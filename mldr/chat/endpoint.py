"""Where a language model is to be had: any server that speaks the OpenAI protocol, and what it costs."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mldr.files import canonical_json

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)

StructuredMode = Literal["json_schema", "json_object", "prompt"]

MOVABLE = ("base_url", "key_env", "concurrency", "timeout_s", "retries")
"""Settings that say how to reach a model and shape no byte: they are left out of what is published and hashed."""

RESERVED = (
    "api_key",
    "authorization",
    "max_tokens",
    "messages",
    "model",
    "n",
    "response_format",
    "seed",
    "stream",
    "temperature",
)
"""Fields of a request body that `extra` may not hold: mldr sets them itself, or they are secrets."""


class Price(BaseModel):
    """What a provider asks for a million tokens."""

    model_config = _STRICT

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """Return the price of so many tokens."""
        return (self.input * tokens_in + self.output * tokens_out) / 1_000_000


class ModelEndpoint(BaseModel):
    """A language model as a recipe names it."""

    model_config = _STRICT

    provider: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    """Who serves the model; part of the key under which its answers are stored, so a server may move."""
    model: str = Field(min_length=1)
    """The name that the server knows."""
    base_url: str = ""
    """http(s), up to and with `/v1`; '' takes the client's own default (OPENAI_BASE_URL, else OpenAI)."""
    key_env: str = Field(default="OPENAI_API_KEY", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$|^$")
    """The environment variable that holds the key; '' for a server that asks for none."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int = Field(default=4096, ge=1)
    """Of one answer."""
    seed: int | None = None
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request body, as the server takes them; `max_completion_tokens` stands in for `max_tokens`."""
    structured: Literal["auto"] | StructuredMode = "auto"
    """How the server is held to a schema: `json_schema` (strict), `json_object` (with the schema), or by the prompt alone."""
    concurrency: int = Field(default=8, ge=1, le=1024)
    """Requests in flight at most."""
    timeout_s: float = Field(default=120.0, gt=0)
    retries: int = Field(default=6, ge=0, le=100)
    """Further tries of one request after a fault of the server or an answer that is not of the schema."""
    price: Price | None = None
    terms: str = ""
    """The licence or terms that its output comes under; '' is unknown."""

    @field_validator("base_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        if not url:
            return url
        if "@" in url.split("/", 3)[2]:
            raise ValueError("must not hold a user name or password; name the key's variable in key_env")
        parts = urlsplit(url)  # its ValueError says what is wrong with the host
        if (
            not parts.hostname
            or parts.port == 0
            or parts.query
            or parts.fragment
            or not url.isprintable()
            or " " in url
        ):
            raise ValueError("must be an address such as http://127.0.0.1:8000/v1")
        return url

    @field_validator("extra")
    @classmethod
    def _is_json(cls, extra: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(key for key in extra if key.lower() in RESERVED):
            raise ValueError(f"must not hold {', '.join(taken)}; settings of their own, or the environment, say it")
        longest = extra.get("max_completion_tokens", 1)
        if type(longest) is not int or longest < 1:
            raise ValueError("max_completion_tokens is a whole number, 1 or more")
        try:
            canonical_json(extra).encode("utf-8")
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"holds what is no JSON ({error})") from error
        return extra

    @property
    def longest_answer(self) -> int:
        """The most tokens of one answer."""
        return int(self.extra.get("max_completion_tokens", self.max_tokens))

    def published(self) -> dict[str, Any]:
        """Return what shapes the bytes of an answer, without addresses, keys' names and limits."""
        return self.model_dump(exclude=set(MOVABLE))
