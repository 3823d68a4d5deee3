"""What a server says is sorted by what may be done about it, and never shows or spreads the key."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import mldr.chat.client
from mldr.chat import Budget, ChatAnswer, ChatModel, ResponseStore, Unanswered
from mldr.chat.sender import LONGEST_WAIT_S, Sender
from mldr.errors import InterruptedRun, MldrError
from tests.core.chat.support import KEY, ask_all, ask_one, endpoint, files_of
from tests.fakes.chat_server import ChatServer


class Saying(ChatServer):
    """A server that answers every chat with one status and body."""

    def __init__(self, status: int, document: Any, **options: Any) -> None:
        self.status, self.document = status, document
        super().__init__(**options)

    def _status_and_reply(self, path: str, body: dict[str, Any], fault: str | None) -> tuple[int, Any]:
        return self.status, self.document


def refusal(message: str, code: str | None = None) -> dict[str, Any]:
    """Return the body of an error."""
    return {"error": {"message": message, "type": "t", "code": code}}


@pytest.mark.parametrize(
    ("status", "document", "words"),
    [
        (
            401,
            refusal(f"Incorrect API key provided: {KEY}"),
            "refuses the key .* check the environment variable MY_KEY",
        ),
        (403, refusal("not for you"), "refuses the key"),
        (
            404,
            refusal("The model `m` does not exist", "model_not_found"),
            "no such model .* mend `model` or `base_url`",
        ),
        (404, refusal("model 'm' not found, try pulling it first"), "no such model"),
        (404, {"detail": "Not Found"}, "refuses the request .*mend the endpoint's settings"),
        (307, {}, "sends on to another address"),
        (418, refusal("teapot"), "refuses the request .status 418"),
    ],
)
def test_what_will_not_pass_is_said_at_once_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, document: Any, words: str
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with Saying(status, document) as server:
        where = endpoint(server, key_env="MY_KEY", structured="json_schema")
        with pytest.raises(MldrError, match=words) as error:
            ask_one(tmp_path / "s.sqlite", where)
        assert server.count() == 1
    assert error.value.exit_code == 1
    assert KEY not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("status", "document"),
    [(402, refusal("pay")), (429, refusal("You exceeded your current quota", "insufficient_quota"))],
)
def test_an_account_without_credit_stops_the_run_without_further_tries(
    tmp_path: Path, status: int, document: Any
) -> None:
    with Saying(status, document) as server, pytest.raises(InterruptedRun, match="no credit left") as error:
        ask_one(tmp_path / "s.sqlite", endpoint(server))
    assert server.count() == 1
    assert not isinstance(error.value, Unanswered)


@pytest.mark.parametrize(
    ("status", "document", "reason"),
    [
        (400, refusal("maximum context length is 8192 tokens", "context_length_exceeded"), "length"),
        (413, refusal("too large"), "length"),
        (400, refusal("filtered", "content_filter"), "refused"),
    ],
)
def test_one_question_that_a_server_will_not_take_is_unanswered_and_asked_once(
    tmp_path: Path, status: int, document: Any, reason: str
) -> None:
    path = tmp_path / "s.sqlite"
    with Saying(status, document) as server:
        for _ in range(2):
            with pytest.raises(Unanswered) as error:
                ask_one(path, endpoint(server), keep_failure=True)
            assert (error.value.reason, server.count()) == (reason, 1)


GOOD = {"message": {"content": '{"tag": "x"}'}, "finish_reason": "stop"}


@pytest.mark.parametrize(
    "document",
    [
        [],
        3,
        None,
        {},
        {"choices": []},
        {"choices": None},
        {"choices": [{}]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": 3}}]},
        {"choices": [{"message": {"content": [3]}}]},
        {"error": {"message": f"all at once, {KEY}", "code": 503}},
    ],
)
def test_a_body_that_is_no_completion_is_a_fault_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: Any
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with Saying(200, document) as server:
        with pytest.raises(InterruptedRun, match="no chat completion") as error:
            ask_one(tmp_path / "s.sqlite", endpoint(server, retries=1, key_env="MY_KEY"))
        assert server.count() == 2
    assert KEY not in str(error.value)


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (GOOD, '{"tag": "x"}'),
        ({**GOOD, "finish_reason": 3}, '{"tag": "x"}'),
        ({**GOOD, "finish_reason": "length"}, '{"tag": "x"}'),
        (
            {"message": {"content": [{"type": "text", "text": '{"tag":'}, {"type": "text", "text": '"x"}'}]}},
            '{"tag":"x"}',
        ),
    ],
)
def test_completions_of_lesser_servers_are_read(tmp_path: Path, choice: Any, text: str) -> None:
    with Saying(200, {"choices": [choice]}) as server:
        answer = ask_one(tmp_path / "s.sqlite", endpoint(server))
    assert (answer.text, answer.value, answer.usage.tokens_in) == (text, {"tag": "x"}, 0)


@pytest.mark.parametrize("content", [None, "", " "])
def test_no_text_is_an_empty_answer(tmp_path: Path, content: str | None) -> None:
    with Saying(200, {"choices": [{"message": {"content": content}}]}) as server, pytest.raises(Unanswered) as error:
        ask_one(tmp_path / "s.sqlite", endpoint(server, retries=0))
    assert error.value.reason == "empty"


def test_half_of_a_surrogate_pair_from_a_server_is_malformed_and_can_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with Saying(200, {"choices": [{"message": {"content": '{"tag": "\ud800"}'}}]}) as server:
        for _ in range(2):
            with pytest.raises(Unanswered) as error:
                ask_one(path, endpoint(server, retries=0), keep_failure=True)
            assert error.value.reason == "malformed"
        assert server.count() == 1


def test_a_body_without_end_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mldr.chat.client, "LARGEST_REPLY", 10_000)
    endless = Saying(200, {"choices": [GOOD], "more": "x" * 100_000})
    with endless as server, pytest.raises(InterruptedRun, match="more than 10,000 bytes"):
        ask_one(tmp_path / "s.sqlite", endpoint(server, retries=0))


def test_a_server_that_drips_is_cut_off_in_time(tmp_path: Path) -> None:
    class Dripping(ChatServer):
        async def _reply(self, writer: Any, path: str, body: Any, fault: str | None) -> bool:
            writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n")
            while not self._closing.is_set():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
            return False

    start = time.monotonic()
    with Dripping() as server, pytest.raises(InterruptedRun, match=r"no whole answer within 0\.3 s"):
        ask_one(tmp_path / "s.sqlite", endpoint(server, timeout_s=0.3, retries=0))
    assert time.monotonic() - start < 3


def test_nobody_there_is_a_stop_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(InterruptedRun, match=r"ConnectError.*run again to go on"):
        ask_one(tmp_path / "s.sqlite", endpoint(retries=1))


def test_the_key_is_sent_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    path = tmp_path / "s.sqlite"
    says_the_key: Callable[..., str] = lambda messages, schema: json.dumps({"tag": f"your key is {KEY}"})  # noqa: E731
    with ChatServer(says_the_key, faults=["refusal", "401", None, "429"]) as server:
        where = endpoint(server, key_env="MY_KEY", retries=0)
        answers = ask_all(path, where, ["1", "2"], keep_failure=True) + ask_all(path, where, ["3", "4"])
        assert {one.headers["authorization"] for one in server.requests} == {f"Bearer {KEY}"}
        with ResponseStore(path) as store:
            model = ChatModel(where, store)
            words = [repr(model), repr(store), repr(where), *map(repr, answers), *map(str, answers), caplog.text]
            assert not any(KEY in one for one in words)
    assert isinstance(answers[2], ChatAnswer)
    assert answers[2].value == {"tag": "your key is [key]"}
    assert KEY.encode() not in files_of(path)


def test_without_a_key_the_message_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with ChatServer() as server:
        with pytest.raises(MldrError, match=re.escape("MY_KEY does not hold its key; set it, or write `key_env: ''`")):
            ask_one(tmp_path / "s.sqlite", endpoint(server, key_env="MY_KEY"))
        monkeypatch.setenv("MY_KEY", "two words\x7f")
        with pytest.raises(MldrError, match="characters that no key has") as error:
            ask_one(tmp_path / "s.sqlite", endpoint(server, key_env="MY_KEY"))
        assert "two words" not in str(error.value)
        assert server.count() == 0


def test_a_server_that_asks_for_no_key_gets_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ChatServer() as server:
        ask_one(tmp_path / "s.sqlite", endpoint(server))
        assert KEY not in str(server.requests[0].headers)


def test_an_address_of_the_environment_that_is_none_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("http://[a/v1", "nowhere", "ftp://a/v1", "http://a:99999999/v1"):
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        with pytest.raises(MldrError, match="fake/m: "):
            ask_one(tmp_path / "s.sqlite", endpoint(base_url="", retries=0))


def test_a_proxy_of_the_environment_never_sees_what_stays_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ChatServer() as proxy, ChatServer() as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.base_url.removesuffix("/v1"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        ask_one(tmp_path / "s.sqlite", endpoint(server))
        assert (server.count(), len(proxy.requests)) == (1, 0)


def test_a_server_that_asks_to_wait_is_left_alone_for_so_long(tmp_path: Path) -> None:
    with ChatServer(faults=["429"], retry_after="1") as server:
        start = time.monotonic()
        ask_one(tmp_path / "s.sqlite", endpoint(server))
        assert time.monotonic() - start >= 1


def test_waits_grow_and_end_at_a_bound(tmp_path: Path) -> None:
    cases = [(1, None), (3, None), (100, None), (1, 7.0), (1, 1e9)]
    bounds = [(0.5, 1.0), (2.0, 4.0), (30.0, 60.0), (7.0, 7.5), (LONGEST_WAIT_S, LONGEST_WAIT_S)]

    async def waits() -> list[tuple[float, float]]:
        with ResponseStore(tmp_path / "s.sqlite") as store:
            sender = Sender("m", endpoint(), store, Budget(), backoff_s=1.0)
            seen = [[sender._backoff(failures, asked) for _ in range(50)] for failures, asked in cases]
            await sender.close()
        return [(min(one), max(one)) for one in seen]

    for (low, high), (least, most) in zip(asyncio.run(waits()), bounds, strict=True):
        assert least <= low <= high <= most
