"""What the local Hub server of the tests keeps: repositories with commits and tags, stored objects, accounts, planned faults."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


def blob_sha(content: bytes) -> str:
    """Return the hash by which git names a blob."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True, slots=True)
class Blob:
    """One file of one commit."""

    content: bytes
    lfs: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def pointer(self) -> bytes:
        """The small file that git keeps in place of a large one."""
        text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(self.content)}\n"
        return text.encode()

    @property
    def oid(self) -> str:
        return blob_sha(self.pointer if self.lfs else self.content)

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid

    def entry(self, path: str) -> dict[str, Any]:
        """Return the row of a tree listing."""
        row: dict[str, Any] = {"type": "file", "path": path, "size": len(self.content), "oid": self.oid}
        if self.lfs:
            row["lfs"] = {"oid": self.sha256, "size": len(self.content), "pointerSize": len(self.pointer)}
        return row


@dataclass(slots=True)
class Repository:
    """A dataset repository: its settings, and every commit that it had."""

    private: bool
    gated: str | bool = False
    let_in: set[str] = field(default_factory=set)
    """Accounts that may read it beside its owner, where it is gated or private."""
    commits: list[tuple[str, dict[str, Blob]]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    seen_public: bool = False
    """Whether anybody could ever have read its files."""

    def commit(self, files: dict[str, Blob], message: str) -> str:
        """Add a commit and return its name."""
        listed = "".join(f"{path} {blob.oid}\n" for path, blob in sorted(files.items()))
        oid = hashlib.sha1(f"{len(self.commits)} {message}\n{listed}".encode()).hexdigest()
        self.commits.append((oid, files))
        self.messages.append(message)
        self.look()
        return oid

    def look(self) -> None:
        """Note whether its files can be read by anybody now."""
        held = set(self.files()) - {".gitattributes"}
        self.seen_public |= bool(held) and not self.private and not self.gated

    def files(self, revision: str = "main") -> dict[str, Blob]:
        """Return path -> file of a commit, branch or tag.

        Raises:
            KeyError: if there is no such revision.
        """
        wanted = self.resolved(revision)
        return next(files for oid, files in self.commits if oid == wanted)

    def resolved(self, revision: str) -> str:
        if revision in ("main", "refs/heads/main"):
            return self.commits[-1][0]
        revision = self.tags.get(revision, revision)
        return {oid: oid for oid, _ in self.commits}[revision]


@dataclass(slots=True)
class Fault:
    """Something that goes wrong on purpose, for the next requests that fit."""

    pattern: str
    """Of `METHOD /path`."""
    status: int = 0
    """Answered instead; 0 where the connection is cut."""
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    after: int = 0
    """So many bytes are read or written before a cut."""
    done: bool = False
    """Whether the request is carried out before it goes wrong: its answer is lost."""
    delay: float = 0.0
    """Seconds before the answer; alone, the request is answered well."""
    skip: int = 0
    """So many fitting requests pass before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the server answered it."""

    method: str
    path: str
    status: int
    received: int
    """Bytes of the body."""
    authorised: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status or 'cut'}"


class Store:
    """Everything behind the server, guarded by one lock."""

    def __init__(self, tokens: dict[str, str]) -> None:
        self.tokens = tokens
        """token -> account; `account:read` may not write."""
        self.lock = threading.RLock()
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        """sha256 -> bytes of uploaded large files."""
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []

    def fault_for(self, line: str) -> Fault | None:
        """Return the fault that is planned for a request, used up by it."""
        with self.lock:
            for fault in self.faults:
                if fault.times and re.search(fault.pattern, line):
                    if fault.skip:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def count(self, pattern: str) -> int:
        """Return how many requests fit a pattern of `METHOD /path -> status`."""
        return sum(bool(re.search(pattern, str(asked))) for asked in self.asked)

    def apply(self, repository: Repository, operations: Iterable[dict[str, Any]], message: str) -> str:
        """Carry out the lines of a commit.

        Raises:
            KeyError: for a large file that was never uploaded, or a file to delete that is not there.
        """
        import base64

        files = dict(repository.files())
        for operation in operations:
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = Blob(base64.b64decode(value["content"]), lfs=False)
            elif operation["key"] == "lfsFile":
                files[value["path"]] = Blob(self.objects[value["oid"]], lfs=True)
            elif operation["key"] == "deletedFile":
                del files[value["path"]]
        return repository.commit(files, message)
