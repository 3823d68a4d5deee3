"""Which answers are answers to the same query: by the name of a query that all were asked, else by the query's text."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence, Set

from mldr.annotation.agreement.reading import Given

Row = tuple[Given | None, ...]
"""The answers to one query, parallel to the raters."""


def spelled(query: str) -> str:
    """Return a query's text without what does not tell two apart: width, case, white space."""
    return " ".join(unicodedata.normalize("NFKC", query).casefold().split())


def aligned(answers: Sequence[Sequence[Given]], asked: Sequence[str]) -> tuple[list[Row], list[list[Given]]]:
    """Return the queries that raters have in common, and what each rater has beside them.

    A query that all were asked is one row, whoever answered it. Any other is a row if at least two raters wrote the same text;
    a text that a rater wrote several times goes with the others' in the order of writing.

    Args:
        answers: of one dialogue, a sequence a rater.
        asked: the names of the queries that all were asked.
    """
    named = [{given.name: given for given in own} for own in answers]
    rows: list[Row] = [tuple(own.get(name) for own in named) for name in asked]
    known = set(asked)
    texts = [_by_text(own, known) for own in answers]
    keys = dict.fromkeys(key for own in texts for key in own)
    shared = [key for key in keys if sum(key in own for own in texts) >= 2]
    rows += [tuple(own.get(key) for own in texts) for key in shared]
    taken = {id(given) for row in rows for given in row if given is not None}
    return rows, [[given for given in own if id(given) not in taken] for own in answers]


def _by_text(answers: Sequence[Given], asked: Set[str]) -> dict[tuple[str, int], Given]:
    """Return (text, how many times it stood before) -> answer, for texts that are not empty."""
    found: dict[tuple[str, int], Given] = {}
    before: Counter[str] = Counter()
    for given in answers:
        text = spelled(given.query)
        if given.name not in asked and text:
            found[text, before[text]] = given
            before[text] += 1
    return found
