"""The secret salt of a build: 32 random bytes beside the dataset, never in it."""

from __future__ import annotations

import secrets
from pathlib import Path

from mldr.files import write_text


def load_or_create_salt(path: Path) -> bytes:
    """Return the salt of a file."""
    if not path.exists():
        write_text(path, secrets.token_bytes(32).hex() + "\n")
    return bytes.fromhex(path.read_text(encoding="ascii").strip())
