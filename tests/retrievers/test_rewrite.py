from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.errors import InputError, InterruptedRun, MldrError
from mldr.retrievers import run_retriever
from mldr.retrievers.making import make_retriever
from mldr.retrievers.protocol import Run
from mldr.retrievers.rewrite import LONGEST, Rewrite, one_line
from mldr.retrievers.runner import Asking
from tests.fakes.chat_server import ChatServer
from tests.retrievers.support import rows_of, steady
from tests.retrievers.vlm.reading_server import by_shared_words


def options(server: ChatServer, **more: Any) -> dict[str, Any]:
    return {"rewriter_model": "r", "rewriter_base_url": server.base_url, "rewriter_key_env": "", **more}


def run(dataset: mldr.Dataset, out: Path, name: str, server: ChatServer, **more: Any) -> list[dict[str, Any]]:
    words = {word: more.pop(word) for word in ("asking", "resume", "force") if word in more}
    run_retriever(name, dataset, "test", out, options=options(server, **more), **words)
    return sorted(rows_of(out), key=lambda row: str(row["query_id"]))


def told(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["meta"])["rewriter"]
    return found


def test_the_new_words_are_what_the_inner_system_is_asked(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    with ChatServer(lambda messages, schema: "word5") as server:
        rows = run(small_dataset, tmp_path / "p.jsonl", "rewrite+bm25", server, utterance_threshold=0.5)
        sent = {asked.body["messages"][1]["content"] for asked in server.requests}
    assert all(told(row)["asked"] == "word5" for row in rows)
    assert all(row["utterance_ids"] in ([5], []) for row in rows)
    assert told(rows[0])["outcome"] == "rewritten"
    assert told(rows[0])["model"] == "r"
    assert all("says" not in text for text in sent), "the dialogue is not shown"


def test_new_words_can_stand_behind_the_query(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    with ChatServer(lambda messages, schema: "word5") as server:
        rows = run(small_dataset, tmp_path / "p.jsonl", "rewrite+all", server, rewriter_how="append")
    assert all(told(row)["asked"].endswith("\nword5") and told(row)["asked"].startswith("word") for row in rows)


@pytest.mark.parametrize(
    ("fault", "outcome"), [("refusal", "refused"), ("empty", "empty"), ("closed", "failed"), ("500", "failed")]
)
def test_where_the_model_gives_nothing_the_query_stands(
    tmp_path: Path, small_dataset: mldr.Dataset, fault: str, outcome: str
) -> None:
    with ChatServer(lambda messages, schema: "fine", faults=[fault]) as server:
        out = tmp_path / "p.jsonl"
        rows = run(small_dataset, out, "rewrite+all", server, rewriter_concurrency=1, rewriter_retries=0)
    outcomes = [told(row)["outcome"] for row in rows]
    assert outcome in outcomes
    assert all(told(row)["asked"].startswith("word") for row in rows if told(row)["outcome"] != "rewritten")


def test_a_dead_server_stops_the_run_and_it_goes_on(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    out = tmp_path / "p.jsonl"
    with ChatServer(lambda messages, schema: "word1", faults=["500"] * 40) as server, pytest.raises(InterruptedRun):
        run(small_dataset, out, "rewrite+bm25", server, rewriter_retries=0)
    with ChatServer(lambda messages, schema: "word1") as server:
        run(small_dataset, out, "rewrite+bm25", server, resume=True)
        whole = steady(out)
        asked = server.count("chat")
        run(small_dataset, tmp_path / "again.jsonl", "rewrite+bm25", server)
        assert server.count("chat") == 2 * asked
    assert steady(tmp_path / "again.jsonl") == whole


def test_a_second_run_beside_its_store_asks_nothing(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    out = tmp_path / "p.jsonl"
    with ChatServer(lambda messages, schema: "word1") as server:
        run(small_dataset, out, "rewrite+bm25", server)
        first, before = steady(out), server.count("chat")
        run(small_dataset, out, "rewrite+bm25", server, force=True)
        assert server.count("chat") == before
    run_retriever(
        "rewrite+bm25",
        small_dataset,
        "test",
        out,
        options={"rewriter_model": "r", "rewriter_base_url": "http://127.0.0.1:9/v1", "rewriter_key_env": ""},
        asking=Asking(offline=True),
        force=True,
    )
    assert steady(out) == first


def test_it_stands_around_a_model_and_both_keep_their_answers(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    out = tmp_path / "p.jsonl"
    with ChatServer(lambda messages, schema: "says word2") as one, ChatServer(by_shared_words) as other:
        inner = {"model": "m", "base_url": other.base_url, "key_env": ""}
        rows = run(small_dataset, out, "rewrite+vlm-api", one, **inner)
    assert told(rows[0])["asked"] == "says word2"
    assert rows[0]["utterance_ids"]
    assert {path.name for path in tmp_path.glob("p.jsonl.*sqlite")} == {
        "p.jsonl.responses.sqlite",
        "p.jsonl.rewriter.responses.sqlite",
    }


def test_a_budget_is_shared_so_that_both_together_keep_it(tmp_path: Path) -> None:
    budgets: list[float] = []

    class Inner:
        sees = ("text",)

        def open(self, run: Run) -> None:
            budgets.append(run.budget or 0)

        def close(self) -> None:
            pass

        def retrieve(self, view: Any, asks: Any) -> Any:
            return iter(())

    made = Rewrite("all", rewriter_model="r", rewriter_price_input=1, rewriter_price_output=1, rewriter_key_env="")
    made.inner = Inner()  # type: ignore[assignment]
    made.open(Run(tmp_path / "p.jsonl", budget=10))
    own = made._model.budget.limit if made._model else None
    made.close()
    assert own is not None
    assert own + budgets[0] == pytest.approx(10)


def test_real_queries_go_to_no_endpoint_off_this_machine_without_consent(tmp_path: Path) -> None:
    made = Rewrite("all", rewriter_model="r", rewriter_base_url="https://api.example.org/v1", rewriter_key_env="")
    with pytest.raises(InputError, match="third_party_model"):
        made.open(Run(tmp_path / "p.jsonl", real=True))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('\n\n "the lake trip" \nbecause ...', "the lake trip"),
        ("「湖边的旅行」", "湖边的旅行"),
        ("\n \n", ""),
        ("x" * 9_999, "x" * (LONGEST - 3) + "..."),
        ("a\x00b", "a\\x00b"),
    ],
)
def test_of_what_a_model_writes_the_first_line_counts(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rewriter_how": "shout"}, "rewriter_how"),
        ({"rewriter_model": "r", "rewriter_base_url": "ftp://x"}, "base_url"),
        ({"rewriter_price_input": 1}, "go together"),
        ({"system": "oracle-topic"}, "oracle"),
    ],
)
def test_a_bad_option_is_told(options: dict[str, object], words: str) -> None:
    with pytest.raises(MldrError, match=words):
        make_retriever("rewrite", options)


def test_without_a_model_it_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="rewriter_model"):
        Rewrite("bm25").open(Run(tmp_path / "p.jsonl"))
