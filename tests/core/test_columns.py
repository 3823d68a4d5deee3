from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldr import shards
from mldr.columns import columns_of
from mldr.dialogue import Annotation, Dialogue, DialogueImage, Fragment, Gold, Query, StoredImage, Utterance
from mldr.shards import read_shard, write_shard
from mldr.tables import TABLES, Record, Row, Table, arrow_schema, to_row
from tests.conftest import small_dialogue, stored_picture
from tests.core.drawn import RECORDS

each_table = pytest.mark.parametrize("table", TABLES)


def by_rows(table: Table, records: Sequence[Record]) -> pa.Table:
    """What the columns must be: a dict for each record, and Arrow's own conversion."""
    return pa.Table.from_pylist([to_row(record) for record in records], schema=arrow_schema(table))


@each_table
@settings(deadline=None)
@given(data=st.data())
def test_columns_are_those_of_the_rows(table: Table, data: st.DataObject) -> None:
    records = data.draw(st.lists(RECORDS[table], max_size=6))
    made = columns_of(table, records)
    made.validate(full=True)
    assert made.equals(by_rows(table, records), check_metadata=True)


@each_table
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_file_has_the_bytes_that_rows_would_give_it(
    table: Table, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    records = data.draw(st.lists(RECORDS[table], min_size=1, max_size=9))
    folder = tmp_path_factory.mktemp("shards")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "ROWS_A_STEP", data.draw(st.integers(1, 9)))
        write_shard(folder / "steps", table, records)
        patch.setattr(shards, "columns_of", by_rows)
        patch.setattr(shards, "ROWS_A_STEP", 10)
        write_shard(folder / "rows", table, records)
    assert (folder / "steps").read_bytes() == (folder / "rows").read_bytes()
    assert list(read_shard(folder / "steps", table)) == records


@each_table
def test_no_records_are_columns_without_rows(table: Table) -> None:
    assert columns_of(table, []).equals(arrow_schema(table).empty_table(), check_metadata=True)


def test_sets_of_ids_ascend_and_what_is_carried_keeps_its_order() -> None:
    gold = Gold("q", "f", "fine", (3, 1), (2, 0), annotations=(Annotation("a", (5, 4), (9, 8)),))
    assert columns_of("gold", [gold]).to_pylist() == [to_row(gold)]
    fragment = columns_of("fragments", [Fragment("f", "d", "fine", "t", "s", (3, 1), (1, 0))]).to_pylist()[0]
    assert (fragment["utterance_ids"], fragment["image_ids"]) == ([1, 3], [0, 1])
    dialogue = Dialogue("d", "en", "real", "c", (Utterance("a", "b", (1, 0)),))
    assert columns_of("dialogues", [dialogue]).to_pylist()[0]["utterances"][0]["image_ids"] == [1, 0]


def test_what_may_be_null_is_null_alone() -> None:
    said = (Utterance("a", "x", (), datetime(2024, 5, 6, 7, 8, 9, 123_000), 0), Utterance("a", "y"))
    utterances = columns_of("dialogues", [Dialogue("d", "en", "real", "c", said)]).to_pylist()[0]["utterances"]
    assert [(one["time"], one["reply_to"]) for one in utterances] == [(said[0].time, 0), (None, None)]
    rows = columns_of("images", [stored_picture(), StoredImage("ref:x/1", "missing"), stored_picture()]).to_pylist()
    assert [row["image"] is None for row in rows] == [False, True, False]
    assert [row["width"] is None for row in rows] == [False, True, False]
    assert rows[0]["image"] == {"bytes": stored_picture().content, "path": stored_picture().file_name}
    empty = columns_of("images", [StoredImage("k", "present", b"")]).to_pylist()[0]["image"]
    assert empty == {"bytes": b"", "path": "k"}  # bytes that are there and none: not null


BAD: list[tuple[Table, Record]] = [
    ("dialogues", replace(small_dialogue(1), meta="half \ud800")),
    ("dialogues", Dialogue("d", "en", "real", "c", (Utterance("a", "half \udfff"),))),
    ("dialogues", Dialogue("d", "en", "real", "c", (), (DialogueImage("k", "\ud83d"),))),
    ("dialogues", Dialogue("d", "en", "real", "c", (Utterance("a", "t", (2**31,)),))),
    ("dialogues", Dialogue("d", "en", "real", "c", (Utterance("a", "t", (), None, -(2**40)),))),
    ("dialogues", Dialogue("d", "en", "real", "c", (Utterance("a", 7),))),  # type: ignore[arg-type]
    ("queries", Query("q", "d", "en", "\udcff")),
    ("queries", Query("q", 3, "en", "t")),  # type: ignore[arg-type]
    ("gold", Gold("q", "f", "fine", (2**31, 0))),
    ("gold", Gold("q", "f", "fine", verified="yes")),  # type: ignore[arg-type]
    ("gold", Gold("q", "f", "fine", annotations=(Annotation("\ud800"),))),
    ("fragments", Fragment("f", "d", "fine", "t", "s", (0, 2**63))),
    ("images", StoredImage("k", "present", b"", width=2**31)),
    ("images", StoredImage("\ud800", "present", b"")),
]


REFUSALS = (pa.ArrowException, ValueError, TypeError, OverflowError)


@pytest.mark.parametrize(("table", "record"), BAD)
def test_what_a_column_cannot_hold_is_refused_as_rows_refuse_it(tmp_path: Path, table: Table, record: Record) -> None:
    with pytest.raises(REFUSALS) as by_dicts:
        by_rows(table, [record])
    with pytest.raises(REFUSALS) as by_columns:
        columns_of(table, [record])
    assert (by_columns.type, str(by_columns.value)) == (by_dicts.type, str(by_dicts.value))
    with pytest.raises(REFUSALS):
        write_shard(tmp_path / "a", table, [record])
    assert list(tmp_path.iterdir()) == []


def test_a_record_of_another_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match="dialogue_id"):
        write_shard(tmp_path / "a", "dialogues", [stored_picture()])
    assert list(tmp_path.iterdir()) == []


def test_a_column_that_one_array_cannot_hold_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    made = pa.array

    def split(values: list[str], kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
        """As Arrow does from 2 GB on."""
        return (
            pa.chunked_array([made(values[:1], kind), made(values[1:], kind)]) if kind == pa.string() else made(values)
        )

    monkeypatch.setattr(pa, "array", split)
    with pytest.raises(pa.ArrowCapacityError, match="more than 2 GB of text or bytes in one column"):
        columns_of("queries", [Query("a", "d", "en", "t"), Query("b", "d", "en", "t")])


def test_long_texts_and_pictures_close_a_row_group_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "CHARACTERS_A_GROUP", 400)
    long, short = replace(small_dialogue(1), utterances=(Utterance("a", "x" * 500),)), small_dialogue(2)
    write_shard(tmp_path / "a", "dialogues", [short, long, long, short, short])
    with pq.ParquetFile(tmp_path / "a") as file:
        groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert groups == [2, 1, 2]


def test_records_wait_a_few_at_a_time_and_become_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def counted(table: Table, records: Sequence[Record]) -> pa.Table:
        sizes.append(len(records))
        return columns_of(table, records)

    monkeypatch.setattr(shards, "columns_of", counted)
    monkeypatch.setattr(shards, "ROWS_A_STEP", 4)
    monkeypatch.setattr(shards, "ROWS_A_GROUP", 10)
    queries = [Query(f"q{i:02d}", "d", "en", "t") for i in range(23)]
    write_shard(tmp_path / "a", "queries", queries)
    assert sizes == [4, 4, 2, 4, 4, 2, 3]
    with pq.ParquetFile(tmp_path / "a") as file:
        assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [10, 10, 3]
    assert list(read_shard(tmp_path / "a", "queries")) == queries


@pytest.mark.parametrize("time", [datetime(2024, 1, 1, 9, tzinfo=UTC), datetime(2024, 1, 1, 0, 0, 0, 999)])
def test_times_with_a_zone_and_parts_of_milliseconds_are_kept_as_rows_keep_them(time: datetime) -> None:
    spoken = Dialogue("d", "en", "real", "c", (Utterance("a", "t", (), time),))
    assert columns_of("dialogues", [spoken]).equals(by_rows("dialogues", [spoken]))


def test_rows_stay_what_they_were() -> None:
    row: Row = columns_of("gold", [Gold("q", "f", "fine", (1,), (0,))]).to_pylist()[0]
    assert row["kind"] == "multimodal"
    assert sorted(row) == sorted(arrow_schema("gold").names)
