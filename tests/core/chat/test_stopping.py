"""However a run is stopped, what arrived is kept and no more is sent; the next run asks for the rest alone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mldr.chat import ChatAnswer, ChatModel, ResponseStore
from mldr.errors import InterruptedRun
from tests.core.chat.support import ask_all, endpoint, question
from tests.fakes.chat_server import ChatServer

ROOT = Path(__file__).resolve().parents[3]
RUN = """
import asyncio, sys
from pathlib import Path
from mldr.chat import ChatModel, ResponseStore
from tests.core.chat.support import asked, endpoint
async def main():
    with ResponseStore(Path(sys.argv[1])) as store:
        async with ChatModel(endpoint(base_url=sys.argv[2], concurrency=4), store, backoff_s=0.01) as model:
            await asked(model, [str(number) for number in range(int(sys.argv[3]))])
asyncio.run(main())
"""


def started(path: Path, server: ChatServer, number: int) -> subprocess.Popen[str]:
    """Start a run in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", RUN, str(path), server.base_url, str(number)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def wait_for(server: ChatServer, requests: int) -> None:
    """Return when so many requests came."""
    end = time.monotonic() + 20
    while server.count() < requests:
        assert time.monotonic() < end, "the run asks nothing"
        time.sleep(0.005)


def kept(path: Path) -> int:
    """Return how many responses a store holds."""
    with ResponseStore(path) as store:
        return len(store)


@pytest.mark.parametrize("after", [5, 23, 48])
def test_a_killed_run_goes_on_and_asks_only_for_what_had_not_arrived(tmp_path: Path, after: int) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(latency_s=0.01) as server:
        run = started(path, server, 60)
        wait_for(server, after)
        run.kill()
        run.communicate()
        held, sent = kept(path), server.count()
        assert 0 <= sent - held <= 2 * 4  # those in flight, and those that had just arrived
        answers = ask_all(path, endpoint(server), [str(number) for number in range(60)])
        assert sum(isinstance(one, ChatAnswer) and one.from_store for one in answers) == held
        assert server.count() == sent + 60 - held
        assert kept(path) == 60


def test_ctrl_c_keeps_what_is_on_its_way_and_sends_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(latency_s=0.2) as server:
        run = started(path, server, 60)
        wait_for(server, 6)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
        assert run.returncode != 0
        assert kept(path) == server.count() == sum(server.paid.values()) < 60
        ask_all(path, endpoint(server, concurrency=60), [str(number) for number in range(60)])
        assert server.paid == Counter(str(number) for number in range(60))


def test_the_answers_of_siblings_of_a_failed_question_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"

    async def run(server: ChatServer, store: ResponseStore) -> None:
        async with ChatModel(endpoint(server, retries=0), store) as model, asyncio.TaskGroup() as group:
            for text in ("bad", "1", "2", "3"):
                group.create_task(model.ask(question(text)))

    with ChatServer(lambda messages, schema: json.dumps({"tag": "x"}), faults=["500"], latency_s=0.1) as server:
        with ResponseStore(path) as store, pytest.raises(ExceptionGroup) as error:
            asyncio.run(run(server, store))
        assert error.group_contains(InterruptedRun)
        assert kept(path) == 3
        ask_all(path, endpoint(server), ["bad", "1", "2", "3"])
        assert server.paid == Counter(["bad", "1", "2", "3"])


def test_a_server_that_hangs_does_not_hold_up_the_end_for_longer_than_the_grace(tmp_path: Path) -> None:
    async def run(server: ChatServer, store: ResponseStore) -> float:
        async with ChatModel(endpoint(server, timeout_s=60.0), store, grace_s=0.2) as model:
            task = asyncio.create_task(model.ask(question()))
            while not server.count():
                await asyncio.sleep(0.005)
            task.cancel()
            start = time.monotonic()
        return time.monotonic() - start

    with ChatServer(faults=["hang"]) as server, ResponseStore(tmp_path / "s.sqlite") as store:
        assert 0.2 <= asyncio.run(run(server, store)) < 2


def test_a_question_that_nobody_waits_for_any_more_is_not_sent(tmp_path: Path) -> None:
    async def run(server: ChatServer, store: ResponseStore) -> None:
        async with ChatModel(endpoint(server, concurrency=1), store) as model:
            tasks = [asyncio.create_task(model.ask(question(text))) for text in ("1", "2", "3")]
            while not server.count():
                await asyncio.sleep(0.005)
            tasks[1].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert [type(one) for one in results] == [ChatAnswer, asyncio.CancelledError, ChatAnswer]
            assert (await model.ask(question("2"))).from_store is False

    with ChatServer(latency_s=0.05) as server, ResponseStore(tmp_path / "s.sqlite") as store:
        asyncio.run(run(server, store))
        assert [one.body["messages"][-1]["content"] for one in server.requests] == ["1", "3", "2"]


def test_who_asked_the_same_still_gets_the_answer_when_the_first_is_cancelled(tmp_path: Path) -> None:
    async def run(server: ChatServer, store: ResponseStore) -> Any:
        async with ChatModel(endpoint(server), store) as model:
            first, second = (asyncio.create_task(model.ask(question())) for _ in range(2))
            while not server.count():
                await asyncio.sleep(0.005)
            first.cancel()
            return await second

    with ChatServer(latency_s=0.05) as server, ResponseStore(tmp_path / "s.sqlite") as store:
        assert asyncio.run(run(server, store)).value == {"tag": "x"}
        assert server.count() == 1


def test_questions_still_open_when_the_model_closes_end_in_a_stop(tmp_path: Path) -> None:
    async def run(server: ChatServer, store: ResponseStore) -> list[Any]:
        async with ChatModel(endpoint(server, concurrency=1), store, grace_s=0.0) as model:
            tasks = [asyncio.create_task(model.ask(question(text))) for text in ("1", "2")]
            while not server.count():
                await asyncio.sleep(0.005)
        return await asyncio.gather(*tasks, return_exceptions=True)

    with ChatServer(faults=["hang"]) as server, ResponseStore(tmp_path / "s.sqlite") as store:
        for error in asyncio.run(run(server, store)):
            assert isinstance(error, InterruptedRun)
            assert "run again to go on" in str(error)


def test_an_answer_that_cannot_be_kept_stops_the_run(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(lambda messages, schema: json.dumps({"tag": "x" * 200_000})) as server:

        async def run(store: ResponseStore) -> None:
            store._connection.execute("PRAGMA max_page_count = 8")  # SQLite then fails as on a full disk
            async with ChatModel(endpoint(server), store) as model:
                await model.ask(question())

        with ResponseStore(path) as store, pytest.raises(InterruptedRun, match="full"):
            asyncio.run(run(store))
        assert isinstance(ask_all(path, endpoint(server), ["q"])[0], ChatAnswer)
