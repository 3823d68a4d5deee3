from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mldr
from mldr.eval import Evaluator, Prediction, read_predictions
from tests.conftest import Command
from tests.eval.support import (
    IDS,
    PREDICTIONS_SCHEMA,
    TEST_IDS,
    faults_of,
    read_or_refuse,
    row,
    unhurried,
    write_jsonl,
    write_parquet,
)

ROWS: list[dict[str, Any]] = [
    row(TEST_IDS[0], [2, 0], [0], utterance_scores=[0.25, 2.0], image_scores=[1.5], meta='{"a":1}', latency_s=0.5),
    row(TEST_IDS[1], [1, 1, 40], []),
    {"query_id": TEST_IDS[2], "response": "<|utt_ids_start|>[]<|utt_ids_end|>;<|img_ids_start|>[0]<|img_ids_end|>"},
    {"query_id": TEST_IDS[3], "outcome": "refused"},
]


def test_the_same_predictions_as_jsonl_and_as_parquet_give_the_same_scores(
    tmp_path: Path, small_dataset: mldr.Dataset
) -> None:
    evaluator = Evaluator(small_dataset, "test")
    text = evaluator.read(write_jsonl(tmp_path / "p.jsonl", ROWS))
    table = evaluator.read(write_parquet(tmp_path / "p.parquet", ROWS))
    assert evaluator.score(text) == evaluator.score(table)
    assert evaluator.score(text).outcomes["refused"] == 1


def test_parquet_is_told_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "p.jsonl", [row("q0", [1])])
    assert read_predictions(path, set(IDS))["q0"].utterance_ids == (1,)


def test_a_data_frame_written_by_pandas_is_accepted(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"query_id": ["q0", "q1"], "utterance_ids": [[1], []], "image_ids": [[], [0]]})
    frame.to_parquet(tmp_path / "p.parquet", index=False)
    found = read_predictions(tmp_path / "p.parquet", set(IDS))
    assert found == {"q0": Prediction("q0", (1,), ()), "q1": Prediction("q1", (), (0,))}


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.uint64()])
def test_integers_of_any_width_are_ids(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table({"query_id": ["q0"], "utterance_ids": pa.array([[3]], pa.list_(kind)), "image_ids": [[0]]})
    pq.write_table(table, tmp_path / "p.parquet")
    assert read_predictions(tmp_path / "p.parquet", set(IDS))["q0"].utterance_ids == (3,)


BAD_TABLES: dict[str, tuple[dict[str, Any], str]] = {
    "other columns": ({"id": ["q0"], "prediction": ["x"]}, "unknown column 'id'"),
    "no query id": ({"response": ["x"]}, "lacks the column 'query_id'"),
    "numbers as query ids": ({"query_id": [1], "response": ["x"]}, "column 'query_id' is int64; string is expected"),
    "strings as ids": ({"query_id": ["q0"], "utterance_ids": [["1"]], "image_ids": [[0]]}, "a list of integers"),
    "floats as ids": ({"query_id": ["q0"], "utterance_ids": [[1.0]], "image_ids": [[0]]}, "a list of integers"),
    "one id a row": ({"query_id": ["q0"], "utterance_ids": [1], "image_ids": [[0]]}, "a list of integers"),
    "booleans as ids": ({"query_id": ["q0"], "utterance_ids": [[True]], "image_ids": [[0]]}, "a list of integers"),
    "strings as scores": (
        {"query_id": ["q0"], "utterance_ids": [[1]], "image_ids": [[0]], "image_scores": [["1"]]},
        "a list of numbers",
    ),
    "a string as latency": ({"query_id": ["q0"], "response": ["x"], "latency_s": ["1"]}, "a number is expected"),
    "bytes as response": ({"query_id": ["q0"], "response": [b"x"]}, "string is expected"),
    "a record as meta": ({"query_id": ["q0"], "response": ["x"], "meta": [{"a": 1}]}, "string is expected"),
    "nulls everywhere": ({"query_id": pa.nulls(2), "response": pa.nulls(2)}, "column 'query_id' is null"),
}


@pytest.mark.parametrize("kind", BAD_TABLES)
def test_a_table_of_another_shape_is_a_fault_that_names_the_column(tmp_path: Path, kind: str) -> None:
    columns, message = BAD_TABLES[kind]
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    found = faults_of(tmp_path / "p.parquet")
    assert any(message in fault.message for fault in found)
    assert {fault.place for fault in found} == {str(tmp_path / "p.parquet")}


BAD_CELLS: dict[str, tuple[dict[str, Any], str]] = {
    "a null query id": ({"response": "x"}, "query_id is missing"),
    "a null inside ids": ({"query_id": "q1", "utterance_ids": [1, None], "image_ids": []}, "utterance_ids holds None"),
    "a null id list": ({"query_id": "q1", "utterance_ids": [1]}, "one id list without the other"),
    "nothing but an id": ({"query_id": "q1"}, "neither ids nor a response"),
    "a negative id": ({"query_id": "q1", "utterance_ids": [-1], "image_ids": []}, "utterance_ids holds -1"),
    "a NaN score": (row("q1", [1], utterance_scores=[float("nan")]), "finite numbers"),
    "a NaN latency": (row("q1", latency_s=float("nan")), "latency_s is nan"),
    "an infinite score": (row("q1", [1], utterance_scores=[float("inf")]), "finite numbers"),
    "scores of another length": (row("q1", [1], utterance_scores=[]), "0 numbers for 1"),
    "an invented outcome": (row("q1", outcome="ok"), "outcome is 'ok'"),
    "a query again": (row("q0"), "its first row is row 1"),
    "an unknown query": (row("q9"), "not among the split's queries"),
}


@pytest.mark.parametrize("kind", BAD_CELLS)
def test_a_bad_row_of_a_table_is_a_fault_with_its_row(tmp_path: Path, kind: str) -> None:
    bad, message = BAD_CELLS[kind]
    path = write_parquet(tmp_path / "p.parquet", [row("q0"), row("q2"), bad])
    found = faults_of(path)
    assert [fault.place for fault in found] == [f"{path}, row 3"]
    assert message in found[0].message


def test_a_table_with_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays(
        [pa.array(["q0"]), pa.array(["a"]), pa.array(["b"])], ["query_id", "response", "response"]
    )
    pq.write_table(table, tmp_path / "p.parquet")
    assert any("two columns of one name" in fault.message for fault in faults_of(tmp_path / "p.parquet"))


def test_a_table_without_rows_holds_no_prediction(tmp_path: Path) -> None:
    assert [fault.message for fault in faults_of(write_parquet(tmp_path / "p.parquet", []))] == ["holds no prediction"]


def test_a_bad_row_far_down_a_long_table_is_found_at_its_row(tmp_path: Path) -> None:
    names = [f"q{number}" for number in range(25_000)]
    path = write_parquet(tmp_path / "p.parquet", [*(row(name) for name in names), row("stranger")])
    assert [fault.place for fault in faults_of(path, names)] == [f"{path}, row 25001"]


def parquet_bytes() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row("q0", [1], [0]), row("q1")], schema=PREDICTIONS_SCHEMA), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("keep", [4, 8, 100, -1, -8])
def test_a_truncated_parquet_is_one_fault(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "p.parquet"
    path.write_bytes(parquet_bytes()[:keep])
    assert [fault.place for fault in faults_of(path)] == [str(path)]


@pytest.mark.parametrize("kind", ["truncated", "other columns", "zero rows"])
def test_a_bad_parquet_ends_the_command_with_1_and_no_traceback(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset, kind: str
) -> None:
    path = tmp_path / "p.parquet"
    if kind == "truncated":
        path.write_bytes(parquet_bytes()[:200])
    elif kind == "other columns":
        pq.write_table(pa.table({"id": [1], "answer": ["x"]}), path)
    else:
        write_parquet(path, [])
    code, out, err = command("mldr-eval", "score", str(small_dataset.folder), str(path), "--split", "test")
    assert (code, out) == (1, "")
    assert str(path) in err
    assert "Traceback" not in err


@unhurried
@given(st.binary())
def test_arbitrary_bytes_that_claim_to_be_parquet_are_read_or_refused_in_words(tmp_path: Path, content: bytes) -> None:
    read_or_refuse(tmp_path / "p.parquet", b"PAR1" + content + b"PAR1")


@unhurried
@given(st.lists(st.tuples(st.integers(4, len(parquet_bytes()) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_parquet_is_read_or_refused_in_words(tmp_path: Path, damage: list[tuple[int, int]]) -> None:
    content = bytearray(parquet_bytes())
    for position, byte in damage:
        content[position] = byte
    read_or_refuse(tmp_path / "p.parquet", bytes(content))
