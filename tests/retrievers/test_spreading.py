from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.errors import MldrError
from mldr.eval import Evaluator
from mldr.executors import Executor, LocalExecutor, RayExecutor
from mldr.retrievers import run_retriever, spreading
from mldr.retrievers.readying import described
from tests.conftest import Command, Rows, small_rows, write_dataset
from tests.ray_here import ray_here
from tests.retrievers import plugins
from tests.retrievers.support import plug_in, steady

__all__ = ["ray_here"]


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> mldr.Dataset:
    """Forty dialogues with eighty queries to answer: three batches."""
    rows: Rows = {}
    for first in range(16, 56, 2):
        for table, records in small_rows(first, "blue").items():
            rows.setdefault(table, []).extend(one for one in records if one not in rows.get(table, []))
    splits = {"validation": small_rows(0, "red"), "test": rows}
    return write_dataset(tmp_path_factory.mktemp("larger") / "set", splits)


def answered(dataset: mldr.Dataset, out: Path, executor: Executor | None, **words: Any) -> list[dict[str, Any]]:
    run_retriever("bm25", dataset, "test", out, executor=executor, **words)
    return sorted(steady(out), key=lambda row: str(row["query_id"]))


def test_processes_give_the_predictions_of_one(tmp_path: Path, larger: mldr.Dataset) -> None:
    alone = answered(larger, tmp_path / "a.jsonl", None)
    assert answered(larger, tmp_path / "b.jsonl", LocalExecutor(2)) == alone
    evaluator = Evaluator(larger, "test")
    hashes = {evaluator.score(evaluator.read(tmp_path / name)).predictions_hash for name in ("a.jsonl", "b.jsonl")}
    assert len(hashes) == 1


def test_ray_gives_the_predictions_of_one_with_and_without_a_depot(
    tmp_path: Path, larger: mldr.Dataset, ray_here: RayExecutor
) -> None:
    alone = answered(larger, tmp_path / "a.jsonl", None)
    assert answered(larger, tmp_path / "b.jsonl", ray_here) == alone
    with RayExecutor(depot=(tmp_path / "depot").as_uri()) as shipped:
        assert answered(larger, tmp_path / "c.jsonl", shipped) == alone


def test_a_run_that_one_process_began_is_finished_by_several(tmp_path: Path, larger: mldr.Dataset) -> None:
    alone = answered(larger, tmp_path / "a.jsonl", None)
    answered(larger, tmp_path / "b.jsonl", None, limit=7)
    assert answered(larger, tmp_path / "b.jsonl", LocalExecutor(2), resume=True) == alone


def test_a_limit_counts_dialogues_over_all_processes(tmp_path: Path, larger: mldr.Dataset) -> None:
    assert answered(larger, tmp_path / "b.jsonl", LocalExecutor(2), limit=18) == answered(
        larger, tmp_path / "a.jsonl", None, limit=18
    )


def test_each_process_reads_the_split_once_where_batches_come_in_order(
    tmp_path: Path, larger: mldr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreading, "_made", {})
    read = []
    real = mldr.Dataset.asked

    def counted(self: mldr.Dataset, split: str, *, gold: bool = True) -> Any:
        read.append((split, gold))
        return real(self, split, gold=gold)

    monkeypatch.setattr(mldr.Dataset, "asked", counted)
    answered(larger, tmp_path / "a.jsonl", LocalExecutor(1))
    assert read.count(("test", False)) == 1
    assert ("test", True) not in read


def test_the_command_spreads(tmp_path: Path, larger: mldr.Dataset, command: Command) -> None:
    words = ["retrieve", "bm25", str(larger.folder), "--split", "test", "--out", str(tmp_path / "p.jsonl")]
    code, _, err = command("mldr", *words, "--workers", "2")
    assert code == 0, err
    alone = answered(larger, tmp_path / "a.jsonl", None)
    assert sorted(steady(tmp_path / "p.jsonl"), key=lambda row: str(row["query_id"])) == alone


def test_a_system_that_asks_a_server_is_not_spread(
    tmp_path: Path, small_dataset: mldr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = plug_in(plugins.SOURCE, tmp_path / "plug_ins", monkeypatch)
    with pytest.raises(MldrError, match="asks a server, which one process does alone"):
        run_retriever(f"{module}:Asks", small_dataset, "test", tmp_path / "p.jsonl", executor=LocalExecutor(2))


def test_an_oracle_is_not_spread(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    with pytest.raises(MldrError, match="is an oracle"):
        run_retriever("oracle-topic", small_dataset, "test", tmp_path / "p.jsonl", executor=LocalExecutor(2))


def test_a_worker_that_is_fitted_otherwise_is_noticed(
    tmp_path: Path, larger: mldr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spreading, "_made", {})

    def otherwise(*words: Any) -> dict[str, Any]:
        return {**described(*words), "fitted": {"utterances_threshold": 99.0}}

    monkeypatch.setattr(spreading, "described", otherwise)
    with pytest.raises(MldrError, match="fitted otherwise in a worker"):
        answered(larger, tmp_path / "p.jsonl", LocalExecutor(1))
