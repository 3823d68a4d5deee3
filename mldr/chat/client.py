"""One request to a server of the OpenAI protocol and what came of it: a reply, or a fault sorted by what may be done about it."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mldr.chat.endpoint import ModelEndpoint
from mldr.chat.request import Usage
from mldr.consent import address, on_loopback
from mldr.errors import MldrError, printable
from mldr.retryafter import retry_after

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

LARGEST_REPLY = 64 * 1024 * 1024
"""Bytes of one body; a server that sends more is not believed."""
_PASSING = {408, 409, 425, 429}
_REFUSES_A_MODE = {400, 404, 422, 501}
_MODE_WORDS = ("response_format", "json_schema", "json_object")
_TOO_LONG = ("context_length", "context length", "maximum context", "context window", "context size")
_FILTERED = ("content_filter", "content_policy", "content management policy")
_UNPAID = ("insufficient_quota", "billing_hard_limit", "credit balance")


class ServerFault(Exception):
    """The server failed in a way that may pass; `wait_s` is how long it asked to be left alone, None where it did not say."""

    def __init__(self, what: str, wait_s: float | None = None, lasting: bool = False) -> None:
        self.wait_s = wait_s
        self.lasting = lasting
        """It will not pass by asking again soon: the account has no credit."""
        super().__init__(what)


class ModeRefused(Exception):
    """The server does not know this way of asking for a schema, or does not say what else is wrong."""


class RequestRefused(Exception):
    """The server will not answer this one request; `reason` is `refused` or `length`."""

    def __init__(self, reason: str, what: str) -> None:
        self.reason = reason
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered, whole, before anybody looked whether it is of use."""

    text: str
    refusal: str
    finish_reason: str
    usage: Usage | None
    """None where the server did not count."""


class Connection:
    """The connections to one endpoint, over the `openai` client; its own retries are off."""

    def __init__(self, name: str, endpoint: ModelEndpoint) -> None:
        """Open no connection yet.

        Raises:
            MldrError: if the environment does not hold the key, or holds what can be none.
        """
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient, OpenAIError

        self.name, self.endpoint = name, endpoint
        self._key = _key(name, endpoint)
        httpx = DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0]  # httpx2; before openai 3, httpx
        transport = import_module(httpx)
        self._broken: tuple[type[Exception], ...] = (transport.HTTPError, transport.StreamError, OpenAIError)
        try:
            self._client: AsyncOpenAI = AsyncOpenAI(
                api_key=self._key or "none",  # the client wants one; '' would make it look elsewhere
                base_url=address(endpoint.base_url),
                max_retries=0,
                timeout=endpoint.timeout_s,
                http_client=DefaultAsyncHttpxClient(
                    follow_redirects=False,  # else a server could send real chats to another machine
                    trust_env=not on_loopback(endpoint.base_url),  # else a proxy would see what stays on this one
                    timeout=endpoint.timeout_s,
                ),
            )
        except (OpenAIError, transport.InvalidURL, ValueError) as error:
            place = "" if endpoint.base_url else " (OPENAI_BASE_URL)"
            raise MldrError(
                f"{name}: the server's address{place} or a proxy's cannot be used ({printable(str(error))})"
            ) from None

    async def send(self, body: dict[str, Any]) -> Reply:
        """Send one request and return the reply.

        Raises:
            ServerFault: for what may pass: 408, 409, 425, 429, 5xx, no answer in time, a broken connection, half a body.
            ModeRefused: if the way of asking for a schema is not understood.
            RequestRefused: if only this request is refused.
            MldrError: for what will not pass: a wrong key, no such model.
        """
        from openai import APIConnectionError, APIStatusError, APITimeoutError

        try:
            async with asyncio.timeout(self.endpoint.timeout_s):
                content = await self._post(body)
        except (TimeoutError, APITimeoutError):
            raise ServerFault(f"no whole answer within {self.endpoint.timeout_s:g} s") from None
        except APIConnectionError as error:
            raise ServerFault(
                self._shown(f"{type(error.__cause__ or error).__name__}: {error.__cause__ or error}")
            ) from None
        except APIStatusError as error:
            raise self._status(error) from None
        except self._broken as error:
            raise ServerFault(self._shown(f"{type(error).__name__}: {error}")) from None
        return self._reply(content)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _post(self, body: dict[str, Any]) -> bytes:
        content = bytearray()
        async with self._client.chat.completions.with_streaming_response.create(
            model=body["model"],
            messages=(),  # stand in the body; given here, the client walks through them for a fifth of its time
            extra_body=body,
        ) as response:
            async for piece in response.iter_bytes():
                content += piece
                if len(content) > LARGEST_REPLY:
                    raise ServerFault(f"a body of more than {LARGEST_REPLY:,} bytes")
        return bytes(content)

    def _reply(self, content: bytes) -> Reply:
        try:
            document = json.loads(content)
            choice = document["choices"][0]
            message = choice["message"]
            text, refusal = _text(message.get("content")), _text(message.get("refusal"))
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            shown = self._shown(content[:200].decode("utf-8", "replace"))
            raise ServerFault(f"its answer is no chat completion: {shown}") from None
        finish = choice.get("finish_reason")
        finish = printable(finish, 64) if isinstance(finish, str) else ""
        return Reply(self._without_key(text), self._without_key(refusal), finish, _usage(document.get("usage")))

    def _status(self, error: APIStatusError) -> Exception:
        status, said = error.status_code, self._shown(error.message)
        words = f"{error.code} {error.message}".lower()
        names_a_mode = any(word in words for word in _MODE_WORDS)
        too_long = any(word in words for word in _TOO_LONG)
        if status == 413 or (too_long and not names_a_mode and status in (400, 422, 500)):
            return RequestRefused("length", f"the question is too long for it ({said})")
        if status == 402 or (status == 429 and any(word in words for word in _UNPAID)):
            return ServerFault(f"the account has no credit left ({said})", lasting=True)
        if status in _PASSING or (status >= 500 and status != 501 and not names_a_mode):
            return ServerFault(f"status {status} ({said})", retry_after(error.response.headers))
        if status in (401, 403):
            return MldrError(f"{self.name}: the server refuses the key (status {status}: {said}); {self._mend_key()}")
        if 300 <= status < 400:
            return MldrError(f"{self.name}: the server sends on to another address; put the final one into base_url")
        if status == 404 and "model" in words and not names_a_mode:
            return MldrError(f"{self.name}: no such model (status 404: {said}); mend `model` or `base_url`")
        if status in (400, 422) and not names_a_mode and any(word in words for word in _FILTERED):
            return RequestRefused("refused", f"its filter refuses the question ({said})")
        if status in _REFUSES_A_MODE or names_a_mode:
            return ModeRefused(f"status {status}: {said}")
        return MldrError(f"{self.name}: the server refuses the request (status {status}: {said})")

    def _mend_key(self) -> str:
        if not self.endpoint.key_env:
            return "name the environment variable with the key in `key_env`"
        return f"check the environment variable {self.endpoint.key_env}"

    def _shown(self, text: str) -> str:
        return printable(text.replace(self._key, "[key]") if self._key else text, 200)

    def _without_key(self, text: str) -> str:
        """Servers quote what they were sent; a key of a few letters is none that is secret, and would blank words of an answer."""
        return text.replace(self._key, "[key]") if len(self._key) >= 8 else text

    def __repr__(self) -> str:
        return f"Connection({self.name})"


def _key(name: str, endpoint: ModelEndpoint) -> str:
    if not endpoint.key_env:
        return ""
    key = os.environ.get(endpoint.key_env, "").strip()
    if not key:
        message = f"{name}: the environment variable {endpoint.key_env} does not hold its key; set it"
        raise MldrError(f"{message}, or write `key_env: ''` for a server that asks for none")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise MldrError(f"{name}: the environment variable {endpoint.key_env} holds characters that no key has")
    return key


def _text(content: Any) -> str:
    """Return a message's text: a string, or a list of parts as some servers send it."""
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise TypeError("a text is expected")
    return content


def _usage(counted: Any) -> Usage | None:
    if not isinstance(counted, dict):
        return None
    numbers = [counted.get("prompt_tokens", 0), counted.get("completion_tokens", 0)]
    if not all(type(number) is int and 0 <= number < 10**12 for number in numbers) or not any(numbers):
        return None
    return Usage(*numbers)
