"""Which queries of a split are drawn: by kind, language and label source, in proportion, at least one each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mldr.errors import MldrError
from mldr.files import sha256_text

Stratum = tuple[str, str, str]
"""Kind, language, label source."""
PER_DIALOGUE = 3
"""Queries drawn of one dialogue at most, if so many can be had: whoever has read it finds the next answer too easily."""


@dataclass(frozen=True, slots=True)
class Row:
    """A query that may be drawn."""

    query_id: str
    dialogue_id: str
    stratum: Stratum


def allotted(sizes: Mapping[Stratum, int], n: int) -> dict[Stratum, int]:
    """Return how many to draw of each stratum: in proportion to its size, at least one, `n` together (or all there are).

    Raises:
        MldrError: if there are more strata than `n`.
    """
    if n < len(sizes):
        raise MldrError(
            f"-n {n}: there are {len(sizes)} strata (kind, language, label source), and each gives one at least"
        )
    total = sum(sizes.values())
    wanted = min(n, total)
    quota = {stratum: wanted * size / total for stratum, size in sizes.items()}
    found = {stratum: max(1, int(share)) for stratum, share in quota.items()}
    while sum(found.values()) < wanted:
        room = [stratum for stratum in found if found[stratum] < sizes[stratum]]
        found[max(room, key=lambda stratum: (quota[stratum] - found[stratum], stratum))] += 1
    while sum(found.values()) > wanted:
        large = [stratum for stratum in found if found[stratum] > 1]
        found[min(large, key=lambda stratum: (quota[stratum] - found[stratum], stratum))] -= 1
    return found


def sample(rows: Sequence[Row], n: int, seed: int, per_dialogue: int = PER_DIALOGUE) -> list[Row]:
    """Return the rows that are drawn, each stratum's as `allotted` says, in an order that tells nothing.

    The same rows and seed give the same sample in any order of the rows. The limit a dialogue is the smallest from `per_dialogue`
    on with which every stratum is filled: a split of few dialogues has more queries drawn of each, and no kind goes short.
    """
    sizes = Counter(row.stratum for row in rows)
    if not sizes:
        raise MldrError("there is no query to draw")
    wanted = allotted(sizes, n)
    ordered = sorted(rows, key=lambda row: sha256_text(f"audit/{seed}/{row.query_id}"))
    most = max(Counter(row.dialogue_id for row in rows).values())
    limit = per_dialogue
    while (taken := _taken(ordered, sizes, wanted, limit)) is None and limit < most:
        limit += 1
    return [row for row in ordered if taken is None or row.query_id in taken]


def _taken(
    ordered: Sequence[Row], sizes: Mapping[Stratum, int], wanted: Mapping[Stratum, int], limit: int
) -> set[str] | None:
    """Return the ids of a sample with so many queries a dialogue at most, rare strata first; None if one cannot be filled."""
    taken: set[str] = set()
    used: Counter[str] = Counter()
    of: dict[Stratum, list[Row]] = {stratum: [] for stratum in sizes}
    for row in ordered:
        of[row.stratum].append(row)
    for stratum in sorted(sizes, key=lambda stratum: (sizes[stratum], stratum)):
        left = wanted[stratum]
        for row in of[stratum]:
            if left and used[row.dialogue_id] < limit:
                taken.add(row.query_id)
                used[row.dialogue_id] += 1
                left -= 1
        if left:
            return None
    return taken
