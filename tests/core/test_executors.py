from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mldr.errors import InputError, InterruptedRun
from mldr.executors import LocalExecutor
from mldr.files import sha256_text
from mldr.manifest import read_manifest


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_comes_back_with_its_result(workers: int) -> None:
    texts = [f"task {number}" for number in range(25)]
    results = list(LocalExecutor(workers).map(sha256_text, texts))
    assert sorted(results) == sorted((text, hashlib.sha256(text.encode()).hexdigest()) for text in texts)


@pytest.mark.parametrize("workers", [1, 2])
def test_no_tasks_give_no_results(workers: int) -> None:
    assert list(LocalExecutor(workers).map(sha256_text, [])) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_task_reaches_the_caller(workers: int) -> None:
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        list(LocalExecutor(workers).map(math.sqrt, [4.0, -1.0]))


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_input_found_by_a_worker_is_told_in_the_same_words(workers: int, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": "mldr/dataset@1", "name": "a", "extra": 1}')
    with pytest.raises(InputError) as caught:
        list(LocalExecutor(workers).map(read_manifest, [tmp_path]))
    assert str(caught.value).splitlines() == [
        "1 fault:",
        f"  {tmp_path / 'manifest.json'}, extra: an unknown key; remove it or mend its spelling",
    ]


def test_a_killed_worker_interrupts_the_run_which_can_be_resumed() -> None:
    with pytest.raises(InterruptedRun, match="run the same command again"):
        list(LocalExecutor(2).map(os._exit, [9, 9, 9]))


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_are_drawn_only_as_workers_come_free(workers: int) -> None:
    drawn: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(1_000):
            drawn.append(number)
            yield number

    results = LocalExecutor(workers).map(math.factorial, tasks())
    assert next(results)[0] in (0, 1, 2, 3)
    assert len(drawn) <= 2 * workers
    results.close()  # type: ignore[attr-defined]
    assert len(drawn) <= 2 * workers


def pid_of(_: int) -> int:
    return os.getpid()


def test_inside_its_context_an_executor_keeps_its_workers_and_outside_each_map_has_its_own() -> None:
    with LocalExecutor(2) as kept:
        first, second = ({pid for _, pid in kept.map(pid_of, range(40))} for _ in range(2))
    assert second <= first
    assert os.getpid() not in first
    alone = LocalExecutor(2)
    assert not {pid for _, pid in alone.map(pid_of, range(40))} & {pid for _, pid in alone.map(pid_of, range(40))}


def test_a_lone_task_starts_no_process() -> None:
    assert list(LocalExecutor(2).map(pid_of, [1])) == [(1, os.getpid())]


def test_after_a_killed_worker_an_executor_starts_new_ones() -> None:
    with LocalExecutor(2) as executor:
        with pytest.raises(InterruptedRun):
            list(executor.map(os._exit, [9, 9, 9]))
        assert len(list(executor.map(pid_of, range(4)))) == 4
