"""Matching without a model: three sources of three topics, inside a split and a language, sharing no picture."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from mldr.builders.spool import SourceHead
from mldr.files import sha256_text

TOPICS = 3
"""Topics of a dialogue (the papers' triplets)."""


@dataclass(frozen=True, slots=True)
class Match:
    """Three sources that make one dialogue, in the order in which they are told."""

    split: str
    language: str
    source_ids: tuple[str, ...]
    neighbours: tuple[str, ...] = ()
    """Sources of the same split and language near to one of the three, nearest first, that share no component with any of
    them; their queries may be asked as negatives of type `near`."""


def match(
    heads: Mapping[str, SourceHead],
    split_of: Mapping[str, str],
    image_keys: Mapping[str, str],
    seed: int,
    dropped: Counter[str],
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
    """
    pools: dict[tuple[str, str], list[SourceHead]] = defaultdict(list)
    for source_id in sorted(split_of, key=lambda s: sha256_text(f"{seed}/match/{s}")):
        pools[split_of[source_id], heads[source_id].language].append(heads[source_id])
    matches = []
    for (split, language), pool in sorted(pools.items()):
        found = _match_pool(pool, image_keys, seed)
        matches += [Match(split, language, tuple(head.source_id for head in triple)) for triple in found]
        dropped["sources without two partners of other topics"] += len(pool) - TOPICS * len(found)
    return matches


def _match_pool(pool: Iterable[SourceHead], image_keys: Mapping[str, str], seed: int) -> list[list[SourceHead]]:
    topics: dict[str, list[SourceHead]] = defaultdict(list)
    for head in pool:
        topics[head.topic].append(head)
    heap = [(-len(sources), sha256_text(f"{seed}/topic/{topic}"), topic) for topic, sources in topics.items()]
    heapify(heap)
    found: list[list[SourceHead]] = []
    while True:
        popped: list[tuple[int, str, str]] = []
        triple = _first_fit(_fullest(heap, popped), topics, image_keys)
        if triple is None:  # the heap is empty now: look again, from every topic and source
            triple = _any_fit([topic for _, _, topic in popped], topics, image_keys)
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


def _first_fit(
    order: Iterable[str], topics: Mapping[str, list[SourceHead]], image_keys: Mapping[str, str]
) -> list[SourceHead] | None:
    """Return the first source of the first topic with two of the next topics, no two sharing a picture."""
    chosen: list[SourceHead] = []
    used: set[str] = set()
    for topic in order:
        free = (head for head in topics[topic] if used.isdisjoint(_keys(head, image_keys)))
        if (head := next(free, None)) is not None:
            chosen.append(head)
            used |= _keys(head, image_keys)
        if len(chosen) == TOPICS:
            return chosen
    return None


def _any_fit(
    order: list[str], topics: Mapping[str, list[SourceHead]], image_keys: Mapping[str, str]
) -> list[SourceHead] | None:
    for start, topic in enumerate(order):
        tried: set[frozenset[str]] = set()
        for first in topics[topic]:
            pictures = frozenset(image_keys[ref] for ref in first.image_refs)
            if pictures in tried:
                continue  # what it rules out was ruled out before: thousands may share one picture
            tried.add(pictures)
            alone = {**topics, topic: [first]}
            if (triple := _first_fit(order[start:], alone, image_keys)) is not None:
                return triple
    return None


def _keys(head: SourceHead, image_keys: Mapping[str, str]) -> set[str]:
    """Return what no two sources of a dialogue may share: pictures, and the whole text."""
    return {head.text_hash, *(image_keys[ref] for ref in head.image_refs)}
