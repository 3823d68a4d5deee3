"""How far two partitions of the same messages agree: as in work on conversation disentanglement.

Sources: one-to-one overlap, Elsner and Charniak 2008; variation of information, Meila 2007, scaled by its bound as in Kummerfeld et
al. 2019, who also define the exact-match F1 without single messages; adjusted Rand index, Hubert and Arabie 1985.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mldr.annotation.agreement.matching import assignment, overlaps
from mldr.statistics import Floats, Ints

Partition = Sequence[frozenset[int]]


@dataclass(frozen=True, slots=True)
class PartitionAgreement:
    """The measures; None where one has no value."""

    one_to_one: float | None
    """Share of messages in the pairs of a one-to-one pairing of most overlap."""
    vi: float | None
    """Variation of information, bits; 0 for equal partitions."""
    vi_scaled: float | None
    """1 - vi / log2(messages): 1 for equal partitions."""
    rand: float | None
    """Adjusted Rand index; None where both are all of single messages, or both one part."""
    exact_f1: float | None
    """F1 of the parts that are exactly equal, single messages left out; None where neither side has a larger one."""


def partition_agreement(first: Partition, second: Partition) -> PartitionAgreement:
    """Return how far two partitions agree.

    Raises:
        ValueError: if they are no partitions of the same messages.
    """
    for side in (first, second):
        if sum(map(len, side)) != len(frozenset().union(*side)) or not all(side):
            raise ValueError("a message is in two parts, or a part is empty")
    if frozenset().union(*first) != frozenset().union(*second):
        raise ValueError("the two sides part different messages")
    if not first:
        return PartitionAgreement(None, None, None, None, None)
    shared, one, other = overlaps(first, second)
    total = int(one.sum())
    pairs = assignment(shared.astype(np.float64))
    vi = _variation(shared, one, other, total)
    return PartitionAgreement(
        one_to_one=sum(int(shared[pair]) for pair in pairs) / total,
        vi=vi,
        vi_scaled=1 - vi / float(np.log2(total)) if total > 1 else None,
        rand=_rand(shared, one, other, total),
        exact_f1=_exact(first, second),
    )


def _variation(shared: Ints, one: Ints, other: Ints, total: int) -> float:
    joint = _entropy(shared[shared > 0] / total)
    return abs(2 * joint - _entropy(one / total) - _entropy(other / total))  # never below 0 but for rounding


def _entropy(shares: Floats) -> float:
    return float(-(shares * np.log2(shares)).sum())


def _rand(shared: Ints, one: Ints, other: Ints, total: int) -> float | None:
    together, by_one, by_other = (float((n * (n - 1)).sum() / 2) for n in (shared, one, other))
    everything = total * (total - 1) / 2
    chance = by_one * by_other / everything if everything else 0.0
    most = (by_one + by_other) / 2
    return (together - chance) / (most - chance) if most != chance else None


def _exact(first: Partition, second: Partition) -> float | None:
    large = [{part for part in side if len(part) > 1} for side in (first, second)]
    total = len(large[0]) + len(large[1])
    return 2 * len(large[0] & large[1]) / total if total else None
