"""Which queries of a split are drawn: by kind, language and label source, in proportion, at least one each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mldr.errors import MldrError
from mldr.files import sha256_text

PER_DIALOGUE = 3
"""Queries drawn of one dialogue at most: whoever has read it finds the next answer too easily, and dialogues vary."""


@dataclass(frozen=True, slots=True)
class Row:
    """A query that may be drawn."""

    query_id: str
    dialogue_id: str
    stratum: tuple[str, str, str]
    """Kind, language, label source."""


def allotted(sizes: Mapping[tuple[str, str, str], int], n: int) -> dict[tuple[str, str, str], int]:
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
    """Return the rows that are drawn, in an order that tells nothing.

    The same rows and seed give the same sample in any order of the rows. Rare strata choose first, so that the limit a dialogue
    does not take their queries; what a stratum cannot fill, others do.
    """
    sizes = Counter(row.stratum for row in rows)
    if not sizes:
        raise MldrError("there is no query to draw")
    wanted = allotted(sizes, n)
    ordered = sorted(rows, key=lambda row: sha256_text(f"audit/{seed}/{row.query_id}"))
    taken: dict[str, Row] = {}
    used: Counter[str] = Counter()

    def take(candidates: Sequence[Row], limit: int) -> None:
        for row in candidates:
            if limit <= 0:
                return
            if row.query_id not in taken and used[row.dialogue_id] < per_dialogue:
                taken[row.query_id] = row
                used[row.dialogue_id] += 1
                limit -= 1

    for stratum in sorted(sizes, key=lambda stratum: (sizes[stratum], stratum)):
        take([row for row in ordered if row.stratum == stratum], wanted[stratum])
    take(ordered, min(n, len(rows)) - len(taken))
    return [row for row in ordered if row.query_id in taken]
