from __future__ import annotations

import time
from pathlib import Path

import pytest

import mldr
from mldr.errors import MldrError
from mldr.retrievers import run_retriever
from tests.conftest import Command
from tests.eval.support import TEST_IDS
from tests.retrievers import plugins
from tests.retrievers.support import plug_in, rows_of


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return plug_in(plugins.SOURCE, tmp_path / "plug_ins", monkeypatch)


def test_a_row_tells_the_seconds_since_the_row_before(tmp_path: Path, module: str, small_dataset: mldr.Dataset) -> None:
    began = time.perf_counter()
    run_retriever(f"{module}:Echo", small_dataset, "test", tmp_path / "p.jsonl")
    took = [row["latency_s"] for row in rows_of(tmp_path / "p.jsonl")]
    assert all(seconds >= 0 for seconds in took)
    assert sum(took) <= time.perf_counter() - began


def test_a_system_that_may_answers_several_dialogues_at_once(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    assert run_retriever(f"{module}:Several", small_dataset, "test", tmp_path / "p.jsonl") == len(TEST_IDS)
    run_retriever(f"{module}:Echo", small_dataset, "test", tmp_path / "one.jsonl")
    answered, one_by_one = (
        sorted((row["query_id"], row["utterance_ids"], row["response"]) for row in rows_of(tmp_path / name))
        for name in ("p.jsonl", "one.jsonl")
    )
    assert answered == one_by_one


def test_a_failure_in_one_thread_stops_the_others_and_keeps_what_was_answered(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    began = time.monotonic()
    with pytest.raises(MldrError, match=r"SeveralOneFails failed: RuntimeError: broke in a thread \(plugins_\d+\.py"):
        run_retriever(f"{module}:SeveralOneFails", small_dataset, "test", tmp_path / "p.jsonl")
    assert time.monotonic() - began < 50
    assert [row["query_id"] for row in rows_of(tmp_path / "p.jsonl")] == [TEST_IDS[0]]


def test_a_system_is_closed_once_after_a_run_and_after_a_failure(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset
) -> None:
    from importlib import import_module

    run_retriever(f"{module}:Several", small_dataset, "test", tmp_path / "a.jsonl")
    assert import_module(module).Several.closed == ["closed"]
    with pytest.raises(MldrError):
        run_retriever(f"{module}:SeveralOneFails", small_dataset, "test", tmp_path / "b.jsonl")
    assert import_module(module).SeveralOneFails.closed == ["closed"]


def test_only_what_failed_is_asked_again(
    tmp_path: Path, module: str, small_dataset: mldr.Dataset, command: Command
) -> None:
    out = tmp_path / "p.jsonl"
    run_retriever(f"{module}:Claims", small_dataset, "test", out)
    failed = [row["query_id"] for row in rows_of(out) if row.get("outcome") == "api_error"]
    assert failed
    assert run_retriever(f"{module}:Claims", small_dataset, "test", out, resume=True) == 0
    words = ["retrieve", f"{module}:Claims", str(small_dataset.folder), "--split", "test", "--out", str(out)]
    code, _, err = command("mldr", *words, "--resume", "--retry-errors")
    assert code == 0
    assert f"{len(failed)} predictions written" in err
    assert sorted(row["query_id"] for row in rows_of(out)) == sorted(TEST_IDS)
