"""Whole builds with a real server of a model on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.builders import create, load_recipe
from mldr.builders.check import check_recipe, preview_recipe
from mldr.builders.models import ModelAccess
from mldr.errors import InputError, InterruptedRun, MldrError
from mldr.progress import Progress
from mldr.verify import verify
from tests.builders.clerk_server import clerk_answers
from tests.builders.killing import build_words, endured
from tests.builders.support import corpus, tree_bytes
from tests.conftest import Command
from tests.fakes.chat_server import ChatServer

N = 18
KILLS = int(os.environ.get("MLDR_TEST_KILLS", "5"))


def model(server: ChatServer | None, **changed: Any) -> dict[str, Any]:
    endpoint = {
        "provider": "fake",
        "model": "clerk",
        "base_url": server.base_url if server else "http://127.0.0.1:9/v1",
        "key_env": "",
        "price": {"input": 10.0, "output": 30.0, "currency": "EUR"},
        "terms": "CC0-1.0",
        "retries": 8,
        "timeout_s": 20.0,
    }
    return {**endpoint, **changed}


def recipe_of(folder: Path, server: ChatServer | None, n: int = N, **changed: Any) -> Path:
    endpoint = changed.pop("endpoint", {})
    steps: dict[str, Any] = {
        "models": {"writer": model(server, **endpoint)},
        "stitch": {"model": "writer"},
        "tag": {"model": "writer"},
        "queries": {"model": "writer", "negatives": 1, "near": 1},
        "verify": {"model": "writer", "splits": ["test"]},
    }
    return corpus(folder, n, **{**steps, **changed})


def build(recipe: Path, out: Path, **options: Any) -> mldr.Dataset:
    return mldr.load(create(load_recipe(recipe), recipe.parent, out, **options))


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(clerk_answers()) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    with ChatServer(clerk_answers()) as running:
        build(recipe_of(folder / "in", running), folder / "out")
    return tree_bytes(folder / "out")


def test_a_set_made_by_a_model_verifies_and_says_who_made_it(tmp_path: Path, server: ChatServer) -> None:
    dataset = build(recipe_of(tmp_path / "in", server), tmp_path / "out")
    assert verify(dataset) == {}
    manifest = dataset.manifest
    assert set(manifest.model_usage) == {"stitch", "tag", "queries", "verify"}
    rows = sum(counts["dialogues"] for counts in manifest.counts.values())
    assert manifest.model_usage["stitch"]["requests"] == rows
    assert manifest.model_usage["stitch"]["cost"] > 0
    assert manifest.model_usage["stitch"]["currency"] == "EUR"
    golds = [gold for split in dataset.splits for gold in dataset.gold(split)]
    assert {gold.label_model for gold in golds if gold.label_source == "model"} == {"clerk"}
    metas = [json.loads(d.meta) for split in dataset.splits for d in dataset.dialogues(split)]
    assert all(meta["stitch"]["model"] == "clerk" and meta["stitch"]["attempt"] == 1 for meta in metas)
    assert manifest.verification["test"]
    assert "validation" not in manifest.verification


def test_every_request_that_was_kept_is_paid_once_and_a_second_build_asks_nothing(
    tmp_path: Path, server: ChatServer
) -> None:
    recipe = recipe_of(tmp_path / "in", server)
    first = build(recipe, tmp_path / "out")
    asked = server.count()
    second = build(recipe, tmp_path / "again", responses=tmp_path / "out.responses.sqlite", offline=True)
    assert server.count() == asked
    assert tree_bytes(first.folder) == tree_bytes(second.folder)
    assert sum(row["requests"] for row in first.manifest.model_usage.values()) == asked


def test_a_build_runs_beside_an_event_loop_as_in_a_notebook(
    tmp_path: Path, server: ChatServer, undisturbed: dict[str, bytes]
) -> None:
    async def notebook() -> None:
        build(recipe_of(tmp_path / "in", server), tmp_path / "out")

    asyncio.run(notebook())
    assert tree_bytes(tmp_path / "out") == undisturbed


def test_flagged_queries_stand_beside_the_dataset_with_both_answers(tmp_path: Path, server: ChatServer) -> None:
    dataset = build(recipe_of(tmp_path / "in", server), tmp_path / "out")
    flagged = [json.loads(line) for line in (tmp_path / "out.flagged.jsonl").read_text("utf-8").splitlines()]
    golds = {gold.query_id: gold for gold in dataset.gold("test")}
    asked = sum(row["asked"] for row in dataset.manifest.verification["test"].values())
    agreed = sum(row["agreed"] for row in dataset.manifest.verification["test"].values())
    assert len(flagged) == asked - agreed > 0
    for record in flagged:
        assert set(record) == {"query_id", "gold", "answer", "model"}
        assert list(golds[record["query_id"]].utterance_ids) == record["gold"]["utterance_ids"]
        assert not golds[record["query_id"]].verified
    assert sum(gold.verified for gold in golds.values()) == agreed
    assert not list((tmp_path / "out").rglob("*flagged*"))


FAULTS = ("429", "500", "closed", "cut", "bad_body", "half_json", "other_schema", "empty", "refusal")


def test_a_server_that_fails_in_every_way_changes_no_byte(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    with ChatServer(clerk_answers(), chance=0.3, kinds=FAULTS, seed=4) as running:
        recipe = recipe_of(tmp_path / "in", running)
        build(recipe, tmp_path / "out")
        assert sum(asked.fault is not None for asked in running.requests) > 20
        assert max(running.paid.values()) == 1
    assert tree_bytes(tmp_path / "out") == undisturbed


def test_a_server_that_hangs_is_left_after_its_time_and_the_run_goes_on(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    with ChatServer(clerk_answers(), faults=["hang", None, "hang"]) as running:
        build(recipe_of(tmp_path / "in", running, endpoint={"timeout_s": 0.5}), tmp_path / "out")
    assert tree_bytes(tmp_path / "out") == undisturbed


class Told(Progress):
    """Keeps the words beside the step."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_run_that_waits_for_a_failing_server_goes_on_saying_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mldr.builders.models.SECONDS_BETWEEN_NOTES", 0.02)
    told = Told()
    with ChatServer(clerk_answers(), faults=["500"] * 1000) as broken:
        recipe = recipe_of(tmp_path / "in", broken, endpoint={"retries": 1})
        with pytest.raises(InterruptedRun):
            build(recipe, tmp_path / "out", progress=told)
    assert any("failed" in note for note in told.notes)


def test_a_dead_server_stops_the_run_which_goes_on_where_it_was(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    with ChatServer(clerk_answers(), faults=[None] * 9 + ["500"] * 1000) as broken:
        recipe = recipe_of(tmp_path / "in", broken, endpoint={"retries": 1, "concurrency": 1})
        with pytest.raises(InterruptedRun) as raised:
            build(recipe, tmp_path / "out")
        assert raised.value.exit_code == 3
        paid = sum(broken.paid.values())
        assert paid == 9
    with ChatServer(clerk_answers()) as mended:
        recipe = recipe_of(tmp_path / "in", mended)
        build(recipe, tmp_path / "out")
        whole = sum(json.loads(undisturbed["manifest.json"])["model_usage"][s]["requests"] for s in ("stitch",))
        assert whole
        assert not set(mended.paid) & set(broken.paid)
    assert tree_bytes(tmp_path / "out") == undisturbed


def test_a_build_with_a_model_that_is_killed_goes_on_and_pays_again_only_for_what_was_under_way(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    concurrency = 2
    with ChatServer(clerk_answers(), latency_s=0.05) as running:
        recipe = recipe_of(tmp_path / "in", running, endpoint={"concurrency": concurrency})
        words = build_words(recipe, tmp_path / "out")
        endured(words, tmp_path / "out", undisturbed, kills=KILLS, seed=5, duration=4.0)
        assert sum(times - 1 for times in running.paid.values()) <= KILLS * concurrency


def test_a_spent_budget_stops_the_run_and_a_larger_one_goes_on(
    tmp_path: Path, server: ChatServer, undisturbed: dict[str, bytes]
) -> None:
    recipe = recipe_of(tmp_path / "in", server, endpoint={"max_tokens": 4096})
    with pytest.raises(InterruptedRun, match=r"budget of 0\.3 EUR"):
        build(recipe, tmp_path / "out", budget=0.3)
    assert server.count() > 0
    build(recipe, tmp_path / "out", budget=100.0)
    assert max(server.paid.values()) == 1
    assert tree_bytes(tmp_path / "out") == undisturbed


def test_a_model_that_always_refuses_one_dialogue_stops_the_run_after_the_others(tmp_path: Path) -> None:
    answers = clerk_answers()

    def stubborn(messages: list[dict[str, Any]], schema: dict[str, Any] | None) -> str:
        if "utterances" in (schema or {}).get("properties", {}) and "w0x0" in messages[1]["content"]:
            return ""
        return answers(messages, schema)

    with ChatServer(stubborn) as running:
        recipe = recipe_of(tmp_path / "in", running, endpoint={"retries": 1})
        with pytest.raises(InterruptedRun, match="1 dialogues have no usable answer") as raised:
            build(recipe, tmp_path / "out")
        assert "unanswered: give_up" in str(raised.value)
        recipe = recipe_of(tmp_path / "in", running, unanswered="give_up", endpoint={"retries": 1})
        dataset = build(recipe, tmp_path / "given", responses=tmp_path / "out.responses.sqlite")
    reasons = dataset.manifest.dropped
    assert any("stitched by rule" in reason for reason in reasons)


def test_offline_without_answers_says_what_is_missing(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path / "in", None)
    with pytest.raises(MldrError, match="no such response store"):
        build(recipe, tmp_path / "out", offline=True)


def test_a_translated_set_is_in_the_language_that_was_asked_for(tmp_path: Path, server: ChatServer) -> None:
    recipe = recipe_of(tmp_path / "in", server, stitch={"model": "writer", "language": "zh"})
    dataset = build(recipe, tmp_path / "out")
    assert {dialogue.language for split in dataset.splits for dialogue in dataset.dialogues(split)} == {"zh"}
    verify(dataset)


def test_the_price_before_is_of_the_size_of_the_price_after(tmp_path: Path, server: ChatServer) -> None:
    recipe = recipe_of(tmp_path / "in", server)
    priced = {row.step: row for row in check_recipe(load_recipe(recipe), recipe.parent).models}
    assert server.count() == 0
    usage = build(recipe, tmp_path / "out").manifest.model_usage
    assert set(priced) == set(usage)
    assert priced["stitch"].requests == usage["stitch"]["requests"]
    before = sum(row.cost or 0.0 for row in priced.values())
    after = sum(row["cost"] for row in usage.values())
    assert 0.3 < before / after < 3


def test_a_preview_asks_for_its_own_dialogues_only_and_the_build_finds_the_answers(
    tmp_path: Path, server: ChatServer
) -> None:
    recipe = recipe_of(tmp_path / "in", server)
    store = tmp_path / "kept.sqlite"
    texts = list(preview_recipe(load_recipe(recipe), recipe.parent, 1, ModelAccess(store)))
    assert len(texts) == 1
    assert "negative, near" in texts[0]
    asked = server.count()
    dataset = build(recipe, tmp_path / "out", responses=store)
    assert server.count() == sum(row["requests"] for row in dataset.manifest.model_usage.values())
    assert asked > 0


def test_nothing_secret_is_in_the_store_or_the_dataset(
    tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-very-secret-0123456789")
    build(recipe_of(tmp_path / "in", server, endpoint={"key_env": "SOME_KEY"}), tmp_path / "out")
    assert server.requests[0].headers["authorization"] == "Bearer sk-very-secret-0123456789"
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"sk-very-secret" not in path.read_bytes(), path
    with sqlite3.connect(tmp_path / "out.responses.sqlite") as connection:
        assert connection.execute("SELECT COUNT(*) FROM responses").fetchone()[0] > 0


def test_the_command_stops_with_three_at_its_budget(tmp_path: Path, server: ChatServer, command: Command) -> None:
    recipe = recipe_of(tmp_path / "in", server)
    arguments = ("mldr", "build", "create", str(recipe), "--out", str(tmp_path / "out"))
    code, _, err = command(*arguments, "--budget", "0.2")
    assert code == 3
    assert "larger --budget" in err
    assert command(*arguments)[0] == 0


def test_a_recipe_whose_model_has_no_price_keeps_no_budget(tmp_path: Path, server: ChatServer) -> None:
    recipe = recipe_of(tmp_path / "in", server, endpoint={"price": None})
    with pytest.raises(MldrError, match="has no price"):
        build(recipe, tmp_path / "out", budget=1.0)
    assert isinstance(build(recipe, tmp_path / "out"), mldr.Dataset)


def test_without_any_answer_that_holds_a_translated_set_is_refused_and_says_why(tmp_path: Path) -> None:
    with ChatServer() as nonsense:
        recipe = recipe_of(tmp_path / "in", nonsense, stitch={"model": "writer", "language": "zh", "attempts": 1})
        with pytest.raises(InputError, match="every dialogue was dropped"):
            build(recipe, tmp_path / "out")
