"""The plan: a row for each dialogue to be made, sorted by split and dialogue_id. Everything after it streams."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mldr.builders.match import Match
from mldr.builders.split import SourceSplit
from mldr.builders.spool import SourceHead
from mldr.components import components
from mldr.files import sha256_text
from mldr.identity import component_id, secret_seed, stitched_dialogue_id

CANDIDATES = 8
"""Sources that are offered for each negative query: not every one of them fits."""
_SMALL_POOL = 256


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A dialogue to be made."""

    dialogue_id: str
    split: str
    language: str
    cluster_id: str
    source_ids: tuple[str, ...]
    strangers: tuple[str, ...]
    """Sources of other topics and components, whose queries may be asked as negatives; in order of preference."""
    neighbours: tuple[str, ...] = ()
    """Near sources of other components, for negatives of type `near`; nearest first."""


def plan(
    matches: Sequence[Match],
    heads: Mapping[str, SourceHead],
    split: SourceSplit,
    negatives: int,
    seed: int,
    salt: bytes = b"",
    language: str = "",
) -> list[PlanRow]:
    """Return the plan of a build.

    Args:
        matches: what is stitched to what.
        heads: source_id -> head.
        split: of the sources, with their components.
        negatives: negative queries a dialogue.
        seed: draws the strangers.
        salt: of a secret build, else empty.
        language: what the dialogues are translated into, '' where they stay as they are.
    """
    clusters = _clusters(matches, split.component_of, salt)
    pools: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source_id in sorted(split.split_of):
        pools[split.split_of[source_id], heads[source_id].language].append(source_id)
    rows = []
    for match in matches:
        told_in = language or match.language
        dialogue_id = stitched_dialogue_id(match.source_ids, told_in, salt)
        own_seed = secret_seed(seed, salt, match.split)
        drawn = _drawn(pools[match.split, match.language], f"{own_seed}/negative/{dialogue_id}")
        strangers = _strangers(match, drawn, heads, split.component_of, CANDIDATES * negatives)
        cluster = clusters[match.source_ids[0]]
        rows.append(PlanRow(dialogue_id, match.split, told_in, cluster, match.source_ids, strangers, match.neighbours))
    return sorted(rows, key=lambda row: (row.split, row.dialogue_id))


def _clusters(matches: Sequence[Match], component_of: Mapping[str, str], salt: bytes) -> dict[str, str]:
    """Return source_id -> cluster_id: dialogues that share a source component are one cluster."""
    used = {source_id for match in matches for source_id in match.source_ids}
    parts = {component_of[source_id] for source_id in used}
    ties = [
        (component_of[match.source_ids[0]], component_of[other]) for match in matches for other in match.source_ids[1:]
    ]
    joined = components(parts, ties)
    members: dict[str, list[str]] = defaultdict(list)
    for part, name in joined.items():
        members[name].append(part)
    ids = {name: component_id(parts_of, salt) for name, parts_of in members.items()}
    return {source_id: ids[joined[component_of[source_id]]] for source_id in used}


def _drawn(pool: Sequence[str], salt: str) -> Iterator[str]:
    """Yield members of a pool in a seeded order; of a large one, a seeded sample."""
    if len(pool) <= _SMALL_POOL:
        yield from sorted(pool, key=lambda member: sha256_text(f"{salt}/{member}"))
        return
    for draw in range(_SMALL_POOL):
        yield pool[int(sha256_text(f"{salt}/{draw}")[:16], 16) % len(pool)]


def _strangers(
    match: Match, drawn: Iterator[str], heads: Mapping[str, SourceHead], component_of: Mapping[str, str], wanted: int
) -> tuple[str, ...]:
    near = {component_of[source_id] for source_id in match.source_ids}
    topics = {heads[source_id].topic for source_id in match.source_ids}
    found: list[str] = []
    for source_id in drawn:
        if len(found) >= wanted:
            break
        if component_of[source_id] not in near and heads[source_id].topic not in topics and source_id not in found:
            found.append(source_id)
    return tuple(found)
