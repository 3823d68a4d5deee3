"""How far annotators agree: over the sets that answer a query, over single messages, and over whole partitions."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldr.annotation.agreement.models import Agreement
    from mldr.annotation.agreement.report import agreement_of
    from mldr.annotation.agreement.shown import card_section, notes, tables

__all__ = ["Agreement", "agreement_of", "card_section", "notes", "tables"]

_HOME = {
    "Agreement": "models",
    "agreement_of": "report",
    "card_section": "shown",
    "notes": "shown",
    "tables": "shown",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"mldr.annotation.agreement.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
