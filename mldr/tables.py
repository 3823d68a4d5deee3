"""The five tables of a dataset: Arrow schemas, the same as JSON Schemas, and records to rows and back.

A schema carries the Hugging Face features in its metadata, so that `datasets.load_dataset` decodes images without being told.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

import pyarrow as pa

from mldr.dialogue import (
    Annotation,
    Dialogue,
    DialogueImage,
    Fragment,
    Gold,
    ImageStatus,
    Kind,
    LabelSource,
    Level,
    NegativeType,
    Origin,
    Query,
    StoredImage,
    Utterance,
)

Table = Literal["dialogues", "queries", "gold", "fragments", "images"]
TABLES: tuple[Table, ...] = get_args(Table)
Row = dict[str, Any]
Record = Dialogue | Query | Gold | Fragment | StoredImage

_STRING, _INT = pa.string(), pa.int32()
_IDS = pa.list_(_INT)
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", _STRING)])

_COLUMNS: dict[Table, list[tuple[str, pa.DataType]]] = {
    "dialogues": [
        ("dialogue_id", _STRING),
        ("language", _STRING),
        ("origin", _STRING),
        ("cluster_id", _STRING),
        ("n_utterances", _INT),
        ("n_images", _INT),
        ("textless_ids", _IDS),
        (
            "utterances",
            pa.list_(
                pa.struct(
                    [
                        ("speaker", _STRING),
                        ("text", _STRING),
                        ("image_ids", _IDS),
                        ("time", pa.timestamp("ms")),
                        ("reply_to", _INT),
                    ]
                )
            ),
        ),
        ("images", pa.list_(pa.struct([("image_key", _STRING), ("caption", _STRING)]))),
        ("licence", _STRING),
        ("attribution", _STRING),
        ("meta", _STRING),
    ],
    "queries": [(name, _STRING) for name in ("query_id", "dialogue_id", "language", "text", "meta")],
    "gold": [
        ("query_id", _STRING),
        ("fragment_id", _STRING),
        ("kind", _STRING),
        ("level", _STRING),
        ("utterance_ids", _IDS),
        ("image_ids", _IDS),
        ("label_source", _STRING),
        ("label_model", _STRING),
        ("verified", pa.bool_()),
        ("negative_type", _STRING),
        (
            "annotations",
            pa.list_(pa.struct([("annotator", _STRING), ("utterance_ids", _IDS), ("image_ids", _IDS)])),
        ),
        ("meta", _STRING),
    ],
    "fragments": [
        ("fragment_id", _STRING),
        ("dialogue_id", _STRING),
        ("level", _STRING),
        ("topic", _STRING),
        ("source_id", _STRING),
        ("utterance_ids", _IDS),
        ("image_ids", _IDS),
    ],
    "images": [
        ("image_key", _STRING),
        ("status", _STRING),
        ("url", _STRING),
        ("image", _IMAGE),
        ("width", _INT),
        ("height", _INT),
        ("media_type", _STRING),
        ("source", _STRING),
        ("licence", _STRING),
        ("attribution", _STRING),
        ("meta", _STRING),
    ],
}

CHOICES: dict[str, tuple[str, ...]] = {
    "dialogues.origin": get_args(Origin),
    "gold.kind": get_args(Kind),
    "gold.level": get_args(Level),
    "gold.label_source": get_args(LabelSource),
    "gold.negative_type": get_args(NegativeType),
    "fragments.level": get_args(Level),
    "images.status": get_args(ImageStatus),
}
"""The columns whose values come from a closed list."""

NULLABLE = frozenset({"time", "reply_to", "width", "height", "image"})
"""The only columns that may be null; every other absent string is '', an absent list []."""

KEYS: dict[Table, str] = {
    "dialogues": "dialogue_id",
    "queries": "query_id",
    "gold": "query_id",
    "fragments": "fragment_id",
    "images": "image_key",
}
"""The column that names a row, by which a table is sorted."""


def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a table, with the Hugging Face features in its metadata."""
    schema = pa.schema(_COLUMNS[table])
    features = {field.name: hub_feature(field.type) for field in schema}
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def hub_feature(kind: pa.DataType) -> Row:
    """Return the Hugging Face feature of an Arrow type, as `datasets` writes it into Parquet metadata."""
    if kind == _IMAGE:
        return {"_type": "Image"}
    if pa.types.is_list(kind):
        return {"feature": hub_feature(kind.value_type), "_type": "List"}
    if pa.types.is_struct(kind):
        return {field.name: hub_feature(field.type) for field in kind}
    name = {"timestamp": "timestamp[ms]", "bool": "bool"}.get(str(kind).split("[")[0], str(kind))
    return {"dtype": name, "_type": "Value"}


def card_features(table: Table) -> list[Row]:
    """Return a table's features as a dataset card's YAML writes them."""
    return [_card_feature(name, kind) for name, kind in _COLUMNS[table]]


def _card_feature(name: str | None, kind: pa.DataType) -> Row:
    named: Row = {} if name is None else {"name": name}
    if kind == _IMAGE:
        return {**named, "dtype": "image"}
    if pa.types.is_list(kind):
        inner = kind.value_type
        if pa.types.is_struct(inner):
            return {**named, "list": [_card_feature(field.name, field.type) for field in inner]}
        return {**named, "list": hub_feature(inner)["dtype"]}
    return {**named, "dtype": hub_feature(kind)["dtype"]}


def json_schema(table: Table) -> Row:
    """Return the JSON Schema (2020-12) of one row of a table as JSON Lines show it: bytes in base64, times in ISO 8601."""
    columns = {name: _json_type(name, kind, CHOICES.get(f"{table}.{name}")) for name, kind in _COLUMNS[table]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"mldr {table} row",
        "type": "object",
        "properties": columns,
        "required": list(columns),
        "additionalProperties": True,
    }


def _json_type(name: str, kind: pa.DataType, choices: tuple[str, ...] | None = None) -> Row:
    if choices is not None:
        return {"enum": list(choices)}
    if pa.types.is_list(kind):
        return {"type": "array", "items": _json_type("", kind.value_type)}
    if pa.types.is_struct(kind):
        properties = {field.name: _json_type(field.name, field.type) for field in kind}
        shape: Row = {"type": "object", "properties": properties, "required": list(properties)}
        return {"anyOf": [shape, {"type": "null"}]} if name in NULLABLE else shape
    simple = {"int32": "integer", "bool": "boolean"}.get(str(kind), "string")
    return {"type": [simple, "null"]} if name in NULLABLE or kind == pa.binary() else {"type": simple}


def to_row(record: Record) -> Row:
    """Return the row of a record, ids of a set in ascending order."""
    return _TO_ROW[type(record)](record)


def from_row(table: Table, row: Row) -> Record:
    """Return the record of a row. Columns that mldr does not know are left out."""
    return _FROM_ROW[table](row)


def _dialogue_row(record: Dialogue) -> Row:
    return {
        **_plain(record, "dialogue_id", "language", "origin", "cluster_id", "n_utterances", "n_images"),
        "textless_ids": list(record.textless_ids),
        "utterances": [
            {
                "speaker": utterance.speaker,
                "text": utterance.text,
                "image_ids": list(utterance.image_ids),
                "time": utterance.time,
                "reply_to": utterance.reply_to,
            }
            for utterance in record.utterances
        ],
        "images": [{"image_key": image.image_key, "caption": image.caption} for image in record.images],
        **_plain(record, "licence", "attribution", "meta"),
    }


def _gold_row(record: Gold) -> Row:
    return {
        **_flat(record),
        "kind": record.kind,
        "annotations": [_flat(annotation) for annotation in record.annotations],
    }


def _image_row(record: StoredImage) -> Row:
    row = _flat(record)
    content = row.pop("content")
    row["image"] = None if content is None else {"bytes": content, "path": record.file_name}
    return row


def _flat(record: Any) -> Row:
    """Return the fields of a record; tuples of ids become sorted lists."""
    return {
        field.name: sorted(value)
        if isinstance(value := getattr(record, field.name), tuple) and _are_ids(value)
        else value
        for field in fields(record)
    }


def _are_ids(value: tuple[Any, ...]) -> bool:
    return all(isinstance(item, int) for item in value)


def _plain(record: Any, *names: str) -> Row:
    return {name: getattr(record, name) for name in names}


def _dialogue(row: Row) -> Dialogue:
    return Dialogue(
        **{
            name: row[name]
            for name in ("dialogue_id", "language", "origin", "cluster_id", "licence", "attribution", "meta")
        },
        utterances=tuple(
            Utterance(u["speaker"], u["text"], tuple(u["image_ids"]), _time(u["time"]), u["reply_to"])
            for u in row["utterances"]
        ),
        images=tuple(DialogueImage(image["image_key"], image["caption"]) for image in row["images"]),
    )


def _time(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def _known(kind: type[Any], row: Row, **changed: Any) -> Any:
    names = {field.name for field in fields(kind)}
    return kind(**{**{name: row[name] for name in names if name in row}, **changed})


def _gold(row: Row) -> Gold:
    return cast(
        Gold,
        _known(
            Gold,
            row,
            utterance_ids=tuple(row["utterance_ids"]),
            image_ids=tuple(row["image_ids"]),
            annotations=tuple(
                Annotation(a["annotator"], tuple(a["utterance_ids"]), tuple(a["image_ids"])) for a in row["annotations"]
            ),
        ),
    )


def _fragment(row: Row) -> Fragment:
    ids = {name: tuple(row[name]) for name in ("utterance_ids", "image_ids")}
    return cast(Fragment, _known(Fragment, row, **ids))


def _image(row: Row) -> StoredImage:
    image = row.get("image")
    return cast(StoredImage, _known(StoredImage, row, content=None if image is None else image["bytes"]))


_TO_ROW: dict[type[Any], Callable[[Any], Row]] = {
    Dialogue: _dialogue_row,
    Query: _flat,
    Gold: _gold_row,
    Fragment: _flat,
    StoredImage: _image_row,
}
_FROM_ROW: dict[Table, Callable[[Row], Record]] = {
    "dialogues": _dialogue,
    "queries": lambda row: cast(Query, _known(Query, row)),
    "gold": _gold,
    "fragments": _fragment,
    "images": _image,
}
