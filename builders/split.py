"""The split of the sources, by components and before any matching, so that nothing crosses from one split to another."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mldr.builders.spool import SourceHead
from mldr.components import components, ties_of_shared
from mldr.files import sha256_text

UNUSED = "unused"
"""Where the sources go that no split's share covers."""
Stratum = tuple[str, str]
"""A language and a topic; '' stands for the topics too rare to be shared out one by one."""


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
    heads: Mapping[str, SourceHead],
    image_keys: Mapping[str, str],
    shares: Mapping[str, float],
    seed: int,
    ties: Iterable[tuple[str, str]] = (),
) -> SourceSplit:
    """Return the split of the sources, stratified by topic.

    Components of "shares an image, its whole text, or a tie" are dealt out whole, the largest first, each to the split in
    which it brings size and topics closest to what they should be (iterative stratification after Sechidis et al. 2011, over
    components). A component larger than the share of the split it goes to is cut down to it.

    Args:
        heads: source_id -> head.
        image_keys: image ref -> key.
        shares: split -> its share of the sources; the rest is dropped.
        seed: breaks ties.
        ties: further pairs of sources that belong together (near-duplicates); of other sources they are passed over.
    """
    marks = {
        source_id: [*(image_keys[ref] for ref in head.image_refs), head.text_hash] for source_id, head in heads.items()
    }
    known = [(first, second) for first, second in ties if first in heads and second in heads]
    component_of = components(heads, ties_of_shared(marks) + known)
    members: dict[str, list[str]] = defaultdict(list)
    for source_id in sorted(heads, key=lambda s: sha256_text(f"{seed}/split/{s}")):
        members[component_of[source_id]].append(source_id)
    order = sorted(members, key=lambda c: (-len(members[c]), sha256_text(f"{seed}/component/{c}")))
    deal = _Deal(heads, shares)
    split_of: dict[str, str] = {}
    dropped: Counter[str] = Counter()
    for component in order:
        split, kept = deal.give(members[component])
        dropped["sources of a component larger than its split"] += len(members[component]) - len(kept)
        if split == UNUSED:
            dropped["sources outside the shares of the splits"] += len(kept)
        else:
            split_of.update((source_id, split) for source_id in kept)
    return SourceSplit(split_of, component_of, +dropped)


class _Deal:
    """Deals components out; knows what each split should hold, and holds."""

    def __init__(self, heads: Mapping[str, SourceHead], shares: Mapping[str, float]) -> None:
        self._shares = dict(shares)
        rest = len(heads) - sum(share * len(heads) for share in shares.values())
        if rest >= 0.5:
            self._shares[UNUSED] = rest / len(heads)
        self._stratum = _strata(heads, min(shares.values()))
        self._size_of = Counter(self._stratum.values())
        self._total = len(heads)
        self._held: dict[str, Counter[Stratum]] = {split: Counter() for split in self._shares}
        self._n_held: Counter[str] = Counter()

    def give(self, members: Sequence[str]) -> tuple[str, Sequence[str]]:
        """Return the split that a component goes to, and those of its members that fit."""
        fits = {split: members[: max(1, round(share * self._total))] for split, share in self._shares.items()}
        split = min(fits, key=lambda s: (self._cost(s, fits[s]), -self._shares[s], s))
        kept = fits[split]
        self._held[split].update(self._stratum[source_id] for source_id in kept)
        self._n_held[split] += len(kept)
        return split, kept

    def _cost(self, split: str, kept: Sequence[str]) -> float:
        """Return by how much the split's distance to what it should hold grows: chi-square, of its size and its strata.

        For single sources this is the next in turn by Webster's method, both of the size and of the topic.
        """
        share, held = self._shares[split], self._held[split]
        cost = _growth(self._n_held[split], len(kept), share * self._total)
        for stratum, count in Counter(self._stratum[source_id] for source_id in kept).items():
            cost += _growth(held[stratum], count, share * self._size_of[stratum])
        return cost


def _growth(held: int, more: int, target: float) -> float:
    return more * (2 * (held - target) + more) / target


def _strata(heads: Mapping[str, SourceHead], rarest: float) -> dict[str, Stratum]:
    """Return the stratum of each source; topics of which a split of the share `rarest` would get none are one stratum."""
    topics = Counter((head.language, head.topic) for head in heads.values())
    return {
        source_id: (head.language, head.topic if topics[head.language, head.topic] * rarest >= 1 else "")
        for source_id, head in heads.items()
    }


def topic_deviation(heads: Mapping[str, SourceHead], split_of: Mapping[str, str]) -> dict[str, float]:
    """Return for each split how far its mix of topics is from that of all splits together.

    The total variation distance: the share of its sources that would have to be of another topic, 0 to 1. Topics so rare
    that the smallest split would get none of them count as one for each language.
    """
    sizes = Counter(split_of.values())
    if not sizes:
        return {}
    stratum = _strata({source_id: heads[source_id] for source_id in split_of}, min(sizes.values()) / sizes.total())
    whole = Counter(stratum.values())
    mixes: dict[str, Counter[Stratum]] = defaultdict(Counter)
    for source_id, split in split_of.items():
        mixes[split][stratum[source_id]] += 1
    return {
        split: math.fsum(abs(mix[one] / sizes[split] - count / sizes.total()) for one, count in whole.items()) / 2
        for split, mix in sorted(mixes.items())
    }
