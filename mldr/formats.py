"""The `format: mldr/<kind>@<n>` line of every artefact: an older n is upgraded, a newer one refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mldr.errors import MldrError

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]

CURRENT: dict[str, int] = {
    "dataset": 1,
    "recipe": 1,
    "scores": 1,
    "comparison": 1,
    "published-scores": 1,
    "audit": 1,
    "responses": 1,
    "export": 1,
    "ms-swift": 1,
    "chat": 1,
    "private-store": 1,
    "import-report": 1,
    "cut-dialogue": 1,
    "collection": 1,
    "collected-dialogue": 1,
    "bundle": 1,
    "agreement": 1,
    "label-audit": 1,
    "audit-plan": 1,
    "grades": 1,
}
"""The version of each kind of artefact that this mldr writes."""

_UPGRADES: dict[tuple[str, int], Upgrade] = {}
"""(kind, n) -> the function that turns version n into n + 1."""


def format_line(kind: str) -> str:
    """Return the line that names a kind of artefact in its current version."""
    return f"mldr/{kind}@{CURRENT[kind]}"


def upgraded(document: Mapping[str, Any], kind: str, where: str) -> dict[str, Any]:
    """Return `document` in the current version of its format.

    Args:
        document: an artefact as read, with its `format`.
        kind: what it must be, a key of `CURRENT`.
        where: its place, for the message.

    Raises:
        MldrError: in one line, for another kind of artefact and for one that a newer mldr wrote.
    """
    line = document.get("format")
    name, _, number = str(line).partition("@")
    if name != f"mldr/{kind}" or not number.isascii() or not number.isdigit() or len(number) > 6:
        raise MldrError(f"{where}: format is {line!r}; mldr/{kind}@{CURRENT[kind]} is expected")
    version = int(number)
    if version < 1:
        raise MldrError(f"{where}: format is {line!r}; mldr/{kind}@{CURRENT[kind]} is expected")
    if version > CURRENT[kind]:
        raise MldrError(f"{where}: format {line} is newer than this mldr reads (@{CURRENT[kind]}); upgrade mldr")
    current = dict(document)
    for step in range(version, CURRENT[kind]):
        current = _UPGRADES[kind, step](current)
    return {**current, "format": format_line(kind)}
