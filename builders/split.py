"""The split of the sources, by components and before any matching, so that nothing crosses from one split to another."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from mldr.builders.components import components, ties_of_shared
from mldr.builders.spool import SourceHead
from mldr.files import sha256_text


@dataclass(frozen=True, slots=True)
class SourceSplit:
    """Which split each source is in."""

    split_of: dict[str, str]
    """source_id -> split; dropped sources are not in it."""
    component_of: dict[str, str]
    """source_id -> its component, dropped ones too."""
    dropped: Counter[str]
    """reason -> sources."""


def split_sources(
    heads: Mapping[str, SourceHead], image_keys: Mapping[str, str], shares: Mapping[str, float], seed: int
) -> SourceSplit:
    """Return the split of the sources.

    Components of "shares an image or its whole text" are dealt out whole, the largest first, each to the split that is
    furthest from its share. A component larger than the share of the split it goes to is cut down to it.

    Args:
        heads: source_id -> head.
        image_keys: image ref -> key.
        shares: split -> its share of the sources; the rest is dropped.
        seed: breaks ties.
    """
    marks = {
        source_id: [*(image_keys[ref] for ref in head.image_refs), head.text_hash] for source_id, head in heads.items()
    }
    component_of = components(heads, ties_of_shared(marks))
    members: dict[str, list[str]] = defaultdict(list)
    for source_id in sorted(heads, key=lambda s: sha256_text(f"{seed}/split/{s}")):
        members[component_of[source_id]].append(source_id)
    room = {split: share * len(heads) for split, share in shares.items()}
    rest = len(heads) - sum(room.values())
    if rest >= 0.5:
        room["unused"] = rest
    limit = {split: max(1, round(target)) for split, target in room.items()}
    split_of: dict[str, str] = {}
    dropped: Counter[str] = Counter()
    order = sorted(members, key=lambda c: (-len(members[c]), sha256_text(f"{seed}/component/{c}")))
    for component in order:
        split = max(room, key=lambda s: (room[s], s))
        kept = members[component][: limit[split]]
        room[split] -= len(kept)
        dropped["sources of a component larger than its split"] += len(members[component]) - len(kept)
        if split == "unused":
            dropped["sources outside the shares of the splits"] += len(kept)
        else:
            split_of.update((source_id, split) for source_id in kept)
    return SourceSplit(split_of, component_of, +dropped)
