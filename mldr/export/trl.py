"""TRL-ready Parquet: `prompt` and `completion` as messages, `images` as a top-level list of pictures with their bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mldr.export.examples import Example
from mldr.files import written_whole
from mldr.markup import ImageSlot
from mldr.tables import hub_feature

ROWS_A_GROUP = 1_000
BYTES_A_GROUP = 32 * 1024 * 1024
BYTES_A_SHARD = 400 * 1024 * 1024
"""Of pictures as the rows repeat them; a file holds a picture once a row group, so it is smaller."""

_STRING = pa.string()
_MESSAGES = pa.list_(
    pa.struct([("role", _STRING), ("content", pa.list_(pa.struct([("type", _STRING), ("text", _STRING)])))])
)
_IMAGES = pa.list_(pa.struct([("bytes", pa.binary()), ("path", _STRING)]))


def trl_schema(*, images: bool) -> pa.Schema:
    """Return the Arrow schema, with the Hugging Face features in its metadata.

    Args:
        images: whether there is a column `images`; TRL takes a set that has one for a set of pictures throughout.
    """
    columns = [("query_id", _STRING), ("dialogue_id", _STRING), ("prompt", _MESSAGES), ("completion", _MESSAGES)]
    columns += [("images", _IMAGES)] if images else []
    schema = pa.schema([*columns, ("solution", _STRING)])
    features = {field.name: hub_feature(field.type) for field in schema}
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


class _Shards:
    """Writes rows to numbered files, which get their final names when their number is known."""

    def __init__(self, folder: Path, split: str, schema: pa.Schema) -> None:
        self.folder, self.split, self.schema = folder, split, schema
        self.paths: list[Path] = []
        self.rows = 0
        self._pending: list[dict[str, Any]] = []
        self._bytes = self._shard_bytes = 0
        self._writer: pq.ParquetWriter | None = None

    def write(self, row: dict[str, Any], size: int) -> None:
        if self._writer is not None and self._shard_bytes + size > BYTES_A_SHARD and self._shard_bytes:
            self.finish_file()
        self._pending.append(row)
        self.rows += 1
        self._bytes += size
        self._shard_bytes += size
        if len(self._pending) >= ROWS_A_GROUP or self._bytes >= BYTES_A_GROUP:
            self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        if self._writer is None:
            path = self.folder / f"{len(self.paths):05d}.unnamed"
            self.paths.append(path)
            self._writer = pq.ParquetWriter(
                path,
                self.schema,
                compression="zstd",
                write_page_index=True,
                dictionary_pagesize_limit=2 * BYTES_A_GROUP,  # the queries of a dialogue share its pictures
            )
        self._writer.write_table(pa.Table.from_pylist(self._pending, schema=self.schema))
        self._pending, self._bytes = [], 0

    def finish_file(self) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()
        self._writer, self._shard_bytes = None, 0

    def named(self) -> list[Path]:
        """Close the last file and give all of them their names."""
        self.finish_file()
        count = len(self.paths)
        named = []
        for index, path in enumerate(self.paths):
            final = self.folder / f"{self.split}-{index:05d}-of-{count:05d}.parquet"
            with written_whole(final) as temporary:
                path.replace(temporary)
            named.append(final)
        return named


def write_trl(
    folder: Path, split: str, examples: Iterable[Example], files: Mapping[str, Path], *, images: bool
) -> tuple[list[Path], int, int]:
    """Write examples to `SPLIT-00000-of-0000N.parquet`.

    Args:
        folder: where.
        split: for the names.
        examples: in the order of the rows.
        files: image_key -> the file that holds its bytes.
        images: whether there is a column `images`.

    Returns:
        The files, the rows, and the rows without a picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = _Shards(folder, split, trl_schema(images=images))
    bare = 0
    held: tuple[str, list[dict[str, Any]]] = ("", [])  # the pictures of one dialogue, read once for all of its queries
    for example in examples:
        if images and example.dialogue_id != held[0]:
            pictures = [{"bytes": files[key].read_bytes(), "path": files[key].name} for key in example.image_keys]
            held = example.dialogue_id, pictures
        bare += not example.image_keys
        row = trl_row(example)
        if images:
            row["images"] = held[1]
        shards.write(row, sum(len(picture["bytes"]) for picture in held[1]))
    return shards.named(), shards.rows, bare


def trl_row(example: Example) -> dict[str, Any]:
    """Return the row of an example without its pictures: an image slot is a content part of type `image`."""
    user = [
        {"type": "image", "text": None} if isinstance(part, ImageSlot) else {"type": "text", "text": part}
        for part in example.user
    ]
    prompt = [{"role": "user", "content": user}]
    if example.prompt.system:
        prompt.insert(0, {"role": "system", "content": [{"type": "text", "text": example.prompt.system}]})
    answer = {"role": "assistant", "content": [{"type": "text", "text": example.solution}]}
    return {
        "query_id": example.query_id,
        "dialogue_id": example.dialogue_id,
        "prompt": prompt,
        "completion": [answer],
        "solution": example.solution,
    }
