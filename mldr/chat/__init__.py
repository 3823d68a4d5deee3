"""Talking to a language model: the only place of mldr that calls one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldr.chat.budget import Budget
    from mldr.chat.endpoint import ModelEndpoint, Price
    from mldr.chat.estimate import tokens_of, tokens_of_request
    from mldr.chat.model import ChatModel
    from mldr.chat.request import ChatAnswer, ChatRequest, ImagePart, Message, ServerFailed, Unanswered, Usage
    from mldr.chat.store import ResponseStore

__all__ = [
    "Budget",
    "ChatAnswer",
    "ChatModel",
    "ChatRequest",
    "ImagePart",
    "Message",
    "ModelEndpoint",
    "Price",
    "ResponseStore",
    "ServerFailed",
    "Unanswered",
    "Usage",
    "tokens_of",
    "tokens_of_request",
]

_HOME = {
    "mldr.chat.budget": ("Budget",),
    "mldr.chat.endpoint": ("ModelEndpoint", "Price"),
    "mldr.chat.estimate": ("tokens_of", "tokens_of_request"),
    "mldr.chat.model": ("ChatModel",),
    "mldr.chat.request": ("ChatAnswer", "ChatRequest", "ImagePart", "Message", "ServerFailed", "Unanswered", "Usage"),
    "mldr.chat.store": ("ResponseStore",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
