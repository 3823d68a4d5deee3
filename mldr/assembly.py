"""The last strokes of every dataset: records to as many shards as needed, the hashes of the gold, the card, all in the manifest."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from mldr.dataset import Dataset
from mldr.dialogue import StoredImage
from mldr.files import sha256_file, write_text
from mldr.manifest import Manifest, ShardEntry, gold_hash, write_manifest
from mldr.shards import shard_name, write_shard
from mldr.tables import Record, Table

ROWS_A_SHARD = {"dialogues": 20_000, "queries": 500_000, "gold": 500_000, "fragments": 500_000}
BYTES_A_SHARD = 400 * 1024 * 1024
"""Of encoded images."""


def images_a_shard(total: int, size: int) -> int:
    """Return how many images a shard may have, if `total` of them have `size` bytes."""
    return max(1, math.ceil(total / max(1, math.ceil(size / BYTES_A_SHARD))))


def write_table(
    records: Iterator[Record] | Iterator[StoredImage],
    total: int,
    limit: int,
    name: tuple[Table, str],
    folder: Path,
    manifest: Manifest,
) -> int:
    """Write a table of a split and enter its shards in the manifest; return how many rows were written.

    Args:
        records: in the order of the rows; no more than `total` are drawn, a shard's worth at a time.
        total: how many there are.
        limit: rows of a shard at most.
        name: the table and the split.
        folder: of the dataset.
        manifest: of the dataset.
    """
    count = math.ceil(total / limit)
    written = 0
    for index in range(count):
        path = shard_name(*name, index, count)
        rows = write_shard(folder / path, name[0], islice(records, limit), manifest.canary)
        manifest.files[path] = ShardEntry(rows=rows, sha256=sha256_file(folder / path))
        written += rows
    return written


def hash_gold(folder: Path, manifest: Manifest) -> Dataset:
    """Write the manifest, and put the hash of each split's gold into it; return the dataset as it is read."""
    write_manifest(folder, manifest)
    written = Dataset(folder)
    for split in written.splits:
        golds = ((gold, asked.dialogue) for asked in written.asked(split) for gold in asked.gold)
        manifest.gold_hash[split] = gold_hash(golds)
    write_manifest(folder, manifest)
    return written


def add_card(folder: Path, manifest: Manifest, card: str) -> None:
    """Write the card of a dataset, and its manifest, which names the card's hash."""
    write_text(folder / "README.md", card)
    manifest.files["README.md"] = ShardEntry(rows=0, sha256=sha256_file(folder / "README.md"))
    write_manifest(folder, manifest)
