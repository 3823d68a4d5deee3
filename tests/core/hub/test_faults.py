"""A Hub that is busy, fails, or hangs up; and a push that is killed. All through the real client."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

import mldr
from mldr.errors import InterruptedRun, MldrError
from mldr.hub import Hub, Wanted, pull, push
from mldr.hub.client import RETRIES
from tests.core.hub.conftest import TOKEN, Shell
from tests.core.hub.test_push import HERE
from tests.fakes.hub_server import HubServer
from tests.fakes.hub_store import Fault

STEPS = {
    "looking it up": "GET /api/datasets/tests/demo$",
    "its versions": "GET .*/refs",
    "its files": "GET .*/tree/",
    "making it": "POST /api/repos/create",
    "how files go": "POST .*/preupload/",
    "where files go": "POST .*/objects/batch",
    "a file": "PUT /objects/",
    "the commit": "POST .*/commit/",
    "the version": "POST .*/tag/",
    "the door": "PUT .*/settings",
}


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def hub(server: HubServer, waits: list[float]) -> Hub:
    return Hub(sleep=waits.append)


def pushed_whole(server: HubServer, dataset: mldr.Dataset) -> bool:
    repository = server.store.repositories["tests/demo"]
    held = repository.files()
    whole = all(held[name].sha256 == entry.sha256 for name, entry in dataset.manifest.files.items())
    return whole and len(repository.commits) == 2 and list(repository.tags) == ["v1"] and not repository.private


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", ["429", "500", "503", "cut"])
def test_a_step_that_goes_wrong_once_is_made_again(
    server: HubServer, hub: Hub, demo_dataset: mldr.Dataset, step: str, kind: str
) -> None:
    fault = Fault(STEPS[step]) if kind == "cut" else Fault(STEPS[step], int(kind))
    server.store.faults.append(fault)
    push(demo_dataset, replace(HERE, tag="v1", visibility="public"), hub=hub)
    assert fault.times == 0
    assert pushed_whole(server, demo_dataset)


@pytest.mark.parametrize("step", ["making it", "a file", "the commit", "the version", "the door"])
def test_a_step_whose_answer_was_lost_is_not_made_twice(
    server: HubServer, hub: Hub, demo_dataset: mldr.Dataset, step: str
) -> None:
    server.store.faults.append(Fault(STEPS[step], done=True))
    push(demo_dataset, replace(HERE, tag="v1", visibility="public"), hub=hub)
    assert pushed_whole(server, demo_dataset)


def test_a_connection_cut_in_the_middle_of_a_file_is_made_good(
    server: HubServer, hub: Hub, demo_dataset: mldr.Dataset
) -> None:
    server.store.faults.append(Fault("PUT /objects/", after=5_000))
    push(demo_dataset, replace(HERE, tag="v1", visibility="public"), hub=hub)
    assert pushed_whole(server, demo_dataset)


def test_a_server_that_asks_for_a_pause_gets_it(
    server: HubServer, hub: Hub, waits: list[float], demo_dataset: mldr.Dataset
) -> None:
    server.store.faults.append(Fault("POST .*/commit/", 429, {"Retry-After": "37"}))
    push(demo_dataset, HERE, hub=hub)
    assert waits == [37.0]


def test_a_server_that_asks_for_an_hour_is_left_for_another_day(
    server: HubServer, hub: Hub, waits: list[float], demo_dataset: mldr.Dataset
) -> None:
    server.store.faults.append(Fault("POST .*/commit/", 429, {"Retry-After": "3600"}))
    with pytest.raises(InterruptedRun, match="run the same command again to go on"):
        push(demo_dataset, HERE, hub=hub)
    assert waits == []


def test_a_server_that_always_fails_is_asked_so_often_and_no_more(
    server: HubServer, hub: Hub, waits: list[float], demo_dataset: mldr.Dataset
) -> None:
    server.store.faults.append(Fault("POST /api/repos/create", 503, times=10_000))
    with pytest.raises(InterruptedRun, match="making tests/demo: status 503") as caught:
        push(demo_dataset, HERE, hub=hub)
    assert caught.value.exit_code == 3
    assert server.store.count("POST /api/repos/create") == RETRIES + 1
    assert waits == [1.0, 2.0, 4.0, 8.0]


def test_a_refusal_is_not_asked_again(server: HubServer, hub: Hub, demo_dataset: mldr.Dataset) -> None:
    server.store.faults.append(Fault("POST /api/repos/create", 402, times=10))
    with pytest.raises(MldrError, match="making tests/demo: status 402"):
        push(demo_dataset, HERE, hub=hub)
    assert server.store.count("POST /api/repos/create") == 1


def test_after_a_failure_the_next_push_sends_what_is_not_there_alone(
    server: HubServer, hub: Hub, demo_dataset: mldr.Dataset
) -> None:
    server.store.faults.append(Fault("POST .*/commit/", 500, times=10_000))
    with pytest.raises(InterruptedRun):
        push(demo_dataset, replace(HERE, tag="v1", visibility="public"), hub=hub)
    repository = server.store.repositories["tests/demo"]
    assert repository.private
    assert not repository.seen_public
    sent = server.store.count("^PUT /objects/.*-> 200$")
    server.store.faults.clear()
    push(demo_dataset, replace(HERE, tag="v1", visibility="public"), hub=hub)
    assert server.store.count("^PUT /objects/.*-> 200$") == sent
    assert pushed_whole(server, demo_dataset)


def test_a_push_that_is_killed_goes_on_where_it_was(
    server: HubServer, demo_dataset: mldr.Dataset, environment: dict[str, str], shell: Shell, tmp_path: Path
) -> None:
    words = ["dataset", "push", str(demo_dataset.folder), "tests/demo", "--tag", "v1", "--public"]
    server.store.faults.append(Fault("PUT /objects/", delay=30.0, times=1_000, skip=4))
    running = subprocess.Popen([sys.executable, "-m", "mldr", *words], cwd=tmp_path, env=environment)
    deadline = time.monotonic() + 60
    while server.store.count("^PUT /objects/.*-> 200$") < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    sent = server.store.count("^PUT /objects/.*-> 200$")
    assert sent == 4
    server.store.faults.clear()
    done = shell(*words)
    assert done.returncode == 0, done.stderr
    large = [name for name in demo_dataset.manifest.files if name.endswith(".parquet")]
    assert server.store.count("^PUT /objects/.*-> 200$") == len(large)
    assert pushed_whole(server, demo_dataset)


def test_somebody_elses_commit_in_between_is_built_upon(
    server: HubServer, hub: Hub, demo_dataset: mldr.Dataset
) -> None:
    from tests.fakes.hub_store import Blob

    push(demo_dataset, HERE, hub=hub)
    repository = server.store.repositories["tests/demo"]
    server.store.faults.append(Fault("POST .*/commit/", 412))
    repository.commit(
        {**repository.files(), "README.md": Blob(b"edited by hand", False), "note.md": Blob(b"n", False)}, "x"
    )
    push(demo_dataset, HERE, hub=hub)
    assert repository.files()["README.md"].sha256 == demo_dataset.manifest.files["README.md"].sha256
    assert repository.files()["note.md"].content == b"n"


@pytest.mark.parametrize("kind", ["429", "503", "cut", "in the middle"])
def test_a_pull_goes_on_where_a_file_broke_off(
    server: HubServer, hub: Hub, demo_dataset: mldr.Dataset, tmp_path: Path, kind: str
) -> None:
    push(demo_dataset, HERE, hub=hub)
    pattern = "GET /datasets/tests/demo/resolve/.*images/test"
    fault = {
        "429": Fault(pattern, 429, {"Retry-After": "1"}),
        "503": Fault(pattern, 503),
        "cut": Fault(pattern),
        "in the middle": Fault(pattern, after=500_000, done=True),
    }[kind]
    server.store.faults.append(fault)
    pull("tests/demo", tmp_path / "back", hub=hub)
    assert fault.times == 0
    for name in demo_dataset.manifest.files:
        assert (tmp_path / "back" / name).read_bytes() == (demo_dataset.folder / name).read_bytes()


def test_a_pull_that_failed_leaves_no_dataset_and_goes_on_when_started_again(
    server: HubServer, hub: Hub, demo_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    push(demo_dataset, HERE, hub=hub)
    server.store.faults.append(Fault("GET .*/resolve/.*images/test", 500, times=10_000))
    with pytest.raises(InterruptedRun, match="run the same command again"):
        pull("tests/demo", tmp_path / "back", hub=hub)
    assert not (tmp_path / "back").exists()
    server.store.faults.clear()
    before = server.store.count("GET .*/resolve/.*images/validation.* 200$")
    pull("tests/demo", tmp_path / "back", hub=hub)
    assert server.store.count("GET .*/resolve/.*images/validation.* 200$") == before
    assert (tmp_path / "back/manifest.json").is_file()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_no_failure_shows_the_token(
    server: HubServer, hub: Hub, demo_dataset: mldr.Dataset, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    leaking = {"X-Error-Message": f"the token {TOKEN} was sent as Bearer {TOKEN}"}
    server.store.faults.append(Fault("POST .*/commit/", status, leaking, times=10_000))
    with pytest.raises(MldrError) as caught:
        push(demo_dataset, HERE, hub=hub)
    assert TOKEN not in str(caught.value)
    assert TOKEN[3:] not in str(caught.value)
    assert TOKEN not in caplog.text
    assert caught.value.__cause__ is None  # the client's own words, which hold it, go no further


def test_a_hub_that_is_not_there_is_said_so(
    server: HubServer, demo_dataset: mldr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(InterruptedRun, match=r"looking up tests/demo: .*run the same command again"):
        push(demo_dataset, Wanted("tests/demo"), hub=Hub(sleep=lambda seconds: None))
