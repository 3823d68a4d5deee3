"""Hostile text, broken datasets and fresh interpreters for the tests of the core."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

import mldr
from mldr.dialogue import Dialogue, DialogueImage, Utterance
from mldr.files import sha256_file
from mldr.manifest import ShardEntry, read_manifest, write_manifest
from mldr.shards import shard_name
from mldr.tables import Table

PIECES = (
    "\\",
    "\n",
    "\r",
    "\u2028",
    "\x85",
    "<|",
    "|>",
    "<",
    "|",
    ">",
    "<image>",
    "<\\image>",
    "\\n",
    "[image]",
    "[image: a]",
    "]",
    " ",
    ": ",
    "<|utt_id_start|>0<|utt_id_end|> user1: ",
    " <|img_id_start|>0<|img_id_end|><image>",
    " <|img_id_start|>1<|img_id_end|>[image: b]",
    "你好",
    "👩‍👧",
    "e\u0301",
    "\u202e",
)

plain_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
"""Any text that a dataset may hold: valid Unicode without NUL."""

hostile_text = st.lists(st.sampled_from(PIECES) | plain_text, max_size=6).map("".join)
"""Text made of what markup is made of."""


@st.composite
def dialogues(draw: st.DrawFn, text: st.SearchStrategy[str] = hostile_text) -> Dialogue:
    """Draw a dialogue with hostile words, speakers and captions; image ids run from 0 in order."""
    utterances: list[Utterance] = []
    images: list[DialogueImage] = []
    for _ in range(draw(st.integers(0, 5))):
        count = draw(st.integers(0, 3))
        utterances.append(
            Utterance(draw(text), draw(text), tuple(range(len(images), len(images) + count))),
        )
        images += [DialogueImage(f"ref:x/{len(images) + i}", draw(text)) for i in range(count)]
    return Dialogue("d", "en", "stitched", "c", tuple(utterances), tuple(images))


def python(code: str, folder: Path, **environment: str) -> str:
    """Run code in a fresh interpreter, in a folder, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


Change = Callable[[list[dict[str, Any]]], None]


def edit_rows(dataset: mldr.Dataset, table: Table, split: str, change: Change) -> mldr.Dataset:
    """Change the rows of a shard as a faulty builder would have written them: hashes and counts fit; open it again."""
    path = dataset.folder / shard_name(table, split, 0, 1)
    kept = pq.read_table(path)
    rows = kept.to_pylist()
    change(rows)
    return put_table(dataset, table, split, pa.Table.from_pylist(rows, schema=kept.schema))


def put_table(dataset: mldr.Dataset, table: Table, split: str, content: pa.Table) -> mldr.Dataset:
    """Write an Arrow table over a shard, with the manifest to match, and open the dataset again."""
    name = shard_name(table, split, 0, 1)
    pq.write_table(content, dataset.folder / name)
    manifest = read_manifest(dataset.folder)
    manifest.files[name] = ShardEntry(rows=content.num_rows, sha256=sha256_file(dataset.folder / name))
    manifest.counts[split][table] = content.num_rows
    write_manifest(dataset.folder, manifest)
    return mldr.Dataset(dataset.folder)


def add_shard(
    dataset: mldr.Dataset, name: str, content: pa.Table, counts: Mapping[tuple[str, str], int]
) -> mldr.Dataset:
    """Add a shard under a name of its own, with the manifest to match, and open the dataset again."""
    path = dataset.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(content, path)
    manifest = read_manifest(dataset.folder)
    manifest.files[name] = ShardEntry(rows=content.num_rows, sha256=sha256_file(path))
    for (split, table), count in counts.items():
        manifest.counts.setdefault(split, {})[table] = count
    write_manifest(dataset.folder, manifest)
    return mldr.Dataset(dataset.folder)


def textless(dialogue: Dialogue, position: int) -> Dialogue:
    """Return the dialogue with one utterance that says nothing."""
    utterances = list(dialogue.utterances)
    utterances[position] = replace(utterances[position], text="")
    return replace(dialogue, utterances=tuple(utterances))
