"""Grades: their F1, their file, and what a wrong file says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import InputError, MldrError
from mldr.retrievers.f2rvlm.grading import SCHEMA, Grade, read_grades, write_grades
from mldr.retrievers.f2rvlm.rewards import Target, f1_reward
from tests.retrievers.f2rvlm.support_rewards import answer, target

UNIT = st.floats(0, 1)
GRADES = st.lists(
    st.builds(Grade, st.text(max_size=8), UNIT, st.floats(0, 20), st.integers(1, 999), st.text(), UNIT, UNIT),
    max_size=8,
    unique_by=lambda grade: grade.query_id,
)


def graded(text: str, gold: Target) -> Grade:
    return Grade.of("q", text, gold, entropy=0.5, n_tokens=9)


@pytest.mark.parametrize(
    ("text", "gold", "expected"),
    [
        (answer([1, 2], [0]), target([1, 2], [0]), (1, 1, 1)),
        (answer([1, 2], [0]), target([1, 2], [3]), (0.5, 1, 0)),
        (answer([1]), target([1, 2, 3]), (0.5, 0.5, 1)),
        (answer([9]), target([1]), (0, 0, 1)),
        (answer(), target(), (1, 1, 1)),
        (answer([1]), target(), (0, 0, 1)),
        (answer(), target([1]), (0, 0, 1)),
        ("I cannot say", target(), (0, 0, 0)),
    ],
)
def test_f1_of_both_modalities_is_weighed_as_the_reward_does(
    text: str, gold: Target, expected: tuple[float, float, float]
) -> None:
    grade = graded(text, gold)
    assert (grade.f1, grade.utterance_f1, grade.image_f1) == expected


@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=2, unique=True),
    st.frozensets(st.integers(0, 6), min_size=2, max_size=2),
)
def test_where_lengths_agree_the_f1_of_a_grade_is_the_reward(named: list[int], gold: frozenset[int]) -> None:
    text, held = answer(named), Target(gold, frozenset())
    assert graded(text, held).f1 == f1_reward([text], [held])[0]


@given(GRADES)
def test_what_is_written_is_read_by_query_id(tmp_path_factory: pytest.TempPathFactory, grades: list[Grade]) -> None:
    path = tmp_path_factory.mktemp("grades") / "grades.parquet"
    write_grades(path, grades)
    assert read_grades(path) == sorted(grades, key=lambda grade: grade.query_id)


def test_the_same_grades_in_another_order_are_the_same_bytes(tmp_path: Path) -> None:
    grades = [dataclasses.replace(graded(answer([i]), target([1])), query_id=f"q{i}") for i in range(20)]
    write_grades(tmp_path / "a.parquet", grades)
    write_grades(tmp_path / "b.parquet", grades[::-1])
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_data_frame_shows_the_numbers(tmp_path: Path) -> None:
    write_grades(tmp_path / "grades.parquet", [graded(answer([1]), target([1], [0]))])
    (row,) = pd.read_parquet(tmp_path / "grades.parquet").to_dict("records")
    assert row == {
        "query_id": "q",
        "f1": 0.5,
        "entropy": 0.5,
        "n_tokens": 9,
        "response": answer([1]),
        "utterance_f1": 1.0,
        "image_f1": 0.0,
    }


def test_half_of_a_surrogate_pair_in_a_response_does_not_stop_the_writing(tmp_path: Path) -> None:
    write_grades(tmp_path / "grades.parquet", [graded("a\ud800b", target())])
    assert read_grades(tmp_path / "grades.parquet")[0].response == "a?b"


def test_every_wrong_number_and_repeated_query_is_told_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    good = graded(answer(), target())
    wrong = [
        good,
        dataclasses.replace(good, f1=float("nan")),
        dataclasses.replace(good, query_id="r", image_f1=1.5, entropy=-1.0, n_tokens=0),
        dataclasses.replace(good, query_id="s", entropy=float("inf")),
    ]
    with pytest.raises(InputError) as caught:
        write_grades(tmp_path / "grades.parquet", wrong)
    assert caught.value.total == 6
    assert "query q: stands twice" in str(caught.value)
    assert "query s: entropy is inf" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_other_columns_names_each(tmp_path: Path) -> None:
    table = pa.table(
        {"query_id": ["q", None], "f1": ["0.5", "1"]}, schema=pa.schema({"query_id": pa.string(), "f1": pa.string()})
    )
    pq.write_table(table.replace_schema_metadata({"format": "mldr/grades@1"}), tmp_path / "grades.parquet")
    with pytest.raises(InputError) as caught:
        read_grades(tmp_path / "grades.parquet")
    said = str(caught.value)
    assert caught.value.total == len(SCHEMA)
    assert "column query_id: holds a null" in said
    assert "column f1: is string; double is expected" in said
    assert "column entropy: is missing" in said


@pytest.mark.parametrize(
    ("line", "said"), [("mldr/grades@99", "newer than this mldr reads"), ("mldr/scores@1", "is expected")]
)
def test_another_kind_of_file_and_a_newer_one_are_refused(tmp_path: Path, line: str, said: str) -> None:
    table = SCHEMA.empty_table().replace_schema_metadata({"format": line})
    pq.write_table(table, tmp_path / "grades.parquet")
    with pytest.raises(MldrError, match=said):
        read_grades(tmp_path / "grades.parquet")


def test_a_file_that_is_no_parquet_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "grades.parquet").write_text("query_id,f1\n")
    with pytest.raises(InputError, match="not a Parquet file"):
        read_grades(tmp_path / "grades.parquet")
    with pytest.raises(MldrError, match="no such file"):
        read_grades(tmp_path / "nothing.parquet")
