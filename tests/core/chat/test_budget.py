"""A budget counts what every call costs and stops a run before it costs much more than allowed."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from mldr.chat import Budget, ChatAnswer, Price
from mldr.errors import InterruptedRun, MldrError
from tests.core.chat.support import ask_all, ask_one, endpoint
from tests.fakes.chat_server import ChatServer

PRICE = Price(input=0.0, output=1_000_000.0)  # one a token of output
TEXTS = [str(number) for number in range(40)]


def long_answer(tokens: int) -> str:
    """Return an answer that the fake server counts as so many tokens."""
    frame = len(json.dumps({"tag": ""}))
    return json.dumps({"tag": "x" * ((tokens - 1) * 4 - frame)})


@pytest.mark.parametrize("concurrency", [1, 16])
def test_a_run_stops_within_one_request_of_its_limit_and_goes_on_with_more(tmp_path: Path, concurrency: int) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(lambda messages, schema: long_answer(10), latency_s=0.01) as server:
        where = endpoint(server, price=PRICE, max_tokens=10, concurrency=concurrency)
        budget = Budget(95.0)
        answers = ask_all(path, where, TEXTS, budget)
        assert 95 <= budget.money <= 95 + 10
        assert server.count() == budget.total().requests == 10
        stops = [one for one in answers if not isinstance(one, ChatAnswer)]
        assert len(stops) == 30
        for stop in stops:
            assert isinstance(stop, InterruptedRun)
            assert str(stop).startswith("the budget of 95 USD is spent (100.0000); all answers are kept")
        more = Budget(1000.0)
        assert all(isinstance(one, ChatAnswer) for one in ask_all(path, where, TEXTS, more))
        assert (more.money, more.total().from_store, max(server.paid.values())) == (300.0, 10, 1)


def test_what_is_set_aside_holds_requests_back_until_it_is_known_what_they_cost(tmp_path: Path) -> None:
    with ChatServer(lambda messages, schema: long_answer(4), latency_s=0.02) as server:
        where = endpoint(server, price=PRICE, max_tokens=50, concurrency=16)
        budget = Budget(100.0)
        ask_all(tmp_path / "s.sqlite", where, TEXTS, budget)
        assert server.in_flight_most <= 2  # two worst cases of 50 fill the limit
        assert 100 <= budget.money <= 150


def test_a_budget_of_nothing_sends_nothing_and_still_serves_the_store(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer() as server:
        where = endpoint(server, price=PRICE)
        with pytest.raises(InterruptedRun, match="the budget of 0 USD is spent"):
            ask_all(path, where, ["q"], Budget(0.0)) and ask_one(path, where, budget=Budget(0.0))
        assert server.count() == 0
        ask_one(path, where)
        assert ask_one(path, where, budget=Budget(0.0)).from_store


def test_tokens_of_answers_of_no_use_count_too(tmp_path: Path) -> None:
    budget = Budget()
    with ChatServer(faults=["empty", "500", "other_schema"]) as server:
        ask_one(tmp_path / "s.sqlite", endpoint(server, price=PRICE), budget=budget)
    spent = budget.snapshot()["tag"]
    assert (spent.requests, spent.failed, spent.from_store) == (4, 3, 0)
    assert spent.tokens_out == 1 + len('{"nobody asked for this": [1]}') // 4 + 1 + len('{"tag": "x"}') // 4 + 1
    assert spent.money == budget.money == spent.tokens_out
    assert spent.tokens_in > 0


def test_a_server_that_does_not_count_is_estimated_for_the_budget_alone(tmp_path: Path) -> None:
    class Uncounting(ChatServer):
        def _completion(self, *arguments: object) -> dict[str, object]:
            return {**super()._completion(*arguments), "usage": {"prompt_tokens": -5, "completion_tokens": "many"}}  # type: ignore[arg-type]

    budget = Budget()
    with Uncounting() as server:
        answer = ask_one(tmp_path / "s.sqlite", endpoint(server), budget=budget)
    assert (answer.usage.tokens_in, answer.usage.tokens_out) == (0, 0)
    assert budget.total().tokens_out == 3
    assert budget.total().tokens_in > 10


def test_counts_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    budget, seen = Budget(), []
    with ChatServer(latency_s=0.05) as server:
        run = threading.Thread(
            target=ask_all, args=(tmp_path / "s.sqlite", endpoint(server, concurrency=2), TEXTS[:10], budget)
        )
        run.start()
        while run.is_alive():
            seen.append(budget.total().requests)
            run.join(0.01)
    assert seen == sorted(seen)
    assert set(range(2, 9, 2)) & set(seen)
    assert budget.total().requests == 10


def test_what_cannot_be_counted_is_refused_before_anything_is_sent() -> None:
    for limit in (-1.0, float("nan"), float("inf")):
        with pytest.raises(MldrError, match="amount of money"):
            Budget(limit)
    with pytest.raises(MldrError, match=r"models\.a: has no price"):
        Budget(1.0).admit("models.a", endpoint())
    budget = Budget()
    budget.admit("a", endpoint())
    budget.admit("b", endpoint(price=Price(input=1, output=1, currency="CNY")))
    with pytest.raises(MldrError, match="c: priced in USD, another model in CNY"):
        budget.admit("c", endpoint(price=PRICE))
