"""Parquet shards: written whole, with the same bytes each time, and read back as records or Arrow batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mldr.columns import columns_of
from mldr.dialogue import Dialogue, StoredImage
from mldr.errors import Faults, MldrError, fault, first_line
from mldr.files import written_whole
from mldr.tables import KEYS, NULLABLE, Record, Row, Table, arrow_schema, from_row

ROWS_A_GROUP = 5_000
BYTES_A_GROUP = 8 * 1024 * 1024
"""Of encoded images: small, so that one image can be read without its neighbours (the Hub asks for <= 100 MB)."""
CHARACTERS_A_GROUP = 64 * 1024 * 1024
"""Of the texts of dialogues: reached only by extraordinary ones, far below what an Arrow column holds."""
ROWS_A_STEP = 500
"""So many records wait as records before they become columns, which take a tenth of the memory."""


class ShardWriter:
    """Writes records of one table to one file, in the order given.

    The file appears under its name when the writer closes without an error; memory holds one row group.

    Args:
        path: the file.
        table: which.
        canary: the dataset's, which stands in the file's own metadata, too; '' for none.
    """

    def __init__(self, path: Path, table: Table, canary: str = "") -> None:
        self.table = table
        self.rows = 0
        self._schema = arrow_schema(table)
        self._largest = BYTES_A_GROUP if table == "images" else CHARACTERS_A_GROUP
        self._pending: list[Record] = []
        self._columns: list[pa.Table] = []
        self._rows = self._size = 0
        self._whole = written_whole(path)
        self._temporary = self._whole.__enter__()
        self._writer = _opened(self._temporary, self._schema, canary)

    def write(self, record: Record) -> None:
        """Add one record."""
        self._pending.append(record)
        self.rows += 1
        self._rows += 1
        if isinstance(record, StoredImage):
            self._size += len(record.content or b"")
        elif isinstance(record, Dialogue):
            self._size += sum([len(utterance.text) for utterance in record.utterances])
        if self._rows >= ROWS_A_GROUP or self._size >= self._largest:
            self._flush()
        elif len(self._pending) >= ROWS_A_STEP:
            self._settle()

    def close(self) -> None:
        """Finish the file."""
        self.__exit__(None, None, None)

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
            self._writer.close()
        except BaseException as failure:
            self._writer.close()
            self._whole.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._whole.__exit__(kind, error, trace)

    def _settle(self) -> None:
        """Turn the records that wait into columns."""
        if self._pending:
            self._columns.append(columns_of(self.table, self._pending))
            self._pending = []

    def _flush(self) -> None:
        """Write a row group."""
        self._settle()
        if self._columns:
            self._writer.write_table(pa.concat_tables(self._columns).combine_chunks())
            self._columns, self._rows, self._size = [], 0, 0


def _opened(path: Path, schema: pa.Schema, canary: str) -> pq.ParquetWriter:
    writer = pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        write_page_index=True,
        use_content_defined_chunking=True,
        use_dictionary=True if "image" not in schema.names else [name for name in schema.names if name != "image"],
    )
    if canary:
        writer.add_key_value_metadata({"canary": canary})
    return writer


def has_canary(path: Path) -> bool:
    """Say whether a shard holds a canary."""
    with _readable(path):
        return b"canary" in (pq.read_metadata(path).metadata or {})


def with_canary(path: Path, copy: Path, canary: str) -> None:
    """Write a copy of a shard that holds another canary and the same rows, its extra columns too."""
    with (
        pq.ParquetFile(path) as shard,
        written_whole(copy) as temporary,
        _opened(temporary, shard.schema_arrow, canary) as writer,
    ):
        for group in range(shard.num_row_groups):
            with _readable(path):  # not around the writing, whose errors are the disk's
                rows = shard.read_row_group(group)
            writer.write_table(rows)


def write_shard(path: Path, table: Table, records: Iterable[Record], canary: str = "") -> int:
    """Write records to one file and return how many there were."""
    with ShardWriter(path, table, canary) as writer:
        for record in records:
            writer.write(record)
    return writer.rows


def shard_name(table: Table, split: str, index: int, count: int) -> str:
    """Return the path of a shard inside its dataset."""
    return f"{table}/{split}-{index:05d}-of-{count:05d}.parquet"


def read_batches(path: Path, columns: Sequence[str] | None = None, rows: int = 1_000) -> Iterator[pa.RecordBatch]:
    """Yield a Parquet file as record batches.

    Raises:
        MldrError: if the file cannot be read.
    """
    with _readable(path), pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=rows, columns=None if columns is None else list(columns))


def read_whole(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a Parquet file, or some of its columns, as one Arrow table.

    Raises:
        MldrError: if the file cannot be read.
    """
    with _readable(path), pq.ParquetFile(path) as file:
        return file.read(columns=None if columns is None else list(columns))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what Arrow and the system say of a file into a fault at its place."""
    try:
        yield
    except FileNotFoundError as error:
        raise MldrError(f"{path}: no such file") from error
    except (pa.ArrowException, OSError) as error:
        raise fault(str(path), f"not a Parquet file that can be read ({first_line(error)})") from error


def read_shard(path: Path, table: Table, rows: int = 1_000) -> Iterator[Record]:
    """Yield the records of one file; other columns than the table's are allowed and left out.

    Raises:
        InputError: for a file that lacks a column of the table, or has one of another type.
        MldrError: if the file cannot be read.
    """
    check_columns(path, table)
    for batch in read_batches(path, arrow_schema(table).names, rows):
        sound = not any(True for name in batch.schema.names for _ in nulls(name, batch.column(name)))
        for row in batch.to_pylist():
            if not sound and (wrong := _null_in(row, table)):
                raise fault(f"{path}, {row[KEYS[table]]}", f"{wrong} is null")
            yield from_row(table, row)


def nulls(name: str, array: Any) -> Iterator[str]:
    """Yield the names of columns, nested ones too, that hold a null and must not."""
    if array.null_count and name.rpartition(".")[2] not in NULLABLE:
        yield name
    elif pa.types.is_list(array.type):
        yield from nulls(name, array.flatten())
    elif pa.types.is_struct(array.type) and name != "image":
        for position, field in enumerate(array.type):
            yield from nulls(f"{name}.{field.name}", array.field(position))


def _null_in(row: Row, table: Table) -> str:
    """Return the name of a column of one row that is null and must not be, '' for none."""
    one = pa.RecordBatch.from_pylist([row], schema=arrow_schema(table))
    return next((found for name in one.schema.names for found in nulls(name, one.column(name))), "")


def check_columns(path: Path, table: Table) -> list[str]:
    """Return the names of the extra columns of a shard.

    Raises:
        InputError: with each missing column and each of another type.
    """
    with _readable(path):
        found = pq.read_schema(path)
    faults = Faults()
    expected = arrow_schema(table)
    for field in expected:
        if field.name not in found.names:
            faults.add(str(path), f"lacks the column {field.name!r} of the table {table!r}")
        elif not _same_type(found.field(field.name).type, field.type):
            faults.add(str(path), f"column {field.name!r} is {found.field(field.name).type}; {field.type} is expected")
    faults.check()
    return [name for name in found.names if name not in expected.names]


def _same_type(found: pa.DataType, expected: pa.DataType) -> bool:
    """Compare types as the Parquet format keeps them: names of list items and nullability do not count."""
    if pa.types.is_list(expected):
        listed = pa.types.is_list(found) or pa.types.is_large_list(found)
        return listed and _same_type(found.value_type, expected.value_type)
    if pa.types.is_struct(expected):
        if not pa.types.is_struct(found):
            return False
        names = {field.name: field.type for field in found}
        return all(field.name in names and _same_type(names[field.name], field.type) for field in expected)
    wide = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}
    return bool(wide.get(found, found) == expected)
