"""A copy of a dataset for the public, without the gold of some splits and without what would give that gold away.

What stays can still tell: which pictures and which sources' licences and credits a dialogue holds (the law asks for them), and
which sources the other splits hold. `mldr.builders.attack` measures what somebody makes of it.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from mldr.assembly import add_card
from mldr.card import compose
from mldr.card.release import card as release_card
from mldr.card.sources import model_terms
from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, StoredImage
from mldr.errors import Faults, MldrError, fault
from mldr.files import canonical_json, parse_json, sha256_file, sha256_text
from mldr.folders import fresh_folder
from mldr.identity import canary
from mldr.manifest import MANIFEST, AuditEntry, Manifest, Release, ShardEntry, gold_hash, write_manifest
from mldr.shards import ShardWriter, has_canary, read_batches, shard_name, with_canary
from mldr.summary import summarise
from mldr.tables import TABLES, Record, Table

KEPT_META = ("changes",)
"""The keys of a dialogue's `meta` that stay: what was changed in its sources, which their licences ask to be said."""


@dataclass(slots=True)
class Withheld:
    """What a public copy lacks."""

    splits: tuple[str, ...]
    rows: Counter[str] = field(default_factory=Counter)
    """table -> rows that were left out."""
    stripped: Counter[str] = field(default_factory=Counter)
    """What was taken out of rows that stay -> rows."""


def withhold(
    dataset: Dataset, splits: Sequence[str], out: Path, *, force: bool = False, without_salt: bool = False
) -> Withheld:
    """Write a copy of a dataset whose given splits have no rows in `gold` and `fragments`; return what it lacks.

    Dialogues, queries and images stay, and so does the hash of the gold, by which a score is known to be on this benchmark.

    Args:
        dataset: the whole dataset, which stays as it is.
        splits: those to withhold.
        out: the folder of the copy.
        force: replace a dataset that stands there.
        without_salt: withhold a split of a set that was built without a secret salt, which anybody can build again.

    Raises:
        MldrError: if there is no such split, its gold is withheld already or is not the one that the manifest's hash names,
            the set has no salt, something else stands at `out`, or a file does not fit the manifest.
        InputError: with each source of a withheld split that another split names.
    """
    _check(dataset, splits, without_salt)
    out = out.resolve()
    folder = dataset.folder.resolve()
    if out.is_relative_to(folder) or folder.is_relative_to(out):
        raise MldrError(f"{out} and {folder} lie in one another; the copy needs a folder of its own")
    told = Withheld(tuple(split for split in dataset.splits if split in splits))
    with fresh_folder(out, MANIFEST, force=force) as workshop:
        _write(dataset, workshop.new, told)
    return told


def _check(dataset: Dataset, splits: Sequence[str], without_salt: bool) -> None:
    if not splits:
        raise MldrError("no split is named")
    for split in splits:
        if not dataset.has_gold(split):
            raise MldrError(f"{dataset.folder}: the gold of {split} is withheld already")
    if not dataset.manifest.salt_sha256 and not without_salt:
        raise MldrError(
            f"{dataset.folder} was built without a secret salt: whoever has its sources and its recipe builds the gold again, "
            "byte by byte. Build it with `secret: true` in the recipe, or say --without-salt to withhold it all the same"
        )
    for split in splits:
        if _hash(dataset, split) != dataset.manifest.gold_hash.get(split):
            raise MldrError(
                f"{dataset.folder}: the manifest's gold_hash of {split} is not that of the gold here, so no score would ever fit "
                f"the public copy; see: mldr dataset verify {dataset.folder}"
            )
    secret = {source for split in splits for source in _source_ids(dataset, split)} - {""}
    faults = Faults()
    for split in dataset.splits:
        if split not in splits:
            for source in sorted(secret & _source_ids(dataset, split)):
                faults.add(
                    f"{split}, source {source}", "is in a withheld split too; what is shown here tells its labels there"
                )
    faults.check()


def _hash(dataset: Dataset, split: str) -> str:
    return gold_hash((gold, asked.dialogue) for asked in dataset.asked(split) for gold in asked.gold)


def _source_ids(dataset: Dataset, split: str) -> set[str]:
    return {
        name
        for path in dataset.files("fragments", split)
        for batch in read_batches(path, ["source_id"])
        for name in batch.column("source_id").to_pylist()
    }


def _write(dataset: Dataset, folder: Path, told: Withheld) -> None:
    manifest = public_manifest(dataset.manifest, told.splits)
    for split in dataset.splits:
        for table in TABLES:
            if split not in told.splits:
                _copy(dataset, table, split, folder, manifest)
            elif table in ("gold", "fragments"):
                told.rows[table] += dataset.manifest.counts.get(split, {}).get(table, 0)
        if split in told.splits:
            _write_bare(dataset, split, folder, manifest, told)
    write_manifest(folder, manifest)
    public = Dataset(folder)
    summaries = {split: summarise(public, split) for split in public.splits}
    card = compose(public, summaries, manifest.notice) if manifest.release is None else release_card(public)
    add_card(folder, manifest, card)


def public_manifest(manifest: Manifest, splits: Sequence[str]) -> Manifest:
    """Return what a manifest tells the public: no recipe, no seed, no number that tells of the gold of the given splits."""
    return Manifest(
        name=manifest.name,
        versions=dict(manifest.versions),
        counts={
            split: {
                table: n for table, n in counts.items() if split not in splits or table not in ("gold", "fragments")
            }
            for split, counts in manifest.counts.items()
        },
        gold_hash=dict(manifest.gold_hash),
        consent_scopes=manifest.consent_scopes,
        salt_sha256=manifest.salt_sha256,
        model_usage=_public_usage(manifest),
        verification={split: kinds for split, kinds in manifest.verification.items() if split not in splits},
        audit={name: _public_audit(audit, name.partition(" ")[0] in splits) for name, audit in manifest.audit.items()},
        notice=manifest.notice or str(manifest.recipe.get("notice", "")),
        canary=_canary(manifest),
        # what the authors' splits share stays declared, or the copy would not verify
        release=None if manifest.release is None else Release(shared=dict(manifest.release.shared)),
    )


def _public_audit(audit: AuditEntry, withheld: bool) -> AuditEntry:
    """Return what may be told of an audit: of a withheld split not how the labels are spread over kinds."""
    return audit.model_copy(update={"kinds": {}}) if withheld else audit


def _public_usage(manifest: Manifest) -> dict[str, dict[str, str]]:
    """Return which models made the set and under which terms, without a number."""
    terms = model_terms(manifest)
    usage: dict[str, dict[str, str]] = {}
    for step, one in sorted(manifest.model_usage.items()):
        name = str(one.get("model", ""))
        usage[step] = {"model": name, "provider": str(one.get("provider", "")), "terms": terms.get(name, "")}
    told = {one["model"] for one in usage.values()}
    usage.update({name: {"model": name, "terms": text} for name, text in terms.items() if name not in told})
    return usage


def _canary(manifest: Manifest) -> str:
    """Return a canary made of what is public: the private one may hold a part of the recipe's hash."""
    return canary(sha256_text(f"canary/{canonical_json(manifest.gold_hash)}"))


def _copy(dataset: Dataset, table: Table, split: str, folder: Path, manifest: Manifest) -> None:
    for path in dataset.files(table, split):
        name = path.relative_to(dataset.folder).as_posix()
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(path, folder / name)
        manifest.files[name] = entry = dataset.manifest.files[name]
        if sha256_file(folder / name) != entry.sha256:
            raise fault(
                name, f"its bytes are not those that the manifest names; see: mldr dataset verify {dataset.folder}"
            )
        if has_canary(path):  # the private one, which may hold a part of the recipe's hash
            with_canary(path, folder / name, manifest.canary)
            manifest.files[name] = ShardEntry(rows=entry.rows, sha256=sha256_file(folder / name))


def _write_bare(dataset: Dataset, split: str, folder: Path, manifest: Manifest, told: Withheld) -> None:
    """Write the dialogues, queries and images of a split with nothing in them that tells its labels."""
    bare: tuple[Table, ...] = ("dialogues", "queries", "images")
    writers = {table: _Shards(dataset, table, split, folder, manifest.canary) for table in bare}
    last = ""
    with writers["dialogues"] as dialogues, writers["queries"] as queries:
        for asked in dataset.asked(split, gold=False):
            if asked.dialogue.dialogue_id <= last:
                raise fault(f"{split}, dialogue {asked.dialogue.dialogue_id}", "rows are not sorted by dialogue_id")
            last = asked.dialogue.dialogue_id
            dialogues.write(_bare(asked.dialogue, told))
            # Sorted by id, which is made of the text alone, so that order tells nothing.
            for query in sorted(asked.queries, key=lambda query: query.query_id):
                told.stripped["meta of queries"] += bool(query.meta)
                queries.write(replace(query, meta=""))
    with writers["images"] as images:
        for image in _bare_images(dataset, split, told):
            images.write(image)
    for writer in writers.values():
        manifest.files.update(writer.entries)
    for path, extra in dataset.extra_columns().items():
        if path.split("/")[1].startswith(f"{split}-"):
            told.stripped[f"columns of {path}: {', '.join(extra)}"] += dataset.manifest.files[path].rows


def _bare(dialogue: Dialogue, told: Withheld) -> Dialogue:
    if not dialogue.meta:
        return dialogue
    try:
        document = parse_json(dialogue.meta)
    except ValueError:
        document = None  # counted below: what cannot be read cannot be shown to be harmless
    kept = {key: document[key] for key in KEPT_META if key in document} if isinstance(document, dict) else {}
    told.stripped["meta of dialogues"] += kept != document
    return replace(dialogue, meta=canonical_json(kept) if kept else "")


def _bare_images(dataset: Dataset, split: str, told: Withheld) -> Iterator[StoredImage]:
    for image in dataset.images(split):
        told.stripped["meta of images"] += bool(image.meta)
        yield replace(image, meta="")


class _Shards:
    """Writes as many rows to each shard as the dataset's own has."""

    def __init__(self, dataset: Dataset, table: Table, split: str, folder: Path, canary: str) -> None:
        self.entries: dict[str, ShardEntry] = {}
        paths = dataset.files(table, split)
        self._table, self._folder, self._canary = table, folder, canary
        self._left = [
            (shard_name(table, split, position, len(paths)), dataset.manifest.files[f"{table}/{path.name}"].rows)
            for position, path in enumerate(paths)
        ]
        self._writer: ShardWriter | None = None
        self._name, self._limit = "", 0

    def write(self, record: Record) -> None:
        """Add one record."""
        while self._writer is None or self._writer.rows >= self._limit:
            self._close()
            if not self._left:
                raise fault(self._name, "holds more rows than the manifest says")
            self._name, self._limit = self._left.pop(0)
            self._writer = ShardWriter(self._folder / self._name, self._table, self._canary)
        self._writer.write(record)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self.entries[self._name] = ShardEntry(rows=self._writer.rows, sha256=sha256_file(self._folder / self._name))
            self._writer = None

    def __enter__(self) -> _Shards:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            short = [self._name] if self._writer is not None and self._writer.rows < self._limit else []
            self._close()
            for name in (*short, *(name for name, rows in self._left if rows)):
                raise fault(name, "holds fewer rows than the manifest says")
        elif self._writer is not None:
            self._writer.__exit__(kind, error, trace)
