from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import mldr
from mldr.hub.benchmark import benchmark_yaml, result_entry, results_yaml
from tests.conftest import small_rows, write_dataset


def test_every_scored_split_is_a_task(demo_dataset: mldr.Dataset) -> None:
    document = yaml.safe_load(benchmark_yaml(demo_dataset, "tests/demo"))
    assert document["name"] == demo_dataset.name
    assert [task["id"] for task in document["tasks"]] == ["validation", "test"]
    assert {task["config"] for task in document["tasks"]} == {"queries"}
    for task in document["tasks"]:
        assert demo_dataset.files("queries", task["split"])
    assert "mldr-eval score tests/demo" in document["description"]


def test_what_systems_are_trained_on_is_no_task(tmp_path: Path) -> None:
    rows = {"train_sft": small_rows(0, "red"), "test": small_rows(16, "blue")}
    document = yaml.safe_load(benchmark_yaml(write_dataset(tmp_path / "d", rows), "a/b"))
    assert [task["id"] for task in document["tasks"]] == ["test"]
    only = write_dataset(tmp_path / "t", {"train_sft": small_rows(0, "red")})
    assert benchmark_yaml(only, "a/b") == ""


def test_a_split_whose_gold_is_withheld_is_still_a_task(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    from mldr.withhold import withhold

    withhold(small_dataset, ["test"], tmp_path / "public", without_salt=True)
    document = yaml.safe_load(benchmark_yaml(mldr.load(tmp_path / "public"), "a/b"))
    assert [task["id"] for task in document["tasks"]] == ["validation", "test"]


def test_the_hubs_own_library_reads_the_results(demo_dataset: mldr.Dataset) -> None:
    hub = pytest.importorskip(
        "huggingface_hub", minversion="1.4", reason="this huggingface_hub has no evaluation results"
    )
    source = {"url": "https://example.org/board", "name": "board"}
    text = results_yaml(
        [
            result_entry("tests/demo", "test", 41.25, revision="v1", source=source, notes="mldr 0.1, zero-shot"),
            result_entry("tests/demo", "validation", 40.0),
        ]
    )
    one, two = hub.parse_eval_result_entries(yaml.safe_load(text))
    assert (one.dataset_id, one.task_id, one.value, one.dataset_revision) == ("tests/demo", "test", 41.25, "v1")
    assert (one.source_url, one.source_name, one.notes) == (source["url"], "board", "mldr 0.1, zero-shot")
    assert (two.value, two.source_url, two.notes) == (40.0, None, None)
    assert hub.eval_result_entries_to_yaml([one, two]) == yaml.safe_load(text)
