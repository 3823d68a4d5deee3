"""What is checked of a label: a statement before it is written, and a whole dialogue before it is called done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from mldr.annotation.labels import Asked, Labels, Put, query_key
from mldr.annotation.records import Collected
from mldr.dialogue import Dialogue
from mldr.errors import Faults

MOST = 0.8
"""A fragment of more than this share of the turns is asked about."""

Code = Literal["empty", "negative", "no_query", "unanswered", "same_query", "duplicate", "most", "undecided", "nothing"]
FINAL: frozenset[Code] = frozenset({"empty", "negative", "no_query", "unanswered", "same_query"})
"""Problems that must be mended; the annotator may say of every other that it is meant so."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that stands in the way of `done`."""

    code: Code
    fragment: str = ""
    other: str = ""
    """The second fragment of a pair; the pictures of `undecided`."""

    @property
    def final(self) -> bool:
        """Whether it must be mended."""
        return self.code in FINAL


def check_ids(
    utterance_ids: Sequence[int], image_ids: Sequence[int], dialogue: Dialogue, faults: Faults, place: str
) -> None:
    """Note every id that an answer about a dialogue cannot hold, and ids that are not in ascending order."""
    textless = set(dialogue.textless_ids)
    for name, ids, size in (
        ("utterance_ids", utterance_ids, dialogue.n_utterances),
        ("image_ids", image_ids, dialogue.n_images),
    ):
        if list(ids) != sorted(set(ids)):
            faults.add(f"{place}, {name}", "ascending ids are expected, none twice")
        for one in ids:
            if not 0 <= one < size:
                faults.add(f"{place}, {name}", f"{one} is not in the dialogue, whose ids are 0 to {size - 1}")
            elif name == "utterance_ids" and one in textless:
                faults.add(f"{place}, {name}", f"{one} has no text; choose its pictures")


def check_put(put: Put, dialogue: Dialogue, asked: Sequence[Asked], *, given_only: bool) -> None:
    """Refuse a statement that could never stand.

    Raises:
        InputError: with every fault: ids that the dialogue lacks, other words for a given query, a query of one's own where
            only given ones are answered.
    """
    faults, place = Faults(), f"fragment {put.fragment}"
    check_ids(put.utterance_ids, put.image_ids, dialogue, faults, place)
    given = {query.name: query.text for query in asked}
    if put.fragment in given and put.query != given[put.fragment]:
        faults.add(f"{place}, query", "the words of a given query are fixed")
    if given_only and put.fragment not in given:
        faults.add(place, "only the given queries are answered here")
    faults.check()


def problems(labels: Labels, asked: Sequence[Asked], collected: Collected) -> list[Problem]:
    """Return what stands in the way of calling a dialogue done, what must be mended first."""
    found = [Problem("unanswered", query.name) for query in still_asked(labels, asked)]
    words = {query.name: query.text for query in asked}
    if not labels.fragments and not asked:
        found.append(Problem("nothing"))
    for put in labels.fragments.values():
        found += _of_one(put, collected)
    for one, other in combinations(labels.fragments.values(), 2):
        if one.query.strip() and _key(one, words) == _key(other, words):
            found.append(Problem("same_query", one.fragment, other.fragment))
        ids = (one.utterance_ids, one.image_ids)
        if any(ids) and ids == (other.utterance_ids, other.image_ids):
            found.append(Problem("duplicate", one.fragment, other.fragment))
    return sorted(found, key=lambda problem: not problem.final)


def still_asked(labels: Labels, asked: Sequence[Asked]) -> list[Asked]:
    """Return the given queries that have no answer: one that the annotator wrote is answered under a name of its own."""
    words = {query.name: query.text for query in asked}
    answered = {_key(put, words) for put in labels.fragments.values()}
    return [query for query in asked if ("asked", query.name) not in answered]


def _key(put: Put, words: Mapping[str, str]) -> tuple[str, str]:
    return query_key(put.fragment, put.query, words)


def _of_one(put: Put, collected: Collected) -> list[Problem]:
    found = []
    holds = bool(put.utterance_ids or put.image_ids)
    if not put.query.strip():
        found.append(Problem("no_query", put.fragment))
    if not holds and not put.negative:
        found.append(Problem("empty", put.fragment))
    if holds and put.negative:
        found.append(Problem("negative", put.fragment))
    dialogue = collected.dialogue
    carriers = {i for i, said in enumerate(dialogue.utterances) if set(said.image_ids) & set(put.image_ids)}
    if len(carriers | set(put.utterance_ids)) > MOST * dialogue.n_utterances:
        found.append(Problem("most", put.fragment))
    undecided = [i for i in put.image_ids if i < len(collected.images) and collected.images[i].decision == ""]
    if undecided:
        found.append(Problem("undecided", put.fragment, ", ".join(map(str, undecided))))
    return found
