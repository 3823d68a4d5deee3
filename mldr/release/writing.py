"""From the spool to a dataset folder: the five tables of every split, the manifest, the card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mldr.assembly import ROWS_A_SHARD, add_card, hash_gold, images_a_shard, write_table
from mldr.card.release import card
from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, DialogueImage, Fragment, Gold, Query, StoredImage, Utterance
from mldr.files import canonical_json, parse_json, sha256_text
from mldr.identity import fragment_id, query_ids
from mldr.manifest import Manifest, Release, write_manifest
from mldr.release.clusters import chats, clusters
from mldr.release.findings import Findings
from mldr.release.spool import Kept, Spool
from mldr.release.words import script_language
from mldr.tables import Record, Table
from mldr.verify import shared_between_splits


def write_dataset(spool: Spool, folder: Path, manifest: Manifest, findings: Findings, source: str) -> None:
    """Write a whole dataset.

    Args:
        spool: what was read, its pictures stored.
        folder: an empty folder.
        manifest: with its name and what says where it comes from; the rest is filled in.
        findings: for the card.
        source: the `source` of its pictures.
    """
    for split in spool.splits():
        _Split(spool, split, folder, manifest, findings, source).write()
    written = hash_gold(folder, manifest)
    release = manifest.release or Release()
    release.shared = {place: len(values) for place, values in shared_between_splits(written).items()}
    release.oddities = dict(sorted(findings.oddities.items()))
    manifest.release = release
    write_manifest(folder, manifest)
    add_card(folder, manifest, card(Dataset(folder)))


class _Split:
    """Writes one split."""

    def __init__(
        self, spool: Spool, split: str, folder: Path, manifest: Manifest, findings: Findings, source: str
    ) -> None:
        self._spool, self._split, self._folder = spool, split, folder
        self._manifest, self._findings, self._source = manifest, findings, source
        self._clusters = self._bound()

    def write(self) -> None:
        counts = self._manifest.counts[self._split] = {}
        for table, records in (
            ("dialogues", self._dialogues()),
            ("queries", self._queries()),
            ("gold", self._gold()),
            ("fragments", self._fragments()),
            ("images", self._images()),
        ):
            counts[table] = self._table(table, records)  # type: ignore[arg-type]  # the names are tables'

    def _bound(self) -> dict[str, str]:
        heads = [(kept.dialogue_id, kept.release_id) for kept in self._spool.dialogues(self._split)]
        chat_of = chats(release_id for _, release_id in heads)
        if chat_of:
            self._findings.note("dialogues that are pieces of one chat, by their ids: one cluster a chat", len(chat_of))
        bonds: dict[str, list[str]] = {}
        for kept in self._spool.dialogues(self._split):
            keys = [self._spool.image_key(ref) for ref, _ in kept.images]
            chat = chat_of.get(kept.release_id)
            bonds[kept.dialogue_id] = sorted(set(keys)) + ([] if chat is None else [f"chat {chat}"])
        return clusters(bonds, self._split)

    def _dialogues(self) -> Iterator[Record]:
        database = self._spool.database
        for kept in self._spool.dialogues(self._split):
            images = [DialogueImage(self._spool.image_key(ref), caption) for ref, caption in kept.images]
            for image, (ref, _) in zip(images, kept.images, strict=True):
                row = (self._split, image.image_key, ref)
                database.execute("INSERT OR IGNORE INTO used VALUES (?, ?, ?)", row)
            yield Dialogue(
                dialogue_id=kept.dialogue_id,
                language=kept.language,
                origin=kept.origin,
                cluster_id=self._clusters[kept.dialogue_id],
                utterances=tuple(Utterance(speaker, text, tuple(ids)) for speaker, text, ids in kept.utterances),
                images=tuple(images),
                meta=_meta(_dialogue_meta(kept)),
            )

    def _asked(self) -> Iterator[tuple[Kept, str, str, list[list[int]], dict[str, Any]]]:
        """Yield (dialogue, query_id, text, ids, metas) by dialogue_id and query_id."""
        for kept in self._spool.dialogues(self._split):
            asked = self._spool.queries(self._split, kept.dialogue_id)
            names = query_ids(kept.dialogue_id, [text for text, _, _ in asked])
            for name, (text, ids, metas) in sorted(zip(names, asked, strict=True), key=lambda pair: pair[0]):
                yield kept, name, text, ids, metas

    def _queries(self) -> Iterator[Record]:
        for kept, name, text, _, metas in self._asked():
            language = script_language([text], kept.language)
            yield Query(name, kept.dialogue_id, language, text, _meta(metas["meta"]))

    def _gold(self) -> Iterator[Record]:
        for kept, name, _, ids, metas in self._asked():
            fragment = ""
            if any(ids):
                fragment = fragment_id(kept.dialogue_id, "", "free", canonical_json(ids))
                body = canonical_json([kept.dialogue_id, *ids])
                row = (self._split, fragment, body)
                self._spool.database.execute("INSERT OR IGNORE INTO fragments VALUES (?, ?, ?)", row)
            meta = _meta(metas["gold_meta"])
            yield Gold(name, fragment, "free", tuple(ids[0]), tuple(ids[1]), label_source="release", meta=meta)

    def _fragments(self) -> Iterator[Record]:
        wanted = "SELECT fragment_id, body FROM fragments WHERE split = ? ORDER BY fragment_id"
        for identifier, body in self._spool.database.execute(wanted, (self._split,)):
            dialogue_id, utterance_ids, image_ids = parse_json(body)
            yield Fragment(identifier, dialogue_id, "free", "", "", tuple(utterance_ids), tuple(image_ids))

    def _images(self) -> Iterator[Record]:
        wanted = (
            "SELECT used.image_key, status, url, stored.content, width, height, media_type FROM used "
            "JOIN pictures USING (ref) LEFT JOIN stored ON stored.image_key = used.image_key "
            "WHERE split = ? ORDER BY used.image_key"
        )
        for key, status, url, content, width, height, media_type in self._spool.database.execute(
            wanted, (self._split,)
        ):
            yield StoredImage(key, status, content, width, height, media_type or "", url, source=self._source)

    def _rows(self, table: Table) -> tuple[int, int]:
        """Return how many rows a table of the split will have, and how many a shard may."""
        name = {"gold": "queries", "images": "used"}.get(table, table)
        database = self._spool.database
        rows = int(database.execute(f"SELECT count(*) FROM {name} WHERE split = ?", (self._split,)).fetchone()[0])
        if table != "images":
            return rows, ROWS_A_SHARD[table]
        measured = "SELECT sum(length(content)) FROM used JOIN stored USING (image_key) WHERE split = ?"
        size = int(database.execute(measured, (self._split,)).fetchone()[0] or 0)
        return rows, images_a_shard(rows, size)

    def _table(self, table: Table, records: Iterator[Record]) -> int:
        rows, limit = self._rows(table)
        return write_table(records, rows, limit, (table, self._split), self._folder, self._manifest)


def _dialogue_meta(kept: Kept) -> dict[str, Any]:
    meta: dict[str, Any] = {}
    if kept.release_id != kept.dialogue_id:
        meta["release_id"] = kept.release_id
    if kept.shown_ids != list(range(len(kept.shown_ids))):
        meta["release_utterance_ids"] = kept.shown_ids
    return meta


def _meta(meta: dict[str, Any]) -> str:
    return canonical_json(meta) if meta else ""


def identity(findings: Findings, options: dict[str, Any]) -> str:
    """Return the identity of an import: its options and the hashes of the files of records."""
    files = {name: found.sha256 for name, found in findings.files.items() if found.sha256}
    return sha256_text(canonical_json({"options": options, "files": files}))
