"""What the tests of the language model share: questions, an endpoint at the fake server, and asking many at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from mldr.chat import Budget, ChatAnswer, ChatModel, ChatRequest, Message, ModelEndpoint, ResponseStore
from tests.fakes.chat_server import ChatServer

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"tag": {"type": "string"}},
    "required": ["tag"],
    "additionalProperties": False,
}
KEY = "sk-secret-0123456789"


def question(text: str = "q", schema: dict[str, Any] | None = None, step: str = "tag") -> ChatRequest:
    """Return a question whose answer is a tag."""
    return ChatRequest((Message("system", "You tag."), Message("user", text)), schema or SCHEMA, "tag", step)


def endpoint(server: ChatServer | None = None, **settings: Any) -> ModelEndpoint:
    """Return an endpoint at a server (nowhere, without one), impatient and without a key."""
    usual: dict[str, Any] = {
        "provider": "fake",
        "model": "m",
        "base_url": server.base_url if server else "http://127.0.0.1:9/v1",
        "key_env": "",
        "timeout_s": 5.0,
        "retries": 6,
    }
    return ModelEndpoint(**{**usual, **settings})


async def asked(model: ChatModel, texts: list[str], **options: Any) -> list[ChatAnswer | BaseException]:
    """Return the answers, or what was raised, in order."""
    return await asyncio.gather(*(model.ask(question(text), **options) for text in texts), return_exceptions=True)


def ask_all(
    path: Path, where: ModelEndpoint, texts: list[str], budget: Budget | None = None, **options: Any
) -> list[ChatAnswer | BaseException]:
    """Open a store and a model, ask, and close both: a run."""
    settings = {name: options.pop(name) for name in ("offline", "backoff_s", "grace_s") if name in options}

    async def run(store: ResponseStore) -> list[ChatAnswer | BaseException]:
        async with ChatModel(where, store, budget, **{"backoff_s": 0.01, **settings}) as model:
            return await asked(model, texts, **options)

    with ResponseStore(path) as store:
        return asyncio.run(run(store))


def ask_one(path: Path, where: ModelEndpoint, text: str = "q", **options: Any) -> ChatAnswer:
    """Return one answer, or raise what the run raised."""
    (answer,) = ask_all(path, where, [text], **options)
    if isinstance(answer, BaseException):
        raise answer
    return answer


def files_of(path: Path) -> bytes:
    """Return every byte of a store: the file, and the log beside it."""
    return b"".join(part.read_bytes() for part in sorted(path.parent.glob(f"{path.name}*")))
