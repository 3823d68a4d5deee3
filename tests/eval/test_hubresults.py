from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import mldr
from mldr.errors import MldrError
from mldr.eval import Evaluator, Scores
from mldr.eval.hubresults import hub_results
from tests.conftest import Command


@pytest.fixture
def predictions(demo_dataset: mldr.Dataset, tmp_path: Path, command: Command) -> Path:
    out = tmp_path / "all.jsonl"
    code, _, _ = command("mldr", "retrieve", "all", str(demo_dataset.folder), "--split", "test", "--out", str(out))
    assert code == 0
    return out


@pytest.fixture
def scores(demo_dataset: mldr.Dataset, predictions: Path) -> Scores:
    evaluator = Evaluator(demo_dataset, "test")
    return evaluator.score(evaluator.read(predictions), resamples=100)


def test_the_figure_is_the_headline_in_percent_and_says_how_it_was_made(scores: Scores) -> None:
    (entry,) = yaml.safe_load(hub_results(scores, "tests/demo", "v1"))
    assert entry["dataset"] == {"id": "tests/demo", "task_id": "test", "revision": "v1"}
    assert entry["value"] == pytest.approx(100 * (scores.measures["joint_f1"].value or 0.0), abs=0.005)
    assert scores.gold_hash[:12] in entry["notes"]
    assert "0 failures" in entry["notes"]


def test_a_folder_is_no_name_on_the_hub(scores: Scores) -> None:
    with pytest.raises(MldrError, match="name the dataset's with --hub-id"):
        hub_results(scores, "/data/set")


def test_a_score_without_the_headline_has_no_results(scores: Scores) -> None:
    with pytest.raises(MldrError, match="joint_f1 was not measured"):
        hub_results(scores.model_copy(update={"measures": {}}), "tests/demo")


def test_the_command_writes_the_file_once(
    demo_dataset: mldr.Dataset, predictions: Path, tmp_path: Path, command: Command
) -> None:
    out = tmp_path / "results.yaml"
    words = ["mldr-eval", "score", str(demo_dataset.folder), str(predictions), "--split", "test", "--resamples", "0"]
    words += ["--hub-yaml", str(out)]
    code, _, err = command(*words)
    assert (code, out.exists()) == (1, False)
    assert "is no Hub id" in err
    code, _, _ = command(*words, "--hub-id", "tests/demo")
    assert code == 0
    assert yaml.safe_load(out.read_text("utf-8"))[0]["dataset"]["id"] == "tests/demo"
    code, _, err = command(*words, "--hub-id", "tests/demo")
    assert code == 1
    assert "replace it with --force" in err
    assert command(*words, "--hub-id", "tests/demo", "--force")[0] == 0


def test_two_systems_are_no_model(
    demo_dataset: mldr.Dataset, predictions: Path, tmp_path: Path, command: Command
) -> None:
    other = tmp_path / "other.jsonl"
    other.write_bytes(predictions.read_bytes())
    words = ["mldr-eval", "score", str(demo_dataset.folder), str(predictions), str(other), "--split", "test"]
    code, _, _ = command(*words, "--resamples", "0", "--hub-yaml", str(tmp_path / "r.yaml"), "--hub-id", "a/b")
    assert code == 2
