"""Retrievers: the reference systems, the protocol that any other one fits, and the runner that writes predictions files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldr.eval.prediction import Prediction
    from mldr.retrievers.protocol import Ask, DialogueView, Gold, Retriever, ViewImage, ViewUtterance
    from mldr.retrievers.runner import run_retriever

__all__ = ["Ask", "DialogueView", "Gold", "Prediction", "Retriever", "ViewImage", "ViewUtterance", "run_retriever"]

_HOME = {
    "mldr.eval.prediction": ("Prediction",),
    "mldr.retrievers.protocol": ("Ask", "DialogueView", "Gold", "Retriever", "ViewImage", "ViewUtterance"),
    "mldr.retrievers.runner": ("run_retriever",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
