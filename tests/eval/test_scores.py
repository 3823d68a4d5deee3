from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

import mldr
from mldr.eval import MEASURES, Evaluator, MeasureValue, Scores
from tests.conftest import Command
from tests.eval.support import TEST_IDS, row, write_jsonl


def test_json_has_the_shape_that_machines_are_promised(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    path = write_jsonl(tmp_path / "p.jsonl", [row(TEST_IDS[0], [0, 2], [0])])
    code, out, _ = command("mldr-eval", "score", str(small_dataset.folder), str(path), "--split", "test", "--json")
    document = json.loads(out)
    assert code == 0
    unranked = {str(measure) for measure in MEASURES if not str(measure).endswith("_ap")}
    assert set(document["measures"]) == unranked
    for value in document["measures"].values():
        assert set(value) == {"value", "low", "high"}
        assert isinstance(value["value"], float)
        assert value["low"] is value["high"] is None
    assert document["outcomes"] == {
        "missing": 3,
        "api_error": 0,
        "refused": 0,
        "parse_error": 0,
        "out_of_range": 0,
        "empty": 0,
        "ok": 1,
    }
    assert document["gold_hash"] == small_dataset.manifest.gold_hash["test"]
    assert len(document["predictions_hash"]) == 64
    assert document["n_queries"] == 4
    assert document["format"] == "mldr/scores@1"


def test_json_of_several_files_is_a_list_in_their_order(
    tmp_path: Path, command: Command, small_dataset: mldr.Dataset
) -> None:
    paths = [write_jsonl(tmp_path / f"{name}.jsonl", [row(TEST_IDS[0], ids)]) for name, ids in (("b", [0]), ("a", [5]))]
    words = ["score", str(small_dataset.folder), *map(str, paths), "--split", "test", "--json"]
    code, out, _ = command("mldr-eval", *words)
    documents = json.loads(out)
    evaluator = Evaluator(small_dataset, "test")
    assert code == 0
    assert [Scores.model_validate(document) for document in documents] == [
        evaluator.score(evaluator.read(path)).model_copy(update={"system": path.stem}) for path in paths
    ]


def test_scores_survive_json(small_dataset: mldr.Dataset) -> None:
    scores = Evaluator(small_dataset, "test").score({})
    assert Scores.model_validate_json(scores.model_dump_json()) == scores


def test_an_unknown_field_of_scores_is_refused(small_dataset: mldr.Dataset) -> None:
    document = Evaluator(small_dataset, "test").score({}).model_dump()
    with pytest.raises(ValidationError, match="accuracy"):
        Scores.model_validate({**document, "accuracy": 1.0})


def test_nothing_to_measure_is_null_and_not_zero() -> None:
    assert json.loads(MeasureValue(value=None).model_dump_json()) == {"value": None, "low": None, "high": None}
