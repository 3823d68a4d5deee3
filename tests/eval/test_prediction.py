from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.eval.prediction import CLAIMABLE, COLUMNS, MAX_ID, Prediction, from_row, json_schema, row_faults
from tests.eval.support import row, unhurried

METAS = {
    "": True,
    "{}": True,
    '{"a": {"b": [1]}}': True,
    "[]": False,
    "3": False,
    "not json": False,
    '{"a":1,"a":2}': False,
}
"""meta -> whether it is '' or a JSON object."""

JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0.5, -1, 10**29, "", "3", "x", [], {}, [[]], [None], math.nan, math.inf]
)
IDS = st.lists(st.integers(0, MAX_ID), max_size=3) | st.lists(
    # 3.0 is left out: to JSON Schema it is an integer, to a reader of ids it is not (tested by itself below)
    st.integers(-2, 3) | st.sampled_from([MAX_ID + 1, 10**29, True, 0.5, "3", None, math.nan]),
    max_size=3,
)
SCORES = st.lists(st.floats() | st.integers() | st.sampled_from([True, "1", None, 10**400]), max_size=3)


def optional(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=columns)


ROWS = optional(
    query_id=st.sampled_from(["q", "问"]) | JUNK,
    utterance_ids=IDS | JUNK,
    image_ids=IDS | JUNK,
    response=st.text(max_size=3) | JUNK,
    utterance_scores=SCORES | JUNK,
    image_scores=SCORES | JUNK,
    latency_s=st.floats() | JUNK,
    outcome=st.sampled_from([*CLAIMABLE, "ok", "missing"]) | JUNK,
    meta=st.sampled_from(sorted(METAS)) | JUNK,
    rank=JUNK,
)
LIKELY = optional(
    query_id=st.just("q"),
    utterance_ids=st.lists(st.integers(0, 9), max_size=2),
    image_ids=st.lists(st.integers(0, 9), max_size=2),
    response=st.just("r"),
    utterance_scores=st.lists(st.floats(0, 1), max_size=2),
    image_scores=st.lists(st.floats(), max_size=2),
    latency_s=st.floats(0, 9),
    outcome=st.sampled_from(CLAIMABLE),
    meta=st.sampled_from(sorted(METAS)),
)


def beyond_the_schema(value: dict[str, Any]) -> bool:
    """Say whether what JSON Schema cannot express holds: equal lengths, meta an object, numbers that are finite."""
    for scores, ids in (("utterance_scores", "utterance_ids"), ("image_scores", "image_ids")):
        if scores in value and len(value[scores]) != len(value[ids]):
            return False
    numbers = [*value.get("utterance_scores", []), *value.get("image_scores", []), value.get("latency_s", 0)]
    try:
        finite = all(math.isfinite(float(number)) for number in numbers)
    except OverflowError:
        finite = False
    return finite and METAS.get(value.get("meta", ""), False)


@unhurried
@given(ROWS | LIKELY)
def test_a_row_is_good_exactly_where_the_published_schema_accepts_it(value: dict[str, Any]) -> None:
    accepted = jsonschema.Draft202012Validator(json_schema()).is_valid(value) and beyond_the_schema(value)
    assert (list(row_faults(value)) == []) == accepted


@unhurried
@given(st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2))
def test_what_is_no_object_is_refused_by_schema_and_reader_alike(value: Any) -> None:
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(value)
    assert len(list(row_faults(value))) == 1


def test_the_published_schema_is_a_schema_and_names_every_column() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert tuple(json_schema()["properties"]) == COLUMNS


def test_a_float_is_no_id_even_where_it_is_whole() -> None:
    assert any("3.0" in message for message in row_faults(row("q", utterance_ids=[3.0])))  # type: ignore[list-item]


def test_the_largest_id_is_that_of_the_datasets_own_columns() -> None:
    assert list(row_faults(row("q", [2**31 - 1]))) == []
    assert list(row_faults(row("q", [2**31]))) != []


def test_every_fault_of_a_row_is_told_at_once() -> None:
    wrong = {
        "query_id": 7,
        "utterance_ids": ["3"],
        "response": 1,
        "outcome": "ok",
        "latency_s": -1,
        "meta": "[]",
        "rank": 1,
    }
    told = "\n".join(row_faults(wrong))
    for part in ("query_id", "utterance_ids", "response", "outcome", "latency_s", "meta", "rank", "one id list"):
        assert part in told


def test_a_huge_value_is_told_in_a_few_words() -> None:
    wrong = {"query_id": "q", "utterance_ids": [10**4000], "image_ids": "x" * 100_000}
    assert all(len(message) < 300 for message in row_faults(wrong))


@pytest.mark.parametrize("claim", CLAIMABLE)
def test_a_row_that_claims_a_failure_may_leave_out_ids_and_response(claim: str) -> None:
    assert list(row_faults({"query_id": "q", "outcome": claim})) == []


@pytest.mark.parametrize("claim", ["ok", "empty", "missing", "out_of_range", "", None])
def test_no_other_outcome_may_be_claimed(claim: str | None) -> None:
    assert any("may be claimed" in message for message in row_faults({"query_id": "q", "outcome": claim}))


PREDICTIONS = st.builds(
    Prediction,
    query_id=st.text(min_size=1, max_size=5),
    utterance_ids=st.lists(st.integers(0, MAX_ID), max_size=3).map(tuple),
    image_ids=st.lists(st.integers(0, MAX_ID), max_size=3).map(tuple),
    response=st.none() | st.text(max_size=5),
    latency_s=st.none() | st.floats(0, 1e9),
    outcome=st.sampled_from(["", *CLAIMABLE]),
    meta=st.sampled_from(["", "{}", '{"k":"v"}']),
)


@unhurried
@given(PREDICTIONS)
def test_a_prediction_written_as_a_row_reads_back_as_itself(prediction: Prediction) -> None:
    line = prediction.to_json()
    assert "\n" not in line
    value = json.loads(line)
    assert list(row_faults(value)) == []
    assert from_row(value) == prediction


def test_an_absent_field_is_left_out_of_the_row() -> None:
    assert json.loads(Prediction("q", (), ()).to_json()) == {"query_id": "q", "utterance_ids": [], "image_ids": []}
    assert json.loads(Prediction("q", response="").to_json()) == {"query_id": "q", "response": ""}


def test_scores_survive_writing() -> None:
    scored = Prediction("q", (1, 2), (), utterance_scores=(0.1, 1 / 3), image_scores=())
    assert from_row(json.loads(scored.to_json())) == scored
