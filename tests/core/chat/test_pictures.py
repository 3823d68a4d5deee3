"""Messages with pictures, and answers that may be any text."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from mldr.chat import (
    ChatAnswer,
    ChatModel,
    ChatRequest,
    ImagePart,
    Message,
    ResponseStore,
    ServerFailed,
    Unanswered,
    tokens_of_request,
)
from mldr.chat.endpoint import ModelEndpoint
from mldr.chat.structured import request_body
from mldr.errors import InterruptedRun
from tests.conftest import picture
from tests.core.chat.support import SCHEMA, endpoint, files_of
from tests.fakes.chat_server import ChatServer

RED = ImagePart(picture("red"), "image/png", 40 * 30)


def shown(*parts: str | ImagePart, schema: dict[str, Any] | None = None, any_text: bool = False) -> ChatRequest:
    return ChatRequest((Message("user", tuple(parts)),), schema, "tag", "look", any_text)


def ask(path: Path, where: ModelEndpoint, request: ChatRequest, offline: bool = False) -> ChatAnswer:
    async def run(store: ResponseStore) -> ChatAnswer:
        async with ChatModel(where, store, backoff_s=0.01, offline=offline) as model:
            return await model.ask(request, keep_failure=True)

    with ResponseStore(path, readonly=offline) as store:
        return asyncio.run(run(store))


def test_pictures_go_out_inside_the_request_in_the_order_of_the_parts(tmp_path: Path) -> None:
    with ChatServer() as server:
        ask(tmp_path / "s.sqlite", endpoint(server), shown("one", RED, "two"))
        (content,) = [message["content"] for message in server.requests[0].body["messages"]]
    assert [part["type"] for part in content] == ["text", "image_url", "text"]
    head, _, data = content[1]["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == RED.content


def test_a_message_without_a_picture_is_a_plain_text(tmp_path: Path) -> None:
    with ChatServer() as server:
        ask(tmp_path / "s.sqlite", endpoint(server), shown("one", " and ", "two"))
        assert server.requests[0].body["messages"] == [{"role": "user", "content": "one and two"}]


def test_the_store_keeps_the_hash_of_a_picture_and_not_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer() as server:
        ask(path, endpoint(server), shown("one", RED))
    with ResponseStore(path, readonly=True) as store:
        (kept,) = store
    assert base64.b64encode(RED.content) not in files_of(path)
    assert RED.content not in files_of(path)
    (_, part) = json.loads(kept.request)["messages"][0]["content"]
    assert set(part) == {"type", "sha256"}


def test_another_picture_is_another_question(tmp_path: Path) -> None:
    blue = ImagePart(picture("blue"), "image/png", 40 * 30)
    with ChatServer() as server:
        for part in (RED, blue, RED):
            ask(tmp_path / "s.sqlite", endpoint(server), shown("one", part))
        assert server.count() == 2


@pytest.mark.parametrize("text", ["prose", "", "{not json", '{"tag": 3}', "好"])
def test_any_text_is_the_answer_and_is_asked_for_once(tmp_path: Path, text: str) -> None:
    with ChatServer(lambda messages, schema: text) as server:
        for request in (shown("q"), shown("r", schema=SCHEMA, any_text=True)):
            answer = ask(tmp_path / "s.sqlite", endpoint(server), request)
            assert (answer.text, answer.value, answer.finish_reason) == (text, None, "stop")
        assert server.count() == 2
        assert "response_format" not in server.requests[0].body
        assert server.requests[1].body["response_format"]["type"] == "json_schema"


def test_any_text_is_replayed_without_a_server(tmp_path: Path) -> None:
    with ChatServer(lambda messages, schema: "prose") as server:
        where = endpoint(server)
        first = ask(tmp_path / "s.sqlite", where, shown("q", RED))
    again = ask(tmp_path / "s.sqlite", where, shown("q", RED), offline=True)
    assert (again.text, again.finish_reason, again.from_store) == (first.text, first.finish_reason, True)


def test_a_server_that_knows_no_schema_is_asked_in_the_next_way(tmp_path: Path) -> None:
    with ChatServer(lambda messages, schema: "prose", modes=["prompt"], mode_status=500) as server:
        answer = ask(tmp_path / "s.sqlite", endpoint(server), shown("q", RED, schema=SCHEMA, any_text=True))
        assert answer.text == "prose"
        assert "JSON Schema" in server.requests[-1].body["messages"][0]["content"]


def test_a_refusal_is_none_where_any_text_would_do_and_is_kept(tmp_path: Path) -> None:
    with ChatServer(faults=["refusal"] * 9) as server:
        for _ in range(2):
            with pytest.raises(Unanswered) as caught:
                ask(tmp_path / "s.sqlite", endpoint(server, retries=0), shown("q"))
            assert caught.value.reason == "refused"
        assert server.count() == 1


def test_a_server_that_fails_one_request_too_often_is_told_from_a_run_that_stops(tmp_path: Path) -> None:
    with ChatServer(faults=["500"] * 9) as server, pytest.raises(ServerFailed) as caught:
        ask(tmp_path / "s.sqlite", endpoint(server, retries=1), shown("q"))
    assert isinstance(caught.value, InterruptedRun)


def test_pictures_count_as_tokens_by_their_pixels() -> None:
    plain = tokens_of_request(shown("look"))
    large = ImagePart(b"", "image/png", 602_112)
    assert tokens_of_request(shown("look", large, large)) == plain + 2 * 768


def test_a_request_with_text_alone_has_the_body_that_it_always_had() -> None:
    request = ChatRequest((Message("system", "You tag."), Message("user", "q")), SCHEMA, "tag", "tag")
    body = request_body(endpoint(), request, "json_schema", 0)
    assert body["messages"] == [{"role": "system", "content": "You tag."}, {"role": "user", "content": "q"}]
