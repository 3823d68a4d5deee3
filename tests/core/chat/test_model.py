"""A model is asked over a server that fails in every way: the answers come, or a run stops so that it can go on."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mldr.chat import Budget, ChatAnswer, ChatModel, ModelEndpoint, ResponseStore, Unanswered
from mldr.errors import InputError, InterruptedRun, MldrError
from tests.core.chat.support import ask_all, ask_one, asked, endpoint, question
from tests.fakes.chat_server import FAULTS, ChatServer

TEXTS = [f"question {number}" for number in range(80)]


def echo(messages: list[dict[str, Any]], schema: dict[str, Any] | None) -> str:
    """Answer with the question's own words."""
    return json.dumps({"tag": messages[-1]["content"]})


@pytest.mark.parametrize("fault", [*FAULTS, "408", "409", "502", "503"])
def test_one_fault_of_any_kind_is_got_over_and_the_answer_paid_once(tmp_path: Path, fault: str) -> None:
    with ChatServer(echo, faults=[fault, fault]) as server:
        where = endpoint(server, timeout_s=0.3)
        answer = ask_one(tmp_path / "s.sqlite", where)
        assert (answer.value, answer.from_store) == ({"tag": "q"}, False)
        assert [one.fault for one in server.requests] == [fault, fault, None]
        again = ask_one(tmp_path / "s.sqlite", where)
        assert (again.value, again.text, again.usage) == (answer.value, answer.text, answer.usage)
        assert again.from_store
        assert server.count() == 3


def test_a_storm_of_faults_ends_whole_and_pays_for_nothing_twice(tmp_path: Path) -> None:
    with ChatServer(echo) as calm:
        undisturbed = ask_all(tmp_path / "calm.sqlite", endpoint(calm), TEXTS)
    with ChatServer(echo, chance=0.5, seed=5) as server:
        answers = ask_all(tmp_path / "s.sqlite", endpoint(server, timeout_s=0.3), TEXTS)
        assert answers == undisturbed
        assert {one.fault for one in server.requests} > {"hang", "cut", "429", "half_json", "refusal"}
        assert server.paid == Counter(TEXTS)


@pytest.mark.parametrize("fault", ["429", "500", "hang", "closed", "cut", "bad_body"])
def test_a_server_that_stays_broken_stops_the_run_which_goes_on_later(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(echo, faults=[None] + [fault] * 12) as server:
        where = endpoint(server, retries=2, timeout_s=0.1, concurrency=1)
        first = ask_all(path, where, TEXTS[:5])
        assert isinstance(first[0], ChatAnswer)
        for error in first[1:]:
            assert isinstance(error, InterruptedRun)
            assert not isinstance(error, Unanswered)
            assert error.exit_code == 3
            assert "fake/m: the server failed 3 times in a row" in str(error)
            assert "run again to go on" in str(error)
            assert "\n" not in str(error)
        second = ask_all(path, where, TEXTS[:5])
        assert [one.value["tag"] for one in second if isinstance(one, ChatAnswer)] == TEXTS[:5]
        assert server.paid == Counter(TEXTS[:5])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("half_json", "malformed"),
        ("other_schema", "schema"),
        ("empty", "empty"),
        ("refusal", "refused"),
        ("length", "length"),
    ],
)
def test_a_model_that_never_answers_well_is_unanswered_with_the_reason(tmp_path: Path, fault: str, reason: str) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(echo, faults=[fault] * 6) as server:
        where = endpoint(server, retries=1)
        for requests in (2, 4):  # not kept: asked anew
            with pytest.raises(Unanswered) as error:
                ask_one(path, where)
            assert (error.value.reason, error.value.exit_code, server.count()) == (reason, 3, requests)
        for _ in range(2):  # kept: asked no more
            with pytest.raises(Unanswered) as kept:
                ask_one(path, where, keep_failure=True)
            assert (kept.value.reason, server.count()) == (reason, 6)
        with pytest.raises(Unanswered):
            ask_one(path, where, keep_failure=True, offline=True)
        assert ask_one(path, where).value == {"tag": "q"}  # who does not take the failure asks again
        assert ask_one(path, where, keep_failure=True).from_store


def test_an_unusable_answer_bumps_the_seed_that_is_sent_and_not_the_key(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(echo, faults=["empty", "500", "empty"]) as server:
        where = endpoint(server, seed=7)
        ask_one(path, where)
        seeds = [one.body["seed"] for one in server.requests]
        assert seeds[0] == 7
        assert seeds[1] == seeds[2]  # a fault of the server is no answer: the same is asked again
        assert len(set(seeds)) == 3
        assert ask_one(path, where).from_store
    with ResponseStore(path) as store:
        (row,) = store
        assert json.loads(row.request)["seed"] == 7


@pytest.mark.parametrize("seed", [None, 7])
def test_samples_are_different_answers_and_shift_the_seed(tmp_path: Path, seed: int | None) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(echo) as server:
        for sample in (0, 1, 0, 1):
            ask_one(path, endpoint(server, seed=seed), sample=sample)
        assert [one.body.get("seed") for one in server.requests] == ([None, None] if seed is None else [7, 8])


def test_equal_questions_at_the_same_time_are_one_request(tmp_path: Path) -> None:
    budget = Budget()
    with ChatServer(echo, latency_s=0.05) as server:
        answers = ask_all(tmp_path / "s.sqlite", endpoint(server), ["same"] * 10 + ["other"], budget)
        assert server.count() == 2
    assert [one.value["tag"] for one in answers if isinstance(one, ChatAnswer)] == ["same"] * 10 + ["other"]
    assert [one.from_store for one in answers if isinstance(one, ChatAnswer)] == [False] + [True] * 9 + [False]
    assert budget.total().requests == 2


def test_no_more_requests_are_in_flight_than_allowed(tmp_path: Path) -> None:
    with ChatServer(echo, latency_s=0.02, chance=0.3, kinds=["429", "500", "empty"]) as server:
        ask_all(tmp_path / "s.sqlite", endpoint(server, concurrency=3), TEXTS[:30])
        assert server.in_flight_most == 3


def test_a_moved_server_is_not_paid_again(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(echo) as here:
        ask_all(path, endpoint(here), TEXTS)
    with ChatServer(echo) as there:
        moved = endpoint(there, concurrency=1, timeout_s=1.0, retries=0)
        assert all(isinstance(one, ChatAnswer) and one.from_store for one in ask_all(path, moved, TEXTS))
        ask_one(path, endpoint(there, provider="other"), TEXTS[0])
        ask_one(path, endpoint(there, temperature=0.5), TEXTS[0])
        assert there.count() == 2


def test_offline_serves_what_is_there_and_counts_what_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(echo) as server:
        where = endpoint(server)
        ask_all(path, where, TEXTS[:3])
        nowhere = endpoint(key_env="NO_SUCH_KEY")
        answers = ask_all(path, nowhere, TEXTS[:5], offline=True)
        assert server.count() == 3
    assert [type(one) for one in answers] == [ChatAnswer] * 3 + [InputError] * 2
    assert "missing so far: 2 of step tag; run without --offline" in str(answers[-1])
    assert str(path) in str(answers[-1])


def test_holds_says_what_a_run_would_not_pay_for(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with ChatServer(echo, modes=["prompt"]) as server:
        where = endpoint(server)
        ask_one(path, where, "here")
    with ResponseStore(path, readonly=True) as store:
        model = ChatModel(where, store, offline=True)
        assert (model.holds(question("here")), model.holds(question("here"), sample=1)) == (True, False)
        assert repr(model) == "ChatModel(fake/m)"


def test_an_answer_in_the_store_that_was_tampered_with_is_an_error(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "s.sqlite"
    with ChatServer(echo) as server:
        ask_one(path, endpoint(server))
    with sqlite3.connect(path) as other:
        other.execute("""UPDATE responses SET text = '{"tag": 3}'""")
    other.close()
    with pytest.raises(InputError, match="is not what was kept"):
        ask_one(path, endpoint())


def test_a_question_that_is_no_unicode_or_empty_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tag, message 1, character 2: half of a surrogate pair"):
        ask_one(tmp_path / "s.sqlite", endpoint(), "ab\ud800")


def test_a_model_can_be_used_again_in_another_event_loop(tmp_path: Path) -> None:
    with ChatServer(echo) as server, ResponseStore(tmp_path / "s.sqlite") as store:
        model = ChatModel(endpoint(server, concurrency=2), store, backoff_s=0.01)

        async def batch(texts: list[str]) -> list[ChatAnswer | BaseException]:
            async with model:
                return await asked(model, texts)

        for texts in (TEXTS[:10], TEXTS[10:20], TEXTS):
            answers = asyncio.run(batch(texts))
            assert [one.value["tag"] for one in answers if isinstance(one, ChatAnswer)] == texts
        assert server.count() == len(TEXTS)


def test_settings_that_move_nothing_keep_the_answers_and_a_bad_price_is_said_early(tmp_path: Path) -> None:
    unpriced = ModelEndpoint(provider="fake", model="m", key_env="")
    with ResponseStore(tmp_path / "s.sqlite") as store, pytest.raises(MldrError, match=r"models\.w: has no price"):
        ChatModel(unpriced, store, Budget(1.0), name="models.w")
