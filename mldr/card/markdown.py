"""Markdown of a card: foreign text that does nothing, tables, lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mldr.errors import printable

_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~&!])")


def plain(text: str, limit: int = 400) -> str:
    """Return foreign text so that Markdown shows it and does nothing with it: one line, cut to `limit`."""
    return _MARKDOWN.sub(r"\\\1", printable(text, limit))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown already."""
    lines = [_row(head), "|---" * len(head) + "|", *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return ("| " + " | ".join(cells) + " |").replace("|  |", "| |")


def bullets(lines: Sequence[str], shown: int = 200) -> str:
    """Return a list; its items are Markdown already, those after the first `shown` are counted."""
    more = [f"- ... and {len(lines) - shown:,} more, each named in its row"] if len(lines) > shown else []
    return "\n".join([*(f"- {line}" for line in lines[:shown]), *more]) + "\n"
