"""mldr: build, annotate, answer, score and rank long multimodal dialogues for Fine-grained Fragment Retrieval.

The names below are resolved when they are first used, so that `import mldr` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mldr.version import __version__

if TYPE_CHECKING:
    from mldr.dataset import Asked, Dataset, load
    from mldr.dialogue import Dialogue, DialogueImage, Fragment, Gold, Query, StoredImage, Utterance
    from mldr.errors import InputError, MldrError

__all__ = [
    "Asked",
    "Dataset",
    "Dialogue",
    "DialogueImage",
    "Fragment",
    "Gold",
    "InputError",
    "MldrError",
    "Query",
    "StoredImage",
    "Utterance",
    "__version__",
    "load",
]

_HOME = {
    "mldr.dataset": ("Asked", "Dataset", "load"),
    "mldr.dialogue": ("Dialogue", "DialogueImage", "Fragment", "Gold", "Query", "StoredImage", "Utterance"),
    "mldr.errors": ("InputError", "MldrError"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
