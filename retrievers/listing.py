"""What `mldr retrieve --list` says of each system."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

from mldr.errors import MldrError
from mldr.plugins import names, resolve
from mldr.retrievers.making import GROUP, make_retriever


@dataclass(frozen=True, slots=True)
class Listed:
    """One registered system, or why it cannot be had."""

    name: str
    sees: str
    needs: str
    words: str
    """The first line of its docstring."""


def listed() -> Iterator[Listed]:
    """Yield each registered system by name; a plug-in that cannot be loaded is named with the reason, and the others go on."""
    for name in names(GROUP):
        try:
            retriever = make_retriever(name, {})
            words = (inspect.getdoc(resolve(GROUP, name)) or "").partition("\n")[0]
            needs = ", ".join(getattr(retriever, "needs", ()))
            yield Listed(name, ", ".join(retriever.sees), needs, words)
        except MldrError as error:
            yield Listed(name, "", "", f"cannot be used: {error}")


def listing() -> Iterator[str]:
    """Yield a line for each registered system: name, what it sees by default, what it needs, what it does."""
    rows = [Listed("name", "sees", "needs", "what it does"), *listed()]
    widths = [max(len(getattr(row, column)) for row in rows) for column in ("name", "sees", "needs")]
    for row in rows:
        yield f"{row.name:<{widths[0]}}  {row.sees:<{widths[1]}}  {row.needs:<{widths[2]}}  {row.words}".rstrip()
