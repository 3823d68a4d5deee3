from __future__ import annotations

import json
from pathlib import Path

import mldr
from mldr.dialogue import Fragment
from mldr.eval import Evaluator
from mldr.retrievers import Gold, run_retriever
from mldr.retrievers.oracle import OracleTopic
from tests.retrievers.support import answer, rows_of, view

SEEN = view("a", "b", "c", "d", images=[(0, "x"), (3, "y")])


def oracle(*topics: tuple[str, tuple[int, ...], tuple[int, ...]], gold: tuple[set[int], set[int]]) -> OracleTopic:
    made = OracleTopic()
    fragments = [Fragment(str(n), "d", level, "t", "", utts, imgs) for n, (level, utts, imgs) in enumerate(topics)]  # type: ignore[arg-type]
    made.reveal(fragments, {"q": Gold(frozenset(gold[0]), frozenset(gold[1]))})
    return made


def test_the_topic_that_holds_most_of_the_answer_is_returned_whole() -> None:
    made = oracle(("topic", (0, 1), (0,)), ("topic", (2, 3), (1,)), gold=({1, 2, 3}, set()))
    assert answer(made, SEEN, "?") == ((2, 3), (1,))


def test_of_equals_the_smaller_topic_wins() -> None:
    made = oracle(("topic", (0, 1, 2), ()), ("topic", (2, 3), ()), gold=({2}, set()))
    assert answer(made, SEEN, "?") == ((2, 3), ())


def test_where_nothing_answers_nothing_is_returned() -> None:
    assert answer(oracle(("topic", (0, 1), ()), gold=(set(), set())), SEEN, "?") == ((), ())


def test_an_answer_outside_every_topic_gets_nothing() -> None:
    assert answer(oracle(("topic", (0, 1), ()), gold=({3}, set())), SEEN, "?") == ((), ())


def test_the_coarsest_level_of_a_dialogue_is_its_topics() -> None:
    made = oracle(("fine", (0,), ()), ("coarse", (0, 1), ()), gold=({0}, set()))
    assert answer(made, SEEN, "?") == ((0, 1), ())


def test_a_dialogue_without_fragments_gets_nothing() -> None:
    assert answer(oracle(gold=({0}, set())), SEEN, "?") == ((), ())


def test_it_beats_returning_everything_on_the_demo_and_every_row_says_that_it_is_an_oracle(
    tmp_path: Path, demo_dataset: mldr.Dataset
) -> None:
    evaluator = Evaluator(demo_dataset, "test")
    scores: dict[str, float] = {}
    for name in ("oracle-topic", "all"):
        run_retriever(name, demo_dataset, "test", tmp_path / name)
        scores[name] = evaluator.score(evaluator.read(tmp_path / name)).measures["joint_f1"].value or 0.0
    assert scores["oracle-topic"] > scores["all"] + 0.1
    metas = [json.loads(row["meta"]) for row in rows_of(tmp_path / "oracle-topic")]
    assert all(meta["oracle"] is True for meta in metas)
    assert not any("oracle" in json.loads(row["meta"]) for row in rows_of(tmp_path / "all"))


def test_a_resumed_run_of_the_oracle_is_shown_the_truth_of_what_is_left(
    tmp_path: Path, demo_dataset: mldr.Dataset
) -> None:
    run_retriever("oracle-topic", demo_dataset, "test", tmp_path / "whole")
    run_retriever("oracle-topic", demo_dataset, "test", tmp_path / "p", limit=3)
    run_retriever("oracle-topic", demo_dataset, "test", tmp_path / "p", resume=True)
    kept = [
        [(r["query_id"], r["utterance_ids"], r["image_ids"]) for r in rows_of(tmp_path / n)] for n in ("whole", "p")
    ]
    assert kept[0] == kept[1]
