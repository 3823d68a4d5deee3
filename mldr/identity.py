"""Ids that are derived, never counted: the same content gets the same id in every build.

In a build with a secret salt they are HMACs keyed by it, so that nobody can derive them from public sources.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Sequence

from mldr.files import canonical_json, sha256_text


def canary(identity: str) -> str:
    """Return the line by which a dataset is known again, in training corpora too; of its identity 32 digits are told."""
    return f"mldr canary {identity[:32]}: benchmark data, keep out of training corpora"


def digest(text: str, salt: bytes = b"") -> str:
    """Return the hex SHA-256 of a text, or its HMAC-SHA-256 where there is a salt."""
    if not salt:
        return sha256_text(text)
    return hmac.new(salt, text.encode("utf-8"), hashlib.sha256).hexdigest()


def secret_seed(seed: int, salt: bytes, purpose: str) -> int:
    """Return the seed of a purpose (a split): the public one, or one of 60 bits that only the salt gives away."""
    return int(digest(f"seed/{purpose}/{seed}", salt)[:15], 16) if salt else seed


def stitched_dialogue_id(source_ids: Sequence[str], language: str, salt: bytes = b"") -> str:
    """Return the id of a stitched dialogue: 16 hex digits over its ordered source ids and its language."""
    return digest(canonical_json([list(source_ids), language]), salt)[:16]


def query_ids(dialogue_id: str, texts: Sequence[str], salt: bytes = b"") -> list[str]:
    """Return the ids of a dialogue's queries, from their texts alone.

    A text that stands twice gets `-2`, `-3`, in the order given.
    """
    seen: Counter[str] = Counter()
    ids = []
    for text in texts:
        short = digest(text, salt)[:8]
        seen[short] += 1
        ids.append(f"{dialogue_id}-{short}" + (f"-{seen[short]}" if seen[short] > 1 else ""))
    return ids


def fragment_id(dialogue_id: str, source_id: str, level: str, name: str, salt: bytes = b"") -> str:
    """Return the id of a fragment: its dialogue's, and 8 hex digits over where it comes from."""
    return f"{dialogue_id}-{digest(canonical_json([source_id, level, name]), salt)[:8]}"


def component_id(members: Sequence[str], salt: bytes = b"") -> str:
    """Return a cluster's id, 12 hex digits over its sorted members."""
    return digest(canonical_json(sorted(members)), salt)[:12]
