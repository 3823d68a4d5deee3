"""The private store: a folder on the giver's own machine with all that is raw, and the key that everything is derived with.

Only `import`, `cut`, `privacy` and `donate` read it; no later step does.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from mldr.errors import MldrError, fault
from mldr.files import canonical_json, parse_json, write_json
from mldr.formats import format_line, upgraded

MARK = "store.json"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Store:
    """A private store.

    chats/<chat_key>/chat.jsonl, report.json, images/   ·  dialogues/<dialogue_id>.json  ·  reviews/<dialogue_id>.jsonl
    consent.jsonl  ·  tombstones.jsonl  ·  key
    """

    folder: Path
    key: bytes

    def derived(self, purpose: str, *parts: str) -> str:
        """Return the hex HMAC-SHA-256 of parts for one purpose; nobody without the key can work it out or link two."""
        text = canonical_json([purpose, *parts])
        return hmac.new(self.key, text.encode("utf-8"), hashlib.sha256).hexdigest()

    def chat_key(self, platform: str, chat_id: str) -> str:
        """Return the name of a chat's folder, 16 hex digits."""
        return self.derived("chat", platform, chat_id)[:16]

    def cluster_id(self, platform: str, chat_id: str) -> str:
        """Return the cluster of every dialogue cut from a chat, 12 hex digits."""
        return self.derived("cluster", platform, chat_id)[:12]

    def subject_key(self, platform: str, person: str) -> str:
        """Return the name under which a person's consent is kept, 32 hex digits."""
        return self.derived("subject", platform, person)[:32]

    def dialogue_salt(self, dialogue_id: str) -> bytes:
        """Return the salt of a dialogue's surrogates and its shift of days, so that nothing links two dialogues."""
        return bytes.fromhex(self.derived("dialogue", dialogue_id))

    @property
    def chats(self) -> Path:
        """The folder of imported chats."""
        return self.folder / "chats"

    @property
    def dialogues(self) -> Path:
        """The folder of cut dialogues, still raw."""
        return self.folder / "dialogues"

    @property
    def reviews(self) -> Path:
        """The folder of what a person decided about a dialogue's findings, pictures and messages."""
        return self.folder / "reviews"

    @property
    def consents(self) -> Path:
        """The consent record, append-only."""
        return self.folder / "consent.jsonl"


def open_store(folder: Path, *, create: bool = False) -> Store:
    """Return the private store in a folder.

    Args:
        folder: of the store.
        create: make one where nothing stands, readable by its owner alone, with a fresh random key.

    Raises:
        MldrError: if there is none, it is of a newer format, or its key is unreadable.
    """
    if create and not (folder / MARK).exists():
        _make(folder)
    try:
        document = parse_json((folder / MARK).read_bytes())
    except FileNotFoundError as error:
        raise MldrError(f"{folder} is no private store: it has no {MARK}; `mldr annotate import` makes one") from error
    except ValueError as error:
        raise fault(str(folder / MARK), str(error)) from error
    if not isinstance(document, dict):
        raise fault(str(folder / MARK), "a JSON object is expected")
    upgraded(document, "private-store", str(folder / MARK))
    return Store(folder, _key(folder / "key"))


def _make(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise MldrError(f"{folder} holds something else than a private store; choose another --store")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    handle = os.open(folder / "key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(KEY_BYTES) + "\n")
    write_json(folder / MARK, {"format": format_line("private-store")})


def _key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise MldrError(
            f"{path}: the key cannot be read; without it nothing in this store can be derived again"
        ) from error
    if len(key) != KEY_BYTES:
        raise MldrError(f"{path}: the key has {len(key)} bytes; {KEY_BYTES} are expected")
    return key


@contextlib.contextmanager
def locked(path: Path, *, wait_s: float = 10.0) -> Iterator[None]:
    """Hold the lock of a file or folder; two commands, or two tabs, wait for one another.

    Raises:
        MldrError: if somebody else holds it for longer than `wait_s` seconds.
    """
    try:
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=wait_s):
            yield
    except Timeout as error:
        raise MldrError(f"{path}: another command is writing here") from error


def append_line(path: Path, record: Any) -> None:
    """Append one record to a JSONL file and force it to disk; a line that a crash cut short was never acknowledged, and goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n"
    with locked(path), path.open("ab+") as stream:
        stream.truncate(_whole_bytes(stream))
        stream.write(line.encode("utf-8"))
        stream.flush()
        os.fsync(stream.fileno())


def _whole_bytes(stream: IO[bytes]) -> int:
    """Return the size of a file up to its last newline."""
    end = stream.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - 65536)
        stream.seek(start)
        at = stream.read(end - start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def logged(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, record) of an append-only file; nothing for one that is not there.

    A last line without its newline was cut short by a crash and never acknowledged: it is passed over.

    Raises:
        InputError: for any other line that is no JSON object.
    """
    if not path.exists():
        return
    with path.open("rb") as stream:
        whole = _whole_bytes(stream)
        stream.seek(0)
        for number, line in enumerate(stream, 1):
            if stream.tell() > whole:
                return
            if not line.strip():
                continue
            try:
                record = parse_json(line)
            except ValueError as error:
                raise fault(f"{path}, line {number}", str(error)) from error
            if not isinstance(record, dict):
                raise fault(f"{path}, line {number}", "a JSON object is expected")
            yield number, record
