"""The secret salt of a build: a file beside the dataset, made once, that must never be published."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from mldr.errors import MldrError

SIZE = 32
"""Bytes."""


def load_or_create_salt(path: Path) -> bytes:
    """Return the salt in a file; the first time it is drawn and written there, readable by its owner alone.

    Whoever has this file and the sources can build the gold again. Without it the same dataset cannot be built again.

    Raises:
        MldrError: if the file is no salt, or others may read it.
    """
    try:
        return read_salt(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, secrets.token_bytes(SIZE))
    return read_salt(path)  # another build may have been sooner: what stands there holds


def read_salt(path: Path) -> bytes:
    """Return the salt in a file.

    Raises:
        FileNotFoundError: if there is none.
        MldrError: if the file is no salt, cannot be read, or others than its owner may read or change it.
    """
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise MldrError(f"{path}: a secret salt is a plain file, and this is none")
        if os.name == "posix" and found.st_mode & 0o077:
            raise MldrError(f"{path}: others than its owner may read this secret; if nobody did: chmod 600 {path}")
        content = path.read_bytes() if found.st_size <= 2 * SIZE + 2 else b""
    except FileNotFoundError:
        raise
    except OSError as error:
        raise MldrError(f"{path}: cannot be read ({error.strerror})") from error
    text = content.decode("ascii", errors="replace").strip()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise MldrError(
            f"{path}: not a secret salt; it holds {SIZE} bytes as {2 * SIZE} lower-case hex digits on one line"
        )
    return bytes.fromhex(text)


def _write(path: Path, salt: bytes) -> None:
    """Write a salt whole or not at all, and never over one that stands there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(salt.hex() + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        if not path.exists():
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
