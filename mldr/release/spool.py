"""What was read of a release, on disk: dialogues, queries and pictures by id, so that memory does not grow with it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mldr.dialogue import Origin
from mldr.files import canonical_json, parse_json, sha256_text
from mldr.images import NormalisedImage
from mldr.release.findings import Findings, ReadDialogue, ReadQuery, ReadRecord
from mldr.release.words import script_language

_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_TABLES = """
CREATE TABLE ids (release_id TEXT, signature TEXT, dialogue_id TEXT, PRIMARY KEY (release_id, signature));
CREATE TABLE dialogues (split TEXT, dialogue_id TEXT, body TEXT, PRIMARY KEY (split, dialogue_id));
CREATE TABLE queries (split TEXT, dialogue_id TEXT, text TEXT, gold TEXT, body TEXT);
CREATE INDEX by_dialogue ON queries (split, dialogue_id);
CREATE TABLE pictures (ref TEXT PRIMARY KEY, content BLOB, image_key TEXT, status TEXT, url TEXT);
CREATE TABLE stored (image_key TEXT PRIMARY KEY, content BLOB, width INTEGER, height INTEGER, media_type TEXT);
CREATE TABLE used (split TEXT, image_key TEXT, ref TEXT, PRIMARY KEY (split, image_key));
CREATE TABLE fragments (split TEXT, fragment_id TEXT, body TEXT, PRIMARY KEY (split, fragment_id));
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A dialogue as the spool holds it."""

    dialogue_id: str
    release_id: str
    origin: Origin
    language: str
    utterances: list[list[Any]]
    """speaker, text, image ids."""
    images: list[list[str]]
    """ref, caption."""
    shown_ids: list[int]


class Spool:
    """A database file, or a private one without a name that goes when it is closed."""

    def __init__(self, path: Path | None = None) -> None:
        self.database = sqlite3.connect("" if path is None else str(path), isolation_level=None)
        self.database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;")
        self.database.executescript(_TABLES)
        self.database.execute("BEGIN")

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def add(self, record: ReadRecord, split: str, origin: Origin, findings: Findings) -> None:
        """Take the dialogue of a record, if it is new, and its queries."""
        identifier = self._identified(record.dialogue, findings)
        if not self._one("SELECT 1 FROM dialogues WHERE split = ? AND dialogue_id = ?", split, identifier):
            body = canonical_json(self._body(record.dialogue, identifier, origin))
            self.database.execute("INSERT INTO dialogues VALUES (?, ?, ?)", (split, identifier, body))
            findings.oddities.update(record.dialogue.oddities)
            findings.count(split, "dialogues")
            findings.count(split, "utterances", len(record.dialogue.utterances))
            findings.count(split, "images", len(record.dialogue.images))
        for query in record.queries:
            self._add_query(query, split, identifier, findings)

    def _identified(self, dialogue: ReadDialogue, findings: Findings) -> str:
        """Return the id of a dialogue: the release's own; with `~2`, `~3` where that stands for differing dialogues."""
        told = [
            [u.text, [PurePosixPath(dialogue.images[i].path).name for i in u.image_ids]] for u in dialogue.utterances
        ]
        signature = sha256_text(canonical_json(told))
        release_id = dialogue.release_id
        known = self._one("SELECT dialogue_id FROM ids WHERE release_id = ? AND signature = ?", release_id, signature)
        if known:
            return str(known[0])
        before = int(self._one("SELECT count(*) FROM ids WHERE release_id = ?", release_id)[0])
        if not release_id:
            identifier = f"~{signature[:16]}"
        else:
            plain = _PLAIN_ID.fullmatch(release_id)
            if not plain:
                findings.note(
                    "dialogue ids with other characters than letters, digits and _ . -: a hash stands for them"
                )
            identifier = release_id if plain else f"~{sha256_text(release_id)[:16]}"
            if before:
                findings.note(
                    "dialogue ids that stand for dialogues of differing text: each is kept, as id~2 and so on"
                )
                identifier += f"~{before + 1}"
        self.database.execute("INSERT INTO ids VALUES (?, ?, ?)", (release_id, signature, identifier))
        return identifier

    def _body(self, dialogue: ReadDialogue, identifier: str, origin: Origin) -> dict[str, Any]:
        images = []
        for position, image in enumerate(dialogue.images):
            ref = image.path or f"\0{identifier}/{position}"  # no path holds NUL
            self.database.execute(
                "INSERT OR IGNORE INTO pictures VALUES (?, ?, NULL, 'missing', '')", (ref, image.content)
            )
            images.append([ref, image.caption])
        return {
            "release_id": dialogue.release_id,
            "origin": origin,
            "language": script_language(utterance.text for utterance in dialogue.utterances),
            "utterances": [[u.speaker, u.text, list(u.image_ids)] for u in dialogue.utterances],
            "images": images,
            "shown_ids": list(dialogue.shown_ids),
        }

    def _add_query(self, query: ReadQuery, split: str, identifier: str, findings: Findings) -> None:
        gold = canonical_json([list(query.utterance_ids), list(query.image_ids)])
        place = (split, identifier, query.text)
        before = [row[0] for row in self.database.execute(f"SELECT gold FROM queries {_SAME}", place)]
        if gold in before:
            findings.note("queries that stand twice with the same answer: once now")
            return
        if before:
            findings.note("queries that stand twice with differing answers: both are kept")
        body = canonical_json({"meta": query.meta, "gold_meta": query.gold_meta})
        self.database.execute("INSERT INTO queries VALUES (?, ?, ?, ?, ?)", (*place, gold, body))
        findings.count(split, "queries")

    def splits(self) -> list[str]:
        """Return the splits that have dialogues."""
        return [row[0] for row in self.database.execute("SELECT DISTINCT split FROM dialogues ORDER BY split")]

    def dialogues(self, split: str) -> Iterator[Kept]:
        """Yield the dialogues of a split, by id."""
        rows = self.database.execute(
            "SELECT dialogue_id, body FROM dialogues WHERE split = ? ORDER BY dialogue_id", (split,)
        )
        for identifier, body in rows:
            yield Kept(dialogue_id=identifier, **parse_json(body))

    def queries(self, split: str, dialogue_id: str) -> list[tuple[str, list[list[int]], dict[str, Any]]]:
        """Return (text, [utterance ids, image ids], metas) of the queries of a dialogue, in the order of reading."""
        wanted = "SELECT text, gold, body FROM queries WHERE split = ? AND dialogue_id = ? ORDER BY rowid"
        rows = self.database.execute(wanted, (split, dialogue_id))
        return [(text, parse_json(gold), parse_json(body)) for text, gold, body in rows]

    def refs(self) -> Iterator[str]:
        """Yield every picture's ref, in order."""
        for row in self.database.execute("SELECT ref FROM pictures ORDER BY ref"):
            yield row[0]

    def embedded(self, ref: str) -> bytes | None:
        """Return the bytes that a record itself held of a picture."""
        row = self._one("SELECT content FROM pictures WHERE ref = ?", ref)
        return None if row is None else row[0]

    def place_picture(self, ref: str, image_key: str, status: str, url: str = "") -> None:
        """Say what a ref stands for."""
        self.database.execute(
            "UPDATE pictures SET image_key = ?, status = ?, url = ?, content = NULL WHERE ref = ?",
            (image_key, status, url, ref),
        )

    def store(self, image: NormalisedImage) -> None:
        """Keep the bytes of a picture, once."""
        row = (image.image_key, image.content, image.width, image.height, image.media_type)
        self.database.execute("INSERT OR IGNORE INTO stored VALUES (?, ?, ?, ?, ?)", row)

    def image_key(self, ref: str) -> str:
        """Return the key that a ref stands for."""
        return str(self._one("SELECT image_key FROM pictures WHERE ref = ?", ref)[0])

    def _one(self, statement: str, *values: Any) -> Any:
        return self.database.execute(statement, values).fetchone()


_SAME = "WHERE split = ? AND dialogue_id = ? AND text = ?"
