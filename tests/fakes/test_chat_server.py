"""The fake server answers as a real one would, and misbehaves as it is told."""

from __future__ import annotations

import math

import openai
import pytest

from tests.fakes.chat_server import ChatServer, fitting

SCHEMA = {
    "type": "object",
    "properties": {"tag": {"type": "string"}, "ids": {"type": "array", "items": {"type": "integer"}, "minItems": 1}},
    "required": ["tag", "ids"],
    "additionalProperties": False,
}


def client(server: ChatServer, timeout: float = 5.0) -> openai.OpenAI:
    """Return a client that never retries."""
    return openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=0, timeout=timeout)


def ask(server: ChatServer, text: str = "hi", timeout: float = 5.0) -> str | None:
    """Return the text of one answer."""
    with client(server, timeout) as one:
        answer = one.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": text}],
            response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
        )
    return answer.choices[0].message.content


def test_it_answers_with_the_least_value_that_fits() -> None:
    with ChatServer() as server:
        assert ask(server) == '{"tag": "x", "ids": [0]}'
        assert (server.count(), server.count("embeddings"), server.paid["hi"]) == (1, 0, 1)
    assert fitting(SCHEMA) == {"tag": "x", "ids": [0]}


def test_scripted_faults_come_in_order_and_then_it_answers() -> None:
    with ChatServer(faults=["429", "500", "closed", "cut", "hang"], retry_after="7") as server:
        with pytest.raises(openai.RateLimitError) as limited:
            ask(server)
        assert limited.value.response.headers["retry-after"] == "7"
        for error in (openai.InternalServerError, openai.APIConnectionError, openai.APIConnectionError):
            with pytest.raises(error):
                ask(server)
        with pytest.raises(openai.APITimeoutError):
            ask(server, timeout=0.2)
        assert ask(server)
        assert server.paid["hi"] == 1


def test_bad_answers_arrive_whole_and_are_not_counted_as_paid() -> None:
    with ChatServer(faults=["half_json", "other_schema", "empty", "refusal"]) as server:
        assert [ask(server) for _ in range(4)] == ['{"tag": "x",', '{"nobody asked for this": [1]}', "", None]
        assert server.paid["hi"] == 0


def test_drawn_faults_depend_on_the_seed_and_end() -> None:
    def seen(seed: int) -> list[str | None]:
        with ChatServer(chance=0.7, kinds=["empty", "refusal"], seed=seed, in_a_row=2) as server:
            for text in ("a", "b", "c", "d", "e", "f"):
                for _ in range(3):
                    ask(server, text)
            return [asked.fault for asked in server.requests]

    faults = seen(1)
    assert faults == seen(1) != seen(2)
    assert faults[2::3] == [None] * 6


def test_a_mode_that_it_does_not_know_is_refused_by_name() -> None:
    with ChatServer(modes=["prompt"], mode_status=500) as server, pytest.raises(openai.InternalServerError) as error:
        ask(server)
    assert "json_schema" in str(error.value)


def test_embeddings_are_unit_vectors_that_depend_on_the_text_alone() -> None:
    with ChatServer(dimensions=5) as server, client(server) as one:
        first = one.embeddings.create(model="m", input=["a", "b", "a"])
        second = one.embeddings.create(model="m", input="a", encoding_format="float")
        assert server.count("embeddings") == 2
    rows = [item.embedding for item in first.data]
    assert rows[0] == rows[2] != rows[1]
    assert second.data[0].embedding == pytest.approx(rows[0], abs=1e-6)
    assert math.fsum(x * x for x in rows[0]) == pytest.approx(1, abs=1e-6)
