"""Every answer of a language model, kept in SQLite the moment it arrives: an interrupted run never pays twice."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mldr.chat.request import Usage
from mldr.errors import InterruptedRun, MldrError
from mldr.files import canonical_json, sha256_text
from mldr.formats import CURRENT, upgraded

STORE_VERSION = CURRENT["responses"]
"""Part of every key, and the `user_version` of the file."""
APPLICATION_ID = 0x6D6C6472
"""`mldr`: SQLite's mark of whose file it is (https://www.sqlite.org/pragma.html#pragma_application_id)."""

_MAGIC = b"SQLite format 3\0"
_SCHEMA = (
    "CREATE TABLE responses (key TEXT PRIMARY KEY NOT NULL, step TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, "
    "sample INTEGER NOT NULL, tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, finish_reason TEXT NOT NULL, "
    "failure TEXT NOT NULL, text TEXT NOT NULL, request TEXT NOT NULL)"
)
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """One answer, or the reason why there is none; enough to audit it, never a key or an address."""

    key: str
    """From `response_key`."""
    step: str
    provider: str
    model: str
    sample: int
    tokens_in: int
    tokens_out: int
    finish_reason: str
    failure: str
    """'' for an answer that fits its schema; else the reason of an `Unanswered` that was kept."""
    text: str
    request: str = ""
    """The whole request body as canonical JSON; '' from `get`, which does not read it."""

    @property
    def usage(self) -> Usage:
        """The tokens that the server counted."""
        return Usage(self.tokens_in, self.tokens_out)


_COLUMNS = ", ".join(field.name for field in fields(StoredResponse))
_ANSWER = _COLUMNS.removesuffix(", request") + ", ''"
_GET = f"SELECT {_ANSWER} FROM responses WHERE key = ?"
_TYPES = tuple(int if field.type == "int" else str for field in fields(StoredResponse))


def response_key(body: dict[str, Any], provider: str, sample: int) -> str:
    """Return the hex SHA-256 under which the answer to a request is kept.

    Args:
        body: the whole request body, before a retry bumps its seed.
        provider: its name in the recipe, so that a server may move.
        sample: 0, or the number of a further answer to the same question.
    """
    return sha256_text(canonical_json([body, provider, sample, STORE_VERSION]))


class ResponseStore:
    """The store in one file: one writer, any number of readers.

    Every `put` is a transaction of its own in the write-ahead log: it survives the death of the process at any moment. (The newest
    ones may be lost in a power cut; the file stays sound.) Bodies are read one at a time and not held.
    """

    def __init__(self, path: Path, readonly: bool = False) -> None:
        """Open the store, which is made where it does not exist.

        Args:
            path: the file.
            readonly: for readers, and runs that ask no model; the file must exist and no lock is taken.

        Raises:
            MldrError: if the file is another kind of file, damaged, or of a newer mldr, or another run writes to it.
        """
        self.path, self.readonly = path, readonly
        self._guard = threading.Lock()
        _check_header(path, must_exist=readonly)
        self._lock: FileLock | None = None if readonly else _locked(path)
        try:
            with self._explained():
                self._open()
        except BaseException:
            self._release()
            raise

    def get(self, key: str) -> StoredResponse | None:
        """Return the response under `key`, or None.

        Raises:
            MldrError: if the file is damaged.
        """
        with self._explained(), self._guard:
            row = self._connection.execute(_GET, (key,)).fetchone()
        return None if row is None else self._response(row)

    def put(self, response: StoredResponse) -> None:
        """Keep a response; when this returns, it is safe from the death of the process. One under the same key is replaced.

        Raises:
            InterruptedRun: if it cannot be written (a full disk); the run can go on later.
        """
        if self.readonly:
            raise MldrError(f"{self.path}: opened for reading only")
        marks = ", ".join("?" * len(_TYPES))
        with self._explained(), self._guard, self._connection:
            self._connection.execute(
                f"INSERT OR REPLACE INTO responses ({_COLUMNS}) VALUES ({marks})",
                astuple(response),
            )

    def __len__(self) -> int:
        """The number of responses."""
        with self._explained(), self._guard:
            return int(self._connection.execute("SELECT count(*) FROM responses").fetchone()[0])

    def __iter__(self) -> Iterator[StoredResponse]:
        """Yield every response by key, for audits."""
        key = ""
        while True:
            with self._explained(), self._guard:
                row = self._connection.execute(
                    f"SELECT {_COLUMNS} FROM responses WHERE key > ? ORDER BY key LIMIT 1",
                    (key,),
                ).fetchone()
            if row is None:
                return
            response = self._response(row)
            key = response.key
            yield response

    def close(self) -> None:
        """Close the file: what it holds is then in this one file, without a log beside it."""
        with self._guard:
            if not self.readonly:
                with suppress(sqlite3.Error):  # a reader has it open: the log stays beside it, and nothing is lost
                    self._connection.execute("PRAGMA busy_timeout = 0")
                    self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.close()
        self._release()

    def __enter__(self) -> ResponseStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _open(self) -> None:
        self._connection = _connect(self.path, self.readonly)
        try:
            self._connection.execute("PRAGMA trusted_schema = OFF")
            if not self.readonly:
                _prepare(self._connection)
            self._check_tables()
        except BaseException:
            self._connection.close()
            raise

    def _check_tables(self) -> None:
        found = self._connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        if found != [("table", "responses", _SCHEMA)]:
            raise MldrError(f"{self.path}: its tables are not those of a response store; name another file")

    def _response(self, row: tuple[Any, ...]) -> StoredResponse:
        if any(type(value) is not kind for value, kind in zip(row, _TYPES, strict=True)):
            raise MldrError(
                f"{self.path}: the response {str(row[0])[:64]!r} is damaged; restore the file, or name another"
            )
        return StoredResponse(*row)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OverflowError) as error:
            if isinstance(error, sqlite3.OperationalError) and "decode" not in str(error):
                raise InterruptedRun(f"{self.path}: {error}; mend that and run again to go on") from error
            raise MldrError(
                f"{self.path}: damaged, or no response store ({error}); restore it, or name another"
            ) from error


def _locked(path: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f"{path.name}.lock"), timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise MldrError(f"{path}: another run writes to this store; wait for it, or name another file") from error
    return lock


def _check_header(path: Path, must_exist: bool) -> None:
    """Refuse a foreign file before SQLite touches it (the file header: https://www.sqlite.org/fileformat.html#the_database_header)."""
    if not path.exists():
        if must_exist:
            raise MldrError(f"{path}: no such response store")
        return
    if not path.is_file():
        raise MldrError(f"{path}: a folder or device, not a response store; name a file")
    with path.open("rb") as stream:
        head = stream.read(100)
    if not head and not must_exist:
        return
    if len(head) < 100 or not head.startswith(_MAGIC):
        raise MldrError(f"{path}: no response store (not an SQLite file); name another file")
    version, owner = int.from_bytes(head[60:64], "big"), int.from_bytes(head[68:72], "big")
    if owner != APPLICATION_ID:
        raise MldrError(f"{path}: an SQLite file of another program, not a response store; name another file")
    upgraded({"format": f"mldr/responses@{version}"}, "responses", str(path))


def _connect(path: Path, readonly: bool) -> sqlite3.Connection:
    name = path.resolve().as_uri()
    if not readonly:
        return sqlite3.connect(f"{name}?mode=rwc", uri=True, check_same_thread=False)
    connection = sqlite3.connect(f"{name}?mode=ro", uri=True, check_same_thread=False)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:  # no log can be shared in a folder that cannot be written to; then nobody writes
        connection.close()
        return sqlite3.connect(f"{name}?immutable=1", uri=True, check_same_thread=False)
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the table in a new file, in one transaction with the marks, and write through a log."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {STORE_VERSION}")
            connection.execute(_SCHEMA)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
