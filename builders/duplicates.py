"""Near-duplicate dialogues and pictures: grouped, never dropped. What shares a mark is neither split nor told together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from mldr.builders.imagehash import near_hashes
from mldr.builders.minhash import near_texts
from mldr.builders.settings import TOPICS, CleanSettings
from mldr.builders.sources.record import SourceDialogue
from mldr.builders.spool import SourceHead, Spool

Marks = dict[str, frozenset[str]]
"""source_id -> what two sources of one dialogue may not share."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Groups of near-duplicates. A group is named by its smallest member; what is in none of two or more is left out."""

    texts: dict[str, str] = field(default_factory=dict)
    """source_id -> its group."""
    images: dict[str, str] = field(default_factory=dict)
    """image key -> its group."""

    def counts(self) -> Counter[str]:
        """Return how many sources and pictures are in groups, and in how many, for the card."""
        return Counter(
            {
                "sources in groups of near-duplicate text": len(self.texts),
                "groups of near-duplicate text": len(set(self.texts.values())),
                "pictures in groups of near-duplicates": len(self.images),
                "groups of near-duplicate pictures": len(set(self.images.values())),
            }
        )


def find_duplicates(
    spool: Spool, kept: Iterable[str], image_hashes: Mapping[str, int | None], settings: CleanSettings
) -> Duplicates:
    """Return the groups of near-duplicates among sources and pictures; empty where the settings turn them off.

    Texts are read from the spool, one at a time; of a hundred thousand sources some 60 MB of signatures are held.

    Args:
        spool: the source dialogues.
        kept: ids of those that passed the filters.
        image_hashes: image key -> `perceptual_hash` of its bytes; None, or no entry, joins no group.
        settings: `near_text` and `near_image_bits`.
    """
    texts = _text_groups(spool, set(kept), settings.near_text) if settings.near_text else {}
    images = _image_groups(image_hashes, settings.near_image_bits) if settings.near_image_bits else {}
    return Duplicates(texts, images)


def _text_groups(spool: Spool, kept: set[str], threshold: float) -> dict[str, str]:
    first: dict[str, str] = {}
    for source_id in sorted(kept):  # equal texts are compared once
        first.setdefault(spool.heads[source_id].text_hash, source_id)
    asked = set(first.values())
    order: list[str] = []

    def texts() -> Iterator[str]:
        for dialogue in spool:
            if dialogue.source_id in asked:
                order.append(dialogue.source_id)
                yield _text(dialogue)

    found = near_texts(texts(), lambda position: _text(spool.get(order[position])), threshold)
    group_of = {order[position]: int(group) for position, group in enumerate(found)}
    return _named({source_id: group_of[first[spool.heads[source_id].text_hash]] for source_id in kept})


def _text(dialogue: SourceDialogue) -> str:
    return "\n".join(turn.text for turn in dialogue.turns)


def _image_groups(image_hashes: Mapping[str, int | None], bits: int) -> dict[str, str]:
    known = sorted((key, value) for key, value in image_hashes.items() if value is not None)
    found = near_hashes(np.array([value for _, value in known], dtype=np.uint64), bits)
    return _named({key: int(group) for (key, _), group in zip(known, found, strict=True)})


def _named(group_of: Mapping[str, int]) -> dict[str, str]:
    """Return member -> the smallest member of its group, for groups of two or more."""
    members: dict[int, list[str]] = defaultdict(list)
    for member in sorted(group_of):
        members[group_of[member]].append(member)
    return {member: group[0] for group in members.values() if len(group) > 1 for member in group}


def source_marks(heads: Mapping[str, SourceHead], image_keys: Mapping[str, str], duplicates: Duplicates) -> Marks:
    """Return the marks of each source: its whole text, its pictures, and the groups of near-duplicates that they are in.

    Args:
        heads: source_id -> head.
        image_keys: image ref -> key.
        duplicates: the groups.
    """
    marks: Marks = {}
    for source_id, head in heads.items():
        keys = [image_keys[ref] for ref in head.image_refs]
        own = [
            f"text:{head.text_hash}",
            *keys,
            *(f"like:{duplicates.images[k]}" for k in keys if k in duplicates.images),
        ]
        if source_id in duplicates.texts:
            own.append(f"text like:{duplicates.texts[source_id]}")
        marks[source_id] = frozenset(own)
    return marks


def with_components(
    marks: Marks, heads: Mapping[str, SourceHead], split_of: Mapping[str, str], component_of: Mapping[str, str]
) -> Marks:
    """Return the marks of the sources that are in a split, with their components, which are not told together either.

    A component that holds more than a third of a split's sources of a language is left out: with it, that split could not be
    matched. Its sources are kept apart by what they share themselves. (Where popular pictures tie most of a corpus together,
    as in DialogCC, nothing at all would be matched otherwise.)

    Args:
        marks: of `source_marks`.
        heads: source_id -> head.
        split_of: source_id -> split.
        component_of: source_id -> component.
    """
    pool_of = {source_id: (split, heads[source_id].language) for source_id, split in split_of.items()}
    pools = Counter(pool_of.values())
    parts = Counter((pool_of[source_id], component_of[source_id]) for source_id in split_of)
    extended: Marks = {}
    for source_id in split_of:
        pool, component = pool_of[source_id], component_of[source_id]
        counts = TOPICS * parts[pool, component] <= pools[pool]
        extended[source_id] = marks[source_id] | {f"component:{component}"} if counts else marks[source_id]
    return extended
