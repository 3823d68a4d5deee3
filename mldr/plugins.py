"""Finding plug-ins: by entry point, or by `module:Class` for code that is not installed."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from mldr.errors import MldrError, printable


def names(group: str) -> list[str]:
    """Return the names registered in an entry-point group, in alphabetical order."""
    return sorted({entry.name for entry in entry_points(group=group)})


def resolve(group: str, name: str) -> Any:
    """Return what `name` stands for: an entry point of `group`, or the attribute of a module.

    Args:
        group: the entry-point group, `mldr.retrievers` or `mldr.sources`.
        name: a registered name, or `module:attribute`; modules of the current folder are found too.

    Raises:
        MldrError: if there is no such thing, or loading it fails.
    """
    if ":" in name:
        entry = EntryPoint(name, name, group)
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.insert(0, str(Path.cwd()))
    else:
        found = [entry for entry in entry_points(group=group) if entry.name == name]
        if not found:
            raise MldrError(f"{name!r} is not registered; known are {', '.join(names(group))}, or write module:Class")
        entry = found[0]
    module, _, attribute = entry.value.partition(":")
    try:
        loaded: Any = import_module(module.strip())
        for part in attribute.strip().split("."):
            loaded = getattr(loaded, part)
    except Exception as error:
        raise MldrError(printable(f"{entry.value}: cannot be loaded ({type(error).__name__}: {error})")) from error
    return loaded
