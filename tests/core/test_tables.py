from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import datasets
import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mldr
from mldr.dialogue import (
    Annotation,
    Dialogue,
    DialogueImage,
    Fragment,
    Gold,
    StoredImage,
    Utterance,
)
from mldr.shards import read_shard, write_shard
from mldr.tables import (
    CHOICES,
    KEYS,
    NULLABLE,
    TABLES,
    Row,
    Table,
    arrow_schema,
    card_features,
    from_row,
    json_schema,
    to_row,
)
from tests.core.drawn import RECORDS

each_table = pytest.mark.parametrize("table", TABLES)


def as_json(row: Row) -> Row:
    """Return a row as JSON Lines show it: bytes in base64, times in ISO form."""

    def plain(value: object) -> str:
        return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)

    shown: Row = json.loads(json.dumps(row, default=plain))
    return shown


@each_table
@given(data=st.data())
def test_a_record_survives_as_a_row(table: Table, data: st.DataObject) -> None:
    record = data.draw(RECORDS[table])
    row = to_row(record)
    assert from_row(table, row) == record
    assert list(row) == arrow_schema(table).names or sorted(row) == sorted(arrow_schema(table).names)
    assert from_row(table, {**row, "extra": 1}) == record


@each_table
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_records_survive_in_parquet(
    table: Table, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    records = data.draw(st.lists(RECORDS[table], min_size=1, max_size=4))
    path = tmp_path_factory.mktemp("shard") / "a.parquet"
    assert write_shard(path, table, records) == len(records)
    assert list(read_shard(path, table)) == records


@each_table
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_json_schema_accepts_every_record(table: Table, data: st.DataObject) -> None:
    jsonschema.validate(as_json(to_row(data.draw(RECORDS[table]))), json_schema(table))


def test_ids_of_a_set_are_written_in_ascending_order() -> None:
    gold = to_row(Gold("q", "f", "fine", (3, 1), (2, 0), annotations=(Annotation("a", (5, 4)),)))
    assert (gold["utterance_ids"], gold["image_ids"]) == ([1, 3], [0, 2])
    assert gold["annotations"][0]["utterance_ids"] == [4, 5]
    assert to_row(Fragment("f", "d", "fine", "t", "s", (3, 1)))["utterance_ids"] == [1, 3]


def test_derived_columns_are_written_with_the_record() -> None:
    dialogue = Dialogue("d", "en", "real", "c", (Utterance("a", ""), Utterance("b", "x")), (DialogueImage("k"),))
    row = to_row(dialogue)
    assert (row["n_utterances"], row["n_images"], row["textless_ids"]) == (2, 1, [0])
    assert to_row(Gold("q", "f", "fine", (), (0,)))["kind"] == "image"


def test_an_image_without_bytes_is_null() -> None:
    assert to_row(StoredImage("ref:x/1", "missing"))["image"] is None
    assert to_row(StoredImage("sha256:ab", "present", b"x", media_type="image/png"))["image"] == {
        "bytes": b"x",
        "path": "ab.png",
    }


def test_times_with_a_zone_are_read_as_utc() -> None:
    time = datetime(2024, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    row = to_row(Dialogue("d", "zh", "real", "c", (Utterance("a", "x"),)))
    row["utterances"][0]["time"] = time
    read = from_row("dialogues", row)
    assert isinstance(read, Dialogue)
    assert read.utterances[0].time == time.astimezone(UTC).replace(tzinfo=None) == datetime(2024, 1, 1)


@each_table
def test_the_metadata_is_what_datasets_itself_would_write(table: Table) -> None:
    ours = arrow_schema(table)
    theirs = datasets.Features.from_arrow_schema(ours).arrow_schema
    assert theirs.metadata == ours.metadata
    assert theirs == ours


@each_table
def test_the_card_says_what_datasets_itself_would_write(table: Table) -> None:
    features = datasets.Features.from_arrow_schema(arrow_schema(table))
    assert card_features(table) == features._to_yaml_list()
    assert datasets.Features._from_yaml_list(card_features(table)) == features


@each_table
@pytest.mark.parametrize("split", ["validation", "test"])
def test_the_json_schema_accepts_every_row_of_the_demo(table: Table, split: str, demo_dataset: mldr.Dataset) -> None:
    schema = json_schema(table)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    rows = demo_dataset.arrow(table, split).to_pylist()
    assert rows
    for row in rows:
        validator.validate(as_json(row))


@each_table
def test_the_json_schema_refuses_a_row_that_lacks_any_column(table: Table, small_dataset: mldr.Dataset) -> None:
    validator = jsonschema.Draft202012Validator(json_schema(table))
    row = as_json(small_dataset.arrow(table, "test").to_pylist()[0])
    assert validator.is_valid(row)
    assert validator.is_valid({**row, "extra": 1})
    for column in row:
        assert not validator.is_valid({key: value for key, value in row.items() if key != column}), column


@each_table
def test_the_json_schema_allows_null_only_where_the_design_does(table: Table, small_dataset: mldr.Dataset) -> None:
    validator = jsonschema.Draft202012Validator(json_schema(table))
    row = as_json(small_dataset.arrow(table, "test").to_pylist()[0])
    for column in row:
        assert validator.is_valid({**row, column: None}) == (column in NULLABLE), column


@pytest.mark.parametrize(
    ("table", "broken"),
    [
        ("dialogues", {"origin": "invented"}),
        ("dialogues", {"n_utterances": "6"}),
        ("dialogues", {"utterances": [{"speaker": "a"}]}),
        ("dialogues", {"images": [{"image_key": "k", "caption": None}]}),
        ("queries", {"text": 3}),
        ("gold", {"kind": "text"}),
        ("gold", {"level": "Fine"}),
        ("gold", {"label_source": ""}),
        ("gold", {"negative_type": "far"}),
        ("gold", {"utterance_ids": ["1"]}),
        ("gold", {"verified": "yes"}),
        ("gold", {"annotations": [{"annotator": "a", "utterance_ids": 1, "image_ids": []}]}),
        ("fragments", {"image_ids": None}),
        ("images", {"status": "gone"}),
        ("images", {"width": 1.5}),
        ("images", {"image": "bytes"}),
    ],
)
def test_the_json_schema_refuses_a_wrong_value(table: Table, broken: Row, small_dataset: mldr.Dataset) -> None:
    row = as_json(small_dataset.arrow(table, "test").to_pylist()[0])
    assert not jsonschema.Draft202012Validator(json_schema(table)).is_valid({**row, **broken})


@each_table
def test_the_key_and_the_closed_columns_are_columns(table: Table) -> None:
    names = arrow_schema(table).names
    assert KEYS[table] in names
    assert {name.split(".")[1] for name in CHOICES if name.startswith(f"{table}.")} <= set(names)


def shards(dataset: mldr.Dataset, table: Table) -> dict[str, list[str]]:
    return {split: [str(path) for path in dataset.files(table, split)] for split in dataset.splits}


def same_rows(found: Any, expected: list[Row]) -> None:
    """Compare what `datasets` reads with what Arrow reads; images by their pixels' size."""
    rows = list(found)
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        image = row.pop("image", None)
        if stored := wanted.pop("image", None):
            assert stored["bytes"]
            assert image.size == (wanted["width"], wanted["height"])
            assert image.convert("RGB").getpixel((0, 0))
        assert row == wanted


@each_table
@pytest.mark.parametrize("streaming", [False, True])
def test_load_dataset_reads_a_folder_by_its_card(
    table: Table, streaming: bool, demo_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    loaded = datasets.load_dataset(str(demo_dataset.folder), table, streaming=streaming, cache_dir=str(tmp_path))
    assert list(loaded) == ["validation", "test"]
    for split in demo_dataset.splits:
        assert loaded[split].features.arrow_schema == arrow_schema(table)
        same_rows(loaded[split], demo_dataset.arrow(table, split).to_pylist())


@each_table
@pytest.mark.parametrize("streaming", [False, True])
def test_load_dataset_decodes_shards_by_their_metadata_alone(
    table: Table, streaming: bool, small_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    loaded = datasets.load_dataset(
        "parquet", data_files=shards(small_dataset, table), streaming=streaming, cache_dir=str(tmp_path)
    )
    for split in small_dataset.splits:
        same_rows(loaded[split], small_dataset.arrow(table, split).to_pylist())


def test_an_image_that_is_withheld_loads_as_none(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", "images", [StoredImage("ref:x/1", "withheld")])
    loaded = datasets.load_dataset("parquet", data_files=str(tmp_path / "a.parquet"), cache_dir=str(tmp_path / "cache"))
    assert loaded["train"][0]["image"] is None
    assert loaded["train"][0]["width"] is None


def test_null_strings_are_never_written(small_dataset: mldr.Dataset) -> None:
    for table in TABLES:
        for path in small_dataset.files(table, "test"):
            content = pq.read_table(path)
            nulls = {name for name in content.column_names if content.column(name).null_count}
            assert nulls <= NULLABLE
            assert content.schema.field(KEYS[table]).type == pa.string()
