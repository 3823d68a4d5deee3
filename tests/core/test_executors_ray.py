from __future__ import annotations

import hashlib
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mldr.errors import InputError, InterruptedRun, MissingExtra, MldrError
from mldr.executors import LocalExecutor, RayExecutor, open_executor
from mldr.files import sha256_text
from mldr.manifest import read_manifest
from tests.builders.support import tree_bytes
from tests.core.shipped import Join, join, write_parts
from tests.ray_here import ray_here

__all__ = ["ray_here"]


def test_every_task_comes_back_with_its_result(ray_here: RayExecutor) -> None:
    texts = [f"task {number}" for number in range(25)]
    results = list(ray_here.map(sha256_text, texts))
    assert sorted(results) == sorted((text, hashlib.sha256(text.encode()).hexdigest()) for text in texts)


def test_no_tasks_give_no_results(ray_here: RayExecutor) -> None:
    assert list(ray_here.map(sha256_text, [])) == []


def test_an_error_of_a_task_reaches_the_caller_as_it_was(ray_here: RayExecutor) -> None:
    with pytest.raises(ValueError, match=r"math domain error|nonnegative") as caught:
        list(ray_here.map(math.sqrt, [4.0, -1.0]))
    assert type(caught.value) is ValueError


def test_bad_input_found_by_a_worker_is_told_in_the_same_words(ray_here: RayExecutor, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": "mldr/dataset@1", "name": "a", "extra": 1}')
    told = []
    for executor in (ray_here, LocalExecutor(1)):
        with pytest.raises(InputError) as caught:
            list(executor.map(read_manifest, [tmp_path]))
        assert type(caught.value) is InputError
        told.append((str(caught.value), caught.value.faults, caught.value.total))
    assert told[0] == told[1]


def test_a_worker_that_dies_interrupts_the_run_which_can_be_resumed(
    ray_here: RayExecutor, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InterruptedRun, match="run the same command again") as caught:
        list(ray_here.map(os._exit, [9, 9, 9]))
    assert caught.value.exit_code == 3
    assert [result for _, result in ray_here.map(math.factorial, [3])] == [6]
    assert capfd.readouterr() == ("", ""), "Ray printed something"


def test_tasks_are_drawn_only_as_workers_come_free(ray_here: RayExecutor) -> None:
    drawn: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(1_000):
            drawn.append(number)
            yield number

    results = ray_here.map(math.factorial, tasks())
    assert next(results)[0] in (0, 1, 2, 3)
    assert len(drawn) <= 4
    results.close()  # type: ignore[attr-defined]
    assert len(drawn) <= 4


def test_an_interrupt_cancels_what_runs(ray_here: RayExecutor) -> None:
    started = time.monotonic()
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        list(ray_here.map(time.sleep, [40] * 4))
    timer.join()
    assert len(list(ray_here.map(math.factorial, range(4)))) == 4
    assert time.monotonic() - started < 20, "the workers went on with what was cancelled"


def test_files_travel_through_the_depot_and_nothing_stays_there(ray_here: RayExecutor, tmp_path: Path) -> None:
    spool, *parts = write_parts(tmp_path / "in", spool="shared ", **{f"p{n}": f"part {n}" for n in range(12)})

    def tasks(name: str) -> list[Join]:
        (tmp_path / name).mkdir()
        return [
            Join((spool, part), str(tmp_path / name / "pieces"), str(tmp_path / name / f"{number}.txt"))
            for number, part in enumerate(parts)
        ]

    with RayExecutor(depot=(tmp_path / "depot").as_uri()) as executor:
        lengths = {task.out: length for task, length in executor.map(join, tasks("there"))}
    assert len(lengths) == 12
    assert set(lengths.values()) == {len("shared part 0"), len("shared part 10")}
    assert len(list(LocalExecutor().map(join, tasks("here")))) == 12
    assert tree_bytes(tmp_path / "there") == tree_bytes(tmp_path / "here")
    assert list((tmp_path / "depot").iterdir()) == []
    assert list(ray_here.map(math.factorial, [3])) == [(3, 6)], "closing one executor ended another's Ray"


def test_a_task_without_files_runs_beside_a_depot(ray_here: RayExecutor, tmp_path: Path) -> None:
    with RayExecutor(workers=1, depot=str(tmp_path / "depot")) as executor:
        assert list(executor.map(math.factorial, [3])) == [(3, 6)]


def test_a_file_that_is_gone_is_told_as_it_would_be_without_ray(ray_here: RayExecutor, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.txt")
    with RayExecutor(depot=str(tmp_path / "depot")) as executor, pytest.raises(FileNotFoundError) as caught:
        list(executor.map(join, [Join((gone,), str(tmp_path / "p"), str(tmp_path / "o"))]))
    assert caught.value.filename == gone


def test_a_fault_in_a_shipped_file_names_the_file_of_the_user(ray_here: RayExecutor, tmp_path: Path) -> None:
    (bad,) = write_parts(tmp_path / "in", bad="bad")
    with RayExecutor(depot=str(tmp_path / "depot")) as executor, pytest.raises(InputError) as caught:
        list(executor.map(join, [Join((bad,), str(tmp_path / "p"), str(tmp_path / "o"))]))
    assert str(caught.value) == f"1 fault:\n  {bad}: {bad} is bad; mend it"


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads what listens from /proc")
def test_nothing_listens_beyond_this_machine(ray_here: RayExecutor) -> None:
    list(ray_here.map(math.factorial, range(4)))
    addresses = list(_listening(os.getpid()))
    assert len(addresses) >= 4
    assert {address for address in addresses if not address.endswith("0100007F")} == set()


def test_ray_writes_nothing_to_the_users_home_and_leaves_the_environment(ray_here: RayExecutor) -> None:
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert "RAY_AUTH_TOKEN" in os.environ, "Ray would keep a token in the user's home"


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"pip install 'mldr\[ray\]'"), open_executor("ray"):
        pass


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://127.0.0.1:{port}", "127.0.0.1:99999", "no such host:1"])
def test_an_address_where_no_cluster_is_fails_at_once(address: str) -> None:
    code = (
        "import sys\nfrom mldr.executors import open_executor\nfrom mldr.errors import MldrError\n"
        "try:\n    open_executor('ray', 1, sys.argv[1]).__enter__()\n"
        "except MldrError as error:\n    print(error)\n"
    )
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'mldr[ray]'")
    with socket.socket() as free:  # bound, and listening to nobody
        free.bind(("127.0.0.1", 0))
        place = address.format(port=free.getsockname()[1])
        ran = subprocess.run(
            [sys.executable, "-c", code, place], capture_output=True, text=True, timeout=60, check=True
        )
    assert ran.stdout.startswith(f"no Ray cluster answers at {place} (")
    assert ran.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("opening", "words"),
    [
        (lambda: open_executor("cloud"), "no executor is called 'cloud'; there are local and ray"),
        (lambda: open_executor("local", 1, "host:1"), "go with --executor ray"),
        (lambda: open_executor("local", 1, "", "depot"), "go with --executor ray"),
    ],
)
def test_an_option_that_means_nothing_is_refused(opening: Callable[[], object], words: str) -> None:
    with pytest.raises(MldrError, match=words), opening():  # type: ignore[attr-defined]
        pass


def _listening(root: int) -> Iterator[str]:
    """Yield the local addresses (hexadecimal) on which a process and its descendants listen."""
    family = [root]
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has just ended
            continue
    for process in family:
        family += [child for child, parent in parents.items() if parent == process]
    sockets = {socket for process in family for socket in _sockets(process)}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in Path(table).read_text().splitlines()[1:]:
            words = row.split()
            if words[3] == "0A" and words[9] in sockets:
                yield words[1].partition(":")[0]


def _sockets(process: int) -> Iterator[str]:
    for link in Path(f"/proc/{process}/fd").glob("*"):
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            yield target[len("socket:[") : -1]
