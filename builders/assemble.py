"""The last step: finished units and pictures become the shards, the manifest and the card of a dataset, as a stream."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from mldr.assembly import ROWS_A_SHARD, add_card, hash_gold, images_a_shard, write_table
from mldr.builders.accounts import Accounts, gather_flagged
from mldr.builders.card import card
from mldr.builders.imagetable import ImageTable
from mldr.builders.planfile import Plan
from mldr.builders.recipe import Recipe
from mldr.builders.units import UNIT_TABLES, Unit, unit_of
from mldr.errors import Fault, InputError
from mldr.manifest import Manifest
from mldr.shards import read_batches, read_shard
from mldr.tables import Record, Table


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
            images.use(split, _image_keys(unit))
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
    written = hash_gold(dataset, manifest)
    add_card(dataset, manifest, card(written, recipe.notice))


def _image_keys(unit: Unit) -> Iterator[str]:
    """Yield the keys of the images of a unit's dialogues, without reading what is said in them."""
    for batch in read_batches(unit.folder / "dialogues.parquet", ["images"]):
        yield from batch.column("images").flatten().field("image_key").to_pylist()


def _records(units: Iterable[Unit], table: Table) -> Iterator[Record]:
    for unit in units:
        yield from read_shard(unit.folder / f"{table}.parquet", table)


def _write_table(units: list[Unit], table: Table, split: str, dataset: Path, manifest: Manifest) -> int:
    import pyarrow.parquet as pq

    total = sum(pq.read_metadata(unit.folder / f"{table}.parquet").num_rows for unit in units)
    return write_table(_records(units, table), total, ROWS_A_SHARD[table], (table, split), dataset, manifest)


def _write_images(images: ImageTable, split: str, dataset: Path, manifest: Manifest) -> int:
    total, size = images.totals(split)
    return write_table(images.used(split), total, images_a_shard(total, size), ("images", split), dataset, manifest)
