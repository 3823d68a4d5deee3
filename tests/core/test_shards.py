from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mldr
from mldr import shards
from mldr.dialogue import Fragment, Query, StoredImage
from mldr.errors import InputError, MldrError
from mldr.shards import ShardWriter, check_columns, read_batches, read_shard, shard_name, write_shard
from mldr.tables import Record, Table, arrow_schema
from tests.conftest import small_dialogue, stored_picture
from tests.core.support import Change, edit_rows

QUERIES = [Query(f"q{number:05d}", "d", "en", f"text {number}") for number in range(50)]


def test_a_shard_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_shard(tmp_path / name, "queries", QUERIES)
        write_shard(tmp_path / f"{name}-images", "images", [stored_picture("red"), stored_picture("blue")])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a-images").read_bytes() == (tmp_path / "b-images").read_bytes()


def test_a_shard_is_compressed_and_indexed_as_the_design_says(tmp_path: Path) -> None:
    write_shard(tmp_path / "a", "queries", QUERIES)
    with pq.ParquetFile(tmp_path / "a") as file:
        column = file.metadata.row_group(0).column(0)
        assert column.compression == "ZSTD"
        assert column.has_offset_index
        assert column.has_column_index
        assert file.schema_arrow == arrow_schema("queries")
        assert file.schema_arrow.metadata == arrow_schema("queries").metadata


def test_many_rows_become_several_row_groups_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ROWS_A_GROUP", 20)
    assert write_shard(tmp_path / "a", "queries", iter(QUERIES)) == 50
    with pq.ParquetFile(tmp_path / "a") as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert sizes == [20, 20, 10]
    assert list(read_shard(tmp_path / "a", "queries", rows=7)) == QUERIES


def test_large_images_do_not_share_a_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "BYTES_A_GROUP", 1)
    images = [stored_picture("red"), stored_picture("blue")]
    write_shard(tmp_path / "a", "images", images)
    with pq.ParquetFile(tmp_path / "a") as file:
        assert file.num_row_groups == 2
    assert list(read_shard(tmp_path / "a", "images")) == images


def test_a_shard_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "queries" / "a.parquet"
    with ShardWriter(path, "queries") as writer:
        writer.write(QUERIES[0])
        assert not path.exists()
    assert path.exists()
    assert [entry.name for entry in path.parent.iterdir()] == ["a.parquet"]


def test_a_failed_writer_leaves_nothing(tmp_path: Path) -> None:
    def records() -> Iterator[Query]:
        yield QUERIES[0]
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        write_shard(tmp_path / "a", "queries", records())
    assert list(tmp_path.iterdir()) == []


def test_a_record_that_does_not_fit_the_table_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(pa.ArrowInvalid) as caught:
        write_shard(tmp_path / "a", "fragments", [Fragment("f", "d", "fine", "t", "s", (2**40,))])
    assert list(tmp_path.iterdir()) == [], caught  # while the error is in hand: nothing waits for the garbage collector


def test_a_shard_is_named_by_table_split_and_place() -> None:
    assert shard_name("gold", "train_sft", 3, 12) == "gold/train_sft-00003-of-00012.parquet"


def test_a_missing_or_broken_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"PAR1 no Parquet at all PAR1")
    (tmp_path / "empty").write_bytes(b"")
    for name in ("broken", "empty"):
        for read in (lambda path: list(read_batches(path)), lambda path: check_columns(path, "queries")):
            with pytest.raises(InputError, match=f"{name}: not a Parquet file"):
                read(tmp_path / name)
    with pytest.raises(MldrError, match="no such file"):
        list(read_batches(tmp_path / "none"))
    with pytest.raises(MldrError, match="no such file"):
        check_columns(tmp_path / "none", "queries")


def test_a_damaged_page_is_said_so(tmp_path: Path) -> None:
    write_shard(tmp_path / "a", "queries", QUERIES)
    content = bytearray((tmp_path / "a").read_bytes())
    content[8:400] = b"\xff" * 392
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match="not a Parquet file that can be read"):
        list(read_shard(tmp_path / "a", "queries"))


def test_every_missing_column_and_wrong_type_is_told_at_once(tmp_path: Path) -> None:
    table = pa.table({"query_id": ["q"], "dialogue_id": [7], "text": ["a"], "meta": [""]})
    pq.write_table(table, tmp_path / "a")
    with pytest.raises(InputError) as caught:
        list(read_shard(tmp_path / "a", "queries"))
    assert [fault.message for fault in caught.value.faults] == [
        "column 'dialogue_id' is int64; string is expected",
        "lacks the column 'language' of the table 'queries'",
    ]


@pytest.mark.parametrize(("name", "record"), [("dialogues", small_dialogue(1)), ("images", stored_picture("red"))])
def test_other_writers_names_and_wide_types_are_accepted(tmp_path: Path, name: Table, record: Record) -> None:

    def wide(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_list(kind):
            return pa.large_list(pa.field("element", wide(kind.value_type)))
        if pa.types.is_struct(kind):
            return pa.struct([(field.name, wide(field.type)) for field in kind])
        return {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}.get(kind, kind)

    write_shard(tmp_path / "a", name, [record])
    content = pq.read_table(tmp_path / "a")
    schema = pa.schema([(field.name, wide(field.type)) for field in content.schema])
    pq.write_table(pa.Table.from_pylist(content.to_pylist(), schema=schema), tmp_path / "b")
    assert list(read_shard(tmp_path / "b", name)) == [record]


def test_extra_columns_are_named_and_left_out(tmp_path: Path) -> None:
    write_shard(tmp_path / "a", "queries", QUERIES)
    content = pq.read_table(tmp_path / "a").append_column("difficulty", pa.array(range(50)))
    pq.write_table(content, tmp_path / "b")
    assert check_columns(tmp_path / "b", "queries") == ["difficulty"]
    assert check_columns(tmp_path / "a", "queries") == []
    assert list(read_shard(tmp_path / "b", "queries")) == QUERIES


def test_only_the_columns_that_are_asked_for_are_read(tmp_path: Path) -> None:
    write_shard(tmp_path / "a", "images", [StoredImage("ref:x/1", "missing")])
    batches = list(read_batches(tmp_path / "a", ["image_key"]))
    assert [batch.to_pylist() for batch in batches] == [[{"image_key": "ref:x/1"}]]


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("gold", lambda rows: rows[0].update(utterance_ids=None)),
        ("dialogues", lambda rows: rows[0].update(utterances=None)),
        ("dialogues", lambda rows: rows[0].update(utterances=[None])),
    ],
)
def test_a_null_where_none_may_be_is_bad_input_and_no_crash(
    small_dataset: mldr.Dataset, table: Table, change: Change
) -> None:
    broken = edit_rows(small_dataset, table, "test", change)
    with pytest.raises(MldrError):
        list(broken.asked("test"))


def test_a_shard_holds_the_canary_of_its_dataset_beside_its_columns(tmp_path: Path) -> None:
    for canary, found in (("mldr canary 12", b"mldr canary 12"), ("", None)):
        write_shard(tmp_path / "a.parquet", "dialogues", [small_dialogue(0)], canary)
        assert pq.ParquetFile(tmp_path / "a.parquet").metadata.metadata.get(b"canary") == found
        assert list(read_shard(tmp_path / "a.parquet", "dialogues")) == [small_dialogue(0)]
