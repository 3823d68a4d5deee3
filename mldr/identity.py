"""Ids that are derived, never counted: the same content gets the same id in every build."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mldr.files import canonical_json, sha256_text


def stitched_dialogue_id(source_ids: Sequence[str], language: str) -> str:
    """Return the id of a stitched dialogue: 16 hex digits over its ordered source ids and its language."""
    return sha256_text(canonical_json([list(source_ids), language]))[:16]


def query_ids(dialogue_id: str, texts: Sequence[str]) -> list[str]:
    """Return the ids of a dialogue's queries, from their texts alone.

    A text that stands twice gets `-2`, `-3`, in the order given.
    """
    seen: Counter[str] = Counter()
    ids = []
    for text in texts:
        digest = sha256_text(text)[:8]
        seen[digest] += 1
        ids.append(f"{dialogue_id}-{digest}" + (f"-{seen[digest]}" if seen[digest] > 1 else ""))
    return ids


def fragment_id(dialogue_id: str, source_id: str, level: str, name: str) -> str:
    """Return the id of a fragment: its dialogue's, and 8 hex digits over where it comes from."""
    return f"{dialogue_id}-{sha256_text(canonical_json([source_id, level, name]))[:8]}"


def component_id(members: Sequence[str]) -> str:
    """Return a cluster's id, 12 hex digits over its sorted members."""
    return sha256_text(canonical_json(sorted(members)))[:12]
