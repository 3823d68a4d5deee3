"""Matching without a model: three sources of three topics, inside a split and a language, sharing no picture or text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import chain, zip_longest

from mldr.builders.duplicates import Duplicates, Marks, source_marks
from mldr.builders.settings import TOPICS
from mldr.builders.spool import SourceHead
from mldr.files import sha256_text

_TRIED = 256
"""Sources of a topic that are looked at for neighbours."""


@dataclass(frozen=True, slots=True)
class Match:
    """Three sources that make one dialogue, in the order in which they are told."""

    split: str
    language: str
    source_ids: tuple[str, ...]
    neighbours: tuple[str, ...] = ()
    """Sources of the same split and language near to one of the three, nearest first, that share no mark with any of them;
    their queries may be asked as negatives of type `near`."""


def match(
    heads: Mapping[str, SourceHead],
    split_of: Mapping[str, str],
    image_keys: Mapping[str, str],
    seed: int,
    dropped: Counter[str],
    *,
    marks: Marks | None = None,
    neighbours: int = 0,
) -> list[Match]:
    """Return the matches; each source is used once at most.

    The next dialogue takes from the topics that have most sources left, so that few sources are left over; those are
    counted in `dropped`.

    Args:
        heads: source_id -> head.
        split_of: source_id -> split.
        image_keys: image ref -> key.
        seed: shuffles sources and topics.
        dropped: takes the count of what could not be matched.
        marks: source_id -> what no two sources of a dialogue may share; if absent, pictures and whole texts.
        neighbours: sources of the same topics to name beside each match.
    """
    if marks is None:
        marks = source_marks(heads, image_keys, Duplicates())
    pools: dict[tuple[str, str], list[SourceHead]] = defaultdict(list)
    for source_id in sorted(split_of, key=lambda s: sha256_text(f"{seed}/match/{s}")):
        pools[split_of[source_id], heads[source_id].language].append(heads[source_id])
    matches = []
    for (split, language), pool in sorted(pools.items()):
        shared = _shared({head.source_id: marks[head.source_id] for head in pool})
        found = _match_pool(pool, shared, seed)
        near = _Near(pool, shared, seed, neighbours)
        for triple in found:
            matches.append(Match(split, language, tuple(head.source_id for head in triple), near.beside(triple)))
        dropped["sources without two partners of other topics"] += len(pool) - TOPICS * len(found)
    return matches


def _shared(marks: Mapping[str, frozenset[str]]) -> Marks:
    """Return the marks that at least two sources have: no others keep anything apart."""
    holders = Counter(chain.from_iterable(marks.values()))
    return {source_id: frozenset(mark for mark in own if holders[mark] > 1) for source_id, own in marks.items()}


def _match_pool(pool: Iterable[SourceHead], marks: Marks, seed: int) -> list[list[SourceHead]]:
    topics: dict[str, list[SourceHead]] = defaultdict(list)
    for head in pool:
        topics[head.topic].append(head)
    heap = [(-len(sources), sha256_text(f"{seed}/topic/{topic}"), topic) for topic, sources in topics.items()]
    heapify(heap)
    found: list[list[SourceHead]] = []
    while True:
        popped: list[tuple[int, str, str]] = []
        triple = _first_fit(_fullest(heap, popped), topics, marks)
        if triple is None:  # the heap is empty now: look again, from every topic and source
            triple = _any_fit([topic for _, _, topic in popped], topics, marks)
        if triple is None:
            return found
        for head in triple:
            topics[head.topic].remove(head)
        for _, shuffle, topic in popped:
            if topics[topic]:
                heappush(heap, (-len(topics[topic]), shuffle, topic))
        turn = int(sha256_text(f"{seed}/order/{triple[0].source_id}")[:8], 16) % TOPICS
        found.append(triple[turn:] + triple[:turn])


def _fullest(heap: list[tuple[int, str, str]], popped: list[tuple[int, str, str]]) -> Iterator[str]:
    while heap:
        popped.append(heappop(heap))
        yield popped[-1][2]


def _first_fit(order: Iterable[str], topics: Mapping[str, list[SourceHead]], marks: Marks) -> list[SourceHead] | None:
    """Return the first source of the first topic with two of the next topics, no two sharing a mark."""
    chosen: list[SourceHead] = []
    used: set[str] = set()
    for topic in order:
        free = (head for head in topics[topic] if used.isdisjoint(marks[head.source_id]))
        if (head := next(free, None)) is not None:
            chosen.append(head)
            used |= marks[head.source_id]
        if len(chosen) == TOPICS:
            return chosen
    return None


def _any_fit(order: list[str], topics: Mapping[str, list[SourceHead]], marks: Marks) -> list[SourceHead] | None:
    for start, topic in enumerate(order):
        tried: set[frozenset[str]] = set()
        for first in topics[topic]:
            if marks[first.source_id] in tried:
                continue  # what it rules out was ruled out before: thousands may share one picture
            tried.add(marks[first.source_id])
            alone = {**topics, topic: [first]}
            if (triple := _first_fit(order[start:], alone, marks)) is not None:
                return triple
    return None


class _Near:
    """Sources of the same topics as a match, for negatives of type `near`."""

    def __init__(self, pool: Iterable[SourceHead], marks: Marks, seed: int, wanted: int) -> None:
        self._topics: dict[str, list[str]] = defaultdict(list)
        for head in pool if wanted else ():
            self._topics[head.topic].append(head.source_id)
        self._marks, self._seed, self._wanted = marks, seed, wanted

    def beside(self, triple: list[SourceHead]) -> tuple[str, ...]:
        """Return sources of the topics in turn, from a seeded place on, that share no mark with any of the three."""
        told = {head.source_id for head in triple}
        taken = frozenset[str]().union(*(self._marks[source_id] for source_id in told))
        chosen: list[str] = []
        for source_id in chain.from_iterable(zip_longest(*(self._turned(head) for head in triple))):
            if len(chosen) >= self._wanted:
                break
            if source_id is not None and source_id not in told and taken.isdisjoint(self._marks[source_id]):
                chosen.append(source_id)
        return tuple(chosen)

    def _turned(self, head: SourceHead) -> list[str]:
        members = self._topics[head.topic]
        if not members:
            return []
        start = int(sha256_text(f"{self._seed}/near/{head.source_id}")[:16], 16) % len(members)
        return (members[start : start + _TRIED] + members[: max(0, start + _TRIED - len(members))])[: len(members)]
