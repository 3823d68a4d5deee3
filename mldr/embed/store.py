"""Vectors on disk, in one SQLite file, by model and content: what was stored survives the process being killed."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mldr.embed.protocol import Vectors
from mldr.errors import InterruptedRun, MldrError

_KEYS_A_QUERY = 500
_TABLES = (
    "CREATE TABLE models (id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, dimensions INTEGER NOT NULL)",
    "CREATE TABLE vectors (model INTEGER NOT NULL, key BLOB NOT NULL, vector BLOB NOT NULL, crc INTEGER NOT NULL)",
    "CREATE UNIQUE INDEX by_key ON vectors (model, key)",
)
_BUSY_S = 60.0


class VectorStore:
    """The vectors of one model in a file, which may hold those of others too. For one thread.

    Args:
        path: of the file; it is made where there is none.
        identity: of the model.

    Raises:
        MldrError: if `path` is not such a file, or damaged.
        InterruptedRun: if the disk is full, or another process keeps the file to itself.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self._path, self._identity = path, identity
        self._model = self._dimensions = 0
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        try:
            with self._explained():
                self._prepare()
                self._find_model()
        except BaseException:
            self._connection.close()
            raise

    @property
    def dimensions(self) -> int:
        """The length of the model's vectors, 0 where none is stored."""
        return self._dimensions

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
        """Return key -> vector of those that are stored.

        Raises:
            MldrError: if one is not what was written.
        """
        found: dict[bytes, Vectors] = {}
        with self._explained():
            for start in range(0, len(keys) if self._model else 0, _KEYS_A_QUERY):
                drawn = keys[start : start + _KEYS_A_QUERY]
                marks = ",".join("?" * len(drawn))
                query = f"SELECT key, vector, crc FROM vectors WHERE model = ? AND key IN ({marks})"
                for key, packed, crc in self._connection.execute(query, [self._model, *drawn]):
                    found[key] = self._unpacked(packed, crc)
        return found

    def put(self, vectors: Mapping[bytes, Vectors]) -> None:
        """Store vectors, all or none; one that is there already stays.

        Raises:
            MldrError: if they are not as long as those of this model before.
        """
        sizes = {len(vector) for vector in vectors.values()} | ({self._dimensions} if self._dimensions else set())
        if len(sizes) > 1:
            raise MldrError(f"{self._path}: vectors of {sorted(sizes)} dimensions under the one name {self._identity}")
        with self._explained(), self._transaction():
            if vectors and not self._model:
                new = "INSERT OR IGNORE INTO models (identity, dimensions) VALUES (?, ?)"
                self._connection.execute(new, [self._identity, max(sizes)])
                self._find_model()
            rows = (
                (self._model, key, packed, zlib.crc32(packed))
                for key, vector in vectors.items()
                for packed in (np.ascontiguousarray(vector, dtype="<f4").tobytes(),)
            )
            self._connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _prepare(self) -> None:
        """Make the tables of a new file, and refuse a file with others: a foreign one must not be written to."""
        execute = self._connection.execute
        execute("PRAGMA trusted_schema = OFF")
        if not list(execute("SELECT 1 FROM sqlite_master LIMIT 1")):
            execute("PRAGMA journal_mode = WAL")
            with self._transaction():
                if not list(execute("SELECT 1 FROM sqlite_master LIMIT 1")):  # else another process was sooner
                    for table in _TABLES:
                        execute(table)
        if sorted(sql for (sql,) in execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")) != sorted(_TABLES):
            raise MldrError(f"{self._path}: a database of something else, not a cache of vectors; choose another path")
        execute("PRAGMA synchronous = NORMAL")

    def _find_model(self) -> None:
        query = "SELECT id, dimensions FROM models WHERE identity = ?"
        for model, dimensions in self._connection.execute(query, [self._identity]):
            if type(dimensions) is not int or dimensions < 1:
                raise MldrError(self._damaged())
            self._model, self._dimensions = model, dimensions

    def _unpacked(self, packed: object, crc: object) -> Vectors:
        if not isinstance(packed, bytes) or len(packed) != 4 * self._dimensions or zlib.crc32(packed) != crc:
            raise MldrError(self._damaged())
        return np.frombuffer(packed, dtype="<f4").astype(np.float32, copy=False)

    def _damaged(self) -> str:
        return f"{self._path}: not a cache of vectors, or a damaged one; remove it and its vectors are made again"

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in our words what goes wrong with the file."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            if "malformed" in str(error) or "decode" in str(error):
                raise MldrError(self._damaged()) from error
            if any(reason in str(error) for reason in ("full", "locked", "disk I/O", "No space")):
                raise InterruptedRun(f"{self._path}: {error}; start again to go on") from error
            raise MldrError(f"{self._path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise MldrError(self._damaged()) from error
