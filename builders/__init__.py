"""Builders: stitch short, single-topic source dialogues into long multimodal ones, with fragments and queries."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldr.builders.pipeline import create
    from mldr.builders.recipe import Recipe, load_recipe
    from mldr.builders.sources.record import SourceDialogue, SourceImage, SourceTag, SourceTurn

__all__ = ["Recipe", "SourceDialogue", "SourceImage", "SourceTag", "SourceTurn", "create", "load_recipe"]

_HOME = {
    "mldr.builders.pipeline": ("create",),
    "mldr.builders.recipe": ("Recipe", "load_recipe"),
    "mldr.builders.sources.record": ("SourceDialogue", "SourceImage", "SourceTag", "SourceTurn"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
