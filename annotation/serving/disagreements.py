"""A table of what annotators did not agree about: a line for each message or picture of a query that only some chose."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mldr.annotation.serving.adjudicating import Contested

_ACTIVE = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run as a formula if a cell began with it."""


def disagreements_csv(queries: Iterable[tuple[str, Contested]], between: Sequence[str]) -> str:
    """Return CSV: dialogue_id, query name, query, modality, id, then 1, 0 or '' (did not answer) for each annotator."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["dialogue_id", "name", "query", "modality", "id", *between])
    for dialogue_id, query in queries:
        sets = query.sets()
        for member in sorted(frozenset().union(*sets.values()), key=lambda one: (one[0] != "u", one[1])):
            chose = ["" if who not in sets else int(member in sets[who]) for who in between]
            if 0 in chose:
                modality = "utterance" if member[0] == "u" else "image"
                table.writerow([dialogue_id, query.name, _inert(query.query), modality, member[1], *chose])
    return out.getvalue()


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_ACTIVE) else text
