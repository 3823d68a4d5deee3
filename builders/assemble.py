"""The last step: finished units and pictures become the shards, the manifest and the card of a dataset."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mldr.builders.card import card
from mldr.builders.pictures import Pictures
from mldr.builders.plan import PlanRow
from mldr.builders.units import COUNTS, UNIT_TABLES, Unit
from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, StoredImage
from mldr.files import parse_json, sha256_file, write_text
from mldr.manifest import Manifest, ShardEntry, gold_hash, write_manifest
from mldr.shards import ShardWriter, read_shard, shard_name
from mldr.tables import Record, Table

if TYPE_CHECKING:
    from mldr.builders.pipeline import Prepared

ROWS_A_SHARD = {"dialogues": 20_000, "queries": 500_000, "gold": 500_000, "fragments": 500_000}
BYTES_A_SHARD = 400 * 1024 * 1024
"""Of encoded images."""


def assemble(
    rows: Sequence[PlanRow],
    units: Sequence[Unit],
    pictures: Pictures,
    prepared: Prepared,
    dataset: Path,
    versions: dict[str, str],
) -> None:
    """Write a whole dataset folder, streaming; what stood there is dropped.

    Args:
        rows: the plan.
        units: the finished units, in the order of the plan.
        pictures: the images.
        prepared: the recipe and what reading it found.
        dataset: the folder.
        versions: of the libraries.
    """
    shutil.rmtree(dataset, ignore_errors=True)
    recipe = prepared.recipe
    dropped = prepared.dropped + prepared.reading.counts  # Counter addition leaves out zeros
    manifest = Manifest(
        name=f"mldr-ffr-{recipe.name}",
        recipe=recipe.published(),
        recipe_hash=prepared.recipe_hash,
        seed=recipe.seed,
        versions=versions,
        canary=f"mldr canary {prepared.recipe_hash[:32]}: benchmark data, keep out of training corpora",
    )
    for split in sorted({row.split for row in rows}):
        own = [unit for unit in units if unit.split == split]
        manifest.counts[split] = {}
        for table in UNIT_TABLES:
            manifest.counts[split][table] = _write_table(own, table, split, dataset, manifest)
        keys = {image.image_key for dialogue in _dialogues(own) for image in dialogue.images}
        manifest.counts[split]["images"] = _write_images(pictures, sorted(keys), split, dataset, manifest)
        for unit in own:
            dropped.update(parse_json((unit.folder / COUNTS).read_bytes()))
    manifest.dropped = {reason: count for reason, count in sorted(dropped.items()) if count}
    write_manifest(dataset, manifest)
    written = Dataset(dataset)
    for split in written.splits:
        golds = ((gold, asked.dialogue) for asked in written.asked(split) for gold in asked.gold)
        manifest.gold_hash[split] = gold_hash(golds)
    write_text(dataset / "README.md", card(written, recipe.notice))
    manifest.files["README.md"] = ShardEntry(rows=0, sha256=sha256_file(dataset / "README.md"))
    write_manifest(dataset, manifest)


def _dialogues(units: Iterable[Unit]) -> Iterator[Dialogue]:
    return cast(Iterator[Dialogue], _records(units, "dialogues"))


def _records(units: Iterable[Unit], table: Table) -> Iterator[Record]:
    for unit in units:
        yield from read_shard(unit.folder / f"{table}.parquet", table)


def _write_table(units: Sequence[Unit], table: Table, split: str, dataset: Path, manifest: Manifest) -> int:
    import pyarrow.parquet as pq

    total = sum(pq.read_metadata(unit.folder / f"{table}.parquet").num_rows for unit in units)
    limit = ROWS_A_SHARD[table]
    return _write(_records(units, table), total, limit, (table, split), dataset, manifest)


def _write_images(pictures: Pictures, keys: list[str], split: str, dataset: Path, manifest: Manifest) -> int:
    if not keys:
        return 0
    shards = max(1, math.ceil(pictures.size(keys) / BYTES_A_SHARD))
    limit = math.ceil(len(keys) / shards)
    return _write(pictures.stored(keys), len(keys), limit, ("images", split), dataset, manifest)


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
        with ShardWriter(dataset / path, name[0]) as writer:
            for _, record in zip(range(limit), records, strict=False):
                writer.write(record)
        manifest.files[path] = ShardEntry(rows=writer.rows, sha256=sha256_file(dataset / path))
    return total
