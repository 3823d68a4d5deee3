"""How a schema is asked for, what a server that refuses a way gets next, and what is taken as an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mldr.chat.endpoint import StructuredMode
from mldr.chat.fits import quick_check
from mldr.chat.request import ChatRequest, Message
from mldr.chat.structured import MODES, Unusable, read_answer, request_body
from mldr.errors import MldrError
from tests.core.chat.support import SCHEMA, ask_all, ask_one, endpoint, question
from tests.fakes.chat_server import ChatServer


def forms(server: ChatServer) -> list[str]:
    """Return how each request asked for the schema."""
    return [one.body.get("response_format", {"type": "prompt"})["type"] for one in server.requests]


def tagged(messages: list[dict[str, Any]], schema: dict[str, Any] | None) -> str:
    """Answer a question that may ask by the prompt alone."""
    return '{"tag": "x"}'


def test_each_way_of_asking_carries_the_schema_as_its_servers_take_it() -> None:
    strict = request_body(endpoint(), question(), "json_schema", 0)
    named = {"name": "tag", "schema": SCHEMA, "strict": True}
    assert strict["response_format"] == {"type": "json_schema", "json_schema": named}
    lesser = request_body(endpoint(), question(), "json_object", 0)
    assert lesser["response_format"] == {"type": "json_object", "schema": SCHEMA}
    least = request_body(endpoint(), question(), "prompt", 0)
    assert "response_format" not in least
    assert least["messages"][0]["content"].startswith("You tag.\n\nAnswer with one JSON object")
    assert least["messages"][0]["content"].endswith(json.dumps(SCHEMA, sort_keys=True, separators=(",", ":")))
    bare = ChatRequest((Message("user", "q"),), SCHEMA, "tag", "tag")
    assert [one["role"] for one in request_body(endpoint(), bare, "prompt", 0)["messages"]] == ["system", "user"]


def test_the_body_holds_what_the_endpoint_sets_and_nothing_else() -> None:
    plain = request_body(endpoint(max_tokens=9), question(), "prompt", 3)
    assert set(plain) == {"model", "messages", "max_tokens"}
    full = endpoint(seed=5, temperature=0.0, extra={"max_completion_tokens": 7, "top_p": 0.5})
    body = request_body(full, question(), "json_schema", 3)
    assert (body["seed"], body["temperature"], body["top_p"], body["max_completion_tokens"]) == (8, 0.0, 0.5, 7)
    assert "max_tokens" not in body


@pytest.mark.parametrize("status", [400, 404, 422, 500, 501])
@pytest.mark.parametrize("known", [("json_object", "prompt"), ("prompt",)])
def test_a_server_that_refuses_a_way_is_asked_in_the_next_and_that_is_remembered(
    tmp_path: Path, status: int, known: tuple[str, ...]
) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(tagged, modes=known, mode_status=status) as server:
        where = endpoint(server, concurrency=1)
        answers = ask_all(path, where, ["1", "2", "3"])
        tried = list(MODES[: MODES.index(known[0])])
        assert forms(server) == [*tried, known[0], known[0], known[0]]
        again = ask_all(path, where, ["1", "2", "3"])  # a new model has forgotten; the store has not
        assert [one.from_store for one in again] == [True] * 3  # type: ignore[union-attr]
        assert [one.value for one in again] == [one.value for one in answers]  # type: ignore[union-attr]
        assert len(forms(server)) == 3 + len(tried)


def test_a_way_that_is_set_is_the_only_one_that_is_tried(tmp_path: Path) -> None:
    with ChatServer(tagged, modes=["prompt"]) as server:
        with pytest.raises(MldrError, match=r"response_format json_object is not supported.*structured: auto") as error:
            ask_one(tmp_path / "s.sqlite", endpoint(server, structured="json_object"))
        assert (error.value.exit_code, forms(server)) == (1, ["json_object"])
        assert ask_one(tmp_path / "s.sqlite", endpoint(server, structured="prompt")).value == {"tag": "x"}


def test_a_request_refused_in_every_way_is_bad_input_with_the_servers_first_words(tmp_path: Path) -> None:
    with ChatServer(modes=[]) as server, pytest.raises(MldrError, match="json_schema is not supported") as error:
        ask_one(tmp_path / "s.sqlite", endpoint(server))
    assert error.value.exit_code == 1


GOOD = '{"tag": "a {b} c"}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  {GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"Sure! Here it is:\n```\n{GOOD}\n```\nAnything else?",
        f"Here you are: {GOOD} I hope that helps.",
        f"<think>a {{set}} of thoughts</think>\n{GOOD}",
    ],
)
def test_words_around_one_object_are_passed_over_by_the_prompt_alone(text: str) -> None:
    assert read_answer(text, SCHEMA, "prompt") == {"tag": "a {b} c"}
    if text.strip() != GOOD:
        with pytest.raises(Unusable, match="malformed"):
            read_answer(text, SCHEMA, "json_schema")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("I do not know.", "malformed"),
        ('{"tag": "a"', "malformed"),
        ('{"tag": "a"} {"tag": "b"}', "malformed"),
        ('{"tag": "a", "tag": "b"}', "malformed"),
        ('{"tag": NaN}', "malformed"),
        ('{"tag": "\\ud800"}', "malformed"),
        ('{"tag": "a\\u0000"}', "malformed"),
        ('{"tag": "\ud800"}', "malformed"),
        ("[" * 100_000, "malformed"),
        ('{"tag":' * 100_000, "malformed"),
        ("}{", "malformed"),
        ('{"tag": 1}', "schema"),
        ('{"tag": "a", "b": 1}', "schema"),
        ("[]", "schema"),
        ('"a"', "schema"),
        ("null", "schema"),
        ("9" * 10_000, "malformed"),
    ],
)
def test_what_is_no_answer_is_told_apart_by_reason(text: str, reason: str, mode: StructuredMode) -> None:
    with pytest.raises(Unusable) as error:
        read_answer(text, SCHEMA, mode)
    assert error.value.reason == reason
    assert len(error.value.detail) <= 200


def test_escapes_that_only_look_bad_are_kept() -> None:
    text = '{"tag": "\\\\u0000 \\\\ud800 \\ud83d\\ude00 \\n"}'
    assert read_answer(text, SCHEMA, "json_schema") == {"tag": "\\u0000 \\ud800 \U0001f600 \n"}


@given(st.text())
def test_any_text_is_an_answer_or_unusable(text: str) -> None:
    for mode in MODES:
        try:
            assert set(read_answer(text, SCHEMA, mode)) == {"tag"}
        except Unusable:
            continue


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_what_a_model_writes_as_json_is_read_whatever_the_escapes(tag: str) -> None:
    for ascii_only in (True, False):
        text = json.dumps({"tag": tag}, ensure_ascii=ascii_only)
        for mode in MODES:
            assert read_answer(text, SCHEMA, mode) == {"tag": tag}


def test_a_schema_that_is_none_is_said() -> None:
    with pytest.raises(MldrError, match="no JSON Schema"):
        read_answer("{}", {"type": "objekt"}, "json_schema")


scalars: st.SearchStrategy[Any] = st.one_of(
    st.builds(lambda low: {"type": "integer", "minimum": low}, st.integers(-2, 2)),
    st.sampled_from([{"type": kind} for kind in ("string", "integer", "number", "boolean", "null")]),
    st.builds(
        lambda least, most: {"type": "string", "minLength": least, "maxLength": most},
        st.integers(0, 2),
        st.integers(1, 3),
    ),
    st.builds(lambda high: {"type": "number", "maximum": high, "title": "t"}, st.integers(-1, 2)),
    st.just({"type": "string", "enum": ["a", "b"]}),
    st.sampled_from(
        [{"enum": [1, True, "a"]}, {"type": "string", "pattern": "^a"}, {"type": ["string", "null"]}, {}, {"const": 1}]
    ),
)
names = st.sampled_from(["a", "b", "c"])
schemas = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 2)),
        st.builds(lambda of: {"anyOf": of}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(
            lambda of, need, more: {"type": "object", "properties": of, "required": need, "additionalProperties": more},
            st.dictionaries(names, inner, max_size=3),
            st.lists(names, unique=True, max_size=2),
            st.sampled_from([True, False]),
        ),
    ),
    max_leaves=4,
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 1.5, "", "a", "b", "abc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


@given(schemas, values)
def test_the_quick_check_never_takes_what_jsonschema_refuses(schema: Any, value: Any) -> None:
    check = quick_check(schema)
    if check is not None and check(value):
        assert Draft202012Validator(schema).is_valid(value)


def test_the_quick_check_knows_the_schemas_that_are_asked_for() -> None:
    line = {
        "type": "object",
        "properties": {"ids": {"type": "array", "items": {"type": "integer"}}},
        "required": ["ids"],
    }
    check = quick_check(
        {**SCHEMA, "properties": {"tag": {"type": "string"}, "lines": {"type": "array", "items": line}}}
    )
    assert check is not None
    assert check({"tag": "a", "lines": [{"ids": [1]}, {"ids": [], "more": 1}]})
    assert not check({"tag": "a", "lines": [{"ids": [True]}]})
    assert not check({"lines": []})
    assert quick_check({"type": "string", "format": "date"}) is None
    assert quick_check(True) is None
