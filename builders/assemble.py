"""The last step: finished units and pictures become the shards, the manifest and the card of a dataset, as a stream."""

from __future__ import annotations

import math
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from mldr.builders.accounts import Accounts, gather_flagged
from mldr.builders.card import card
from mldr.builders.imagetable import ImageTable
from mldr.builders.planfile import Plan
from mldr.builders.recipe import Recipe
from mldr.builders.units import UNIT_TABLES, Unit, unit_of
from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, StoredImage
from mldr.errors import Fault, InputError
from mldr.files import sha256_file, write_text
from mldr.manifest import Manifest, ShardEntry, gold_hash, write_manifest
from mldr.shards import ShardWriter, read_shard, shard_name
from mldr.tables import Record, Table

ROWS_A_SHARD = {"dialogues": 20_000, "queries": 500_000, "gold": 500_000, "fragments": 500_000}
BYTES_A_SHARD = 400 * 1024 * 1024
"""Of encoded images."""


def assemble(plan: Plan, work: Path, images: ImageTable, dataset: Path, manifest: Manifest, recipe: Recipe) -> None:
    """Write a whole dataset folder, streaming, and `flagged.jsonl` in the work folder; what stood there is dropped.

    Args:
        plan: of the work folder, whose units are all finished.
        work: the work folder.
        images: the images of the build.
        dataset: the folder.
        manifest: names the set and what shaped it; the rest is filled in here.
        recipe: what is built.
    """
    shutil.rmtree(dataset, ignore_errors=True)
    accounts = Accounts(work / "accounts.sqlite")
    images.start()
    for split in plan.splits:
        own = [unit_of(work, unit) for unit in plan.units if unit.split == split]
        counts: dict[str, int] = {table: _write_table(own, table, split, dataset, manifest) for table in UNIT_TABLES}
        for unit in own:
            accounts.add(unit)
            images.use(split, (image.image_key for dialogue in _dialogues(unit) for image in dialogue.images))
        if counts["dialogues"]:
            manifest.counts[split] = {**counts, "images": _write_images(images, split, dataset, manifest)}
    if not manifest.counts:
        raise InputError(
            [Fault("recipe", "every dialogue was dropped; see what the models answered, or allow `given_up: rule`")]
        )
    gather_flagged((unit_of(work, unit) for unit in plan.units), work / "flagged.jsonl")
    dropped = Counter(plan.dropped) + accounts.dropped
    manifest.dropped = {reason: count for reason, count in sorted(dropped.items()) if count}
    manifest.noted = dict(sorted(plan.noted.items()))
    manifest.notice = recipe.notice
    manifest.model_usage, manifest.verification = accounts.model_usage(recipe), accounts.agreement
    write_manifest(dataset, manifest)
    written = Dataset(dataset)
    for split in written.splits:
        golds = ((gold, asked.dialogue) for asked in written.asked(split) for gold in asked.gold)
        manifest.gold_hash[split] = gold_hash(golds)
    write_text(dataset / "README.md", card(written, recipe.notice))
    manifest.files["README.md"] = ShardEntry(rows=0, sha256=sha256_file(dataset / "README.md"))
    write_manifest(dataset, manifest)


def _dialogues(unit: Unit) -> Iterator[Dialogue]:
    return cast(Iterator[Dialogue], _records([unit], "dialogues"))


def _records(units: Iterable[Unit], table: Table) -> Iterator[Record]:
    for unit in units:
        yield from read_shard(unit.folder / f"{table}.parquet", table)


def _write_table(units: list[Unit], table: Table, split: str, dataset: Path, manifest: Manifest) -> int:
    import pyarrow.parquet as pq

    total = sum(pq.read_metadata(unit.folder / f"{table}.parquet").num_rows for unit in units)
    limit = ROWS_A_SHARD[table]
    return _write(_records(units, table), total, limit, (table, split), dataset, manifest)


def _write_images(images: ImageTable, split: str, dataset: Path, manifest: Manifest) -> int:
    total, size = images.totals(split)
    if not total:
        return 0
    limit = math.ceil(total / max(1, math.ceil(size / BYTES_A_SHARD)))
    return _write(images.used(split), total, limit, ("images", split), dataset, manifest)


def _write(
    records: Iterator[Record] | Iterator[StoredImage],
    total: int,
    limit: int,
    name: tuple[Table, str],
    dataset: Path,
    manifest: Manifest,
) -> int:
    """Write records to as many shards as the limit of rows asks for, and enter those in the manifest."""
    count = math.ceil(total / limit)
    for index in range(count):
        path = shard_name(name[0], name[1], index, count)
        with ShardWriter(dataset / path, name[0], manifest.canary) as writer:
            for _, record in zip(range(limit), records, strict=False):
                writer.write(record)
        manifest.files[path] = ShardEntry(rows=writer.rows, sha256=sha256_file(dataset / path))
    return total
