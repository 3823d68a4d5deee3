"""Records to Arrow columns, without a dict for each row: flat lists of values, and offsets that cut them into lists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import accumulate, chain
from typing import Any, cast

import pyarrow as pa

from mldr.dialogue import Dialogue, Fragment, Gold, Query, StoredImage
from mldr.tables import Record, Table, arrow_schema


def columns_of(table: Table, records: Sequence[Record]) -> pa.Table:
    """Return records of one table as Arrow columns: what `Table.from_pylist` makes of their rows, sets of ids ascending.

    Raises:
        pa.ArrowException: for a value that its column cannot hold, or more than 2 GB in one column.
        UnicodeEncodeError: for a text with half of a surrogate pair.
    """
    schema = arrow_schema(table)
    return pa.Table.from_arrays(_COLUMNS[table](records, schema), schema=schema)


def _named(records: Iterable[Any], names: Iterable[str], schema: pa.Schema | pa.StructType) -> list[pa.Array]:
    """Return the columns that are attributes of their records."""
    listed = list(records)
    return [_column([getattr(record, name) for record in listed], schema.field(name).type) for name in names]


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    column = pa.array(values, kind)
    if isinstance(column, pa.ChunkedArray):
        raise pa.ArrowCapacityError("more than 2 GB of text or bytes in one column of one row group")
    return column


def _lists(lists: Sequence[Collection[Any]], kind: pa.ListType, values: pa.Array | None = None) -> pa.Array:
    """Return lists as a column; `values` are their items one after another, where those are columns already."""
    ends = pa.array(list(accumulate(map(len, lists), initial=0)), pa.int32())
    if values is None:
        values = _column(list(chain.from_iterable(lists)), kind.value_type)
    return pa.ListArray.from_arrays(ends, values, type=kind)


def _id_sets(records: Iterable[Any], name: str, kind: pa.ListType) -> pa.Array:
    return _lists([sorted(getattr(record, name)) for record in records], kind)


def _structs(
    owners: Sequence[Sequence[Any]], kind: pa.ListType, columns: Callable[[list[Any], pa.StructType], list[pa.Array]]
) -> pa.Array:
    """Return lists of structs as a column; `columns` makes those of all items."""
    inner = kind.value_type
    values = columns(list(chain.from_iterable(owners)), inner)
    return _lists(owners, kind, pa.StructArray.from_arrays(values, fields=list(inner)))


def _utterances(utterances: list[Any], kind: pa.StructType) -> list[pa.Array]:
    speaker, text, time, reply_to = _named(utterances, ("speaker", "text", "time", "reply_to"), kind)
    image_ids = _lists([utterance.image_ids for utterance in utterances], kind.field("image_ids").type)
    return [speaker, text, image_ids, time, reply_to]


def _pictures(images: list[Any], kind: pa.StructType) -> list[pa.Array]:
    return _named(images, ("image_key", "caption"), kind)


def _annotations(annotations: list[Any], kind: pa.StructType) -> list[pa.Array]:
    ids = [_id_sets(annotations, name, kind.field(name).type) for name in ("utterance_ids", "image_ids")]
    return [*_named(annotations, ("annotator",), kind), *ids]


def _dialogues(records: Sequence[Record], schema: pa.Schema) -> list[pa.Array]:
    found = cast(Sequence[Dialogue], records)
    return [
        *_named(found, schema.names[:6], schema),
        _lists([record.textless_ids for record in found], schema.field("textless_ids").type),
        _structs([record.utterances for record in found], schema.field("utterances").type, _utterances),
        _structs([record.images for record in found], schema.field("images").type, _pictures),
        *_named(found, schema.names[9:], schema),
    ]


def _queries(records: Sequence[Record], schema: pa.Schema) -> list[pa.Array]:
    return _named(cast(Sequence[Query], records), schema.names, schema)


def _gold(records: Sequence[Record], schema: pa.Schema) -> list[pa.Array]:
    found = cast(Sequence[Gold], records)
    return [
        *_named(found, schema.names[:4], schema),
        *(_id_sets(found, name, schema.field(name).type) for name in schema.names[4:6]),
        *_named(found, schema.names[6:10], schema),
        _structs([record.annotations for record in found], schema.field("annotations").type, _annotations),
        *_named(found, schema.names[11:], schema),
    ]


def _fragments(records: Sequence[Record], schema: pa.Schema) -> list[pa.Array]:
    found = cast(Sequence[Fragment], records)
    ids = [_id_sets(found, name, schema.field(name).type) for name in schema.names[5:]]
    return [*_named(found, schema.names[:5], schema), *ids]


def _images(records: Sequence[Record], schema: pa.Schema) -> list[pa.Array]:
    found = cast(Sequence[StoredImage], records)
    kind = schema.field("image").type
    absent = pa.array([record.content is None for record in found], pa.bool_())
    content = _column([record.content for record in found], pa.binary())
    path = _column([None if record.content is None else record.file_name for record in found], pa.string())
    image = pa.StructArray.from_arrays([content, path], fields=list(kind), mask=absent)
    return [*_named(found, schema.names[:3], schema), image, *_named(found, schema.names[4:], schema)]


_COLUMNS: dict[Table, Callable[[Sequence[Record], pa.Schema], list[pa.Array]]] = {
    "dialogues": _dialogues,
    "queries": _queries,
    "gold": _gold,
    "fragments": _fragments,
    "images": _images,
}
