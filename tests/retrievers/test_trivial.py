from __future__ import annotations

from pathlib import Path

import pytest

import mldr
from mldr.errors import MldrError
from mldr.eval import Evaluator
from mldr.retrievers import Gold, run_retriever
from mldr.retrievers.making import make_retriever
from mldr.retrievers.trivial import All, FirstK, Nothing, Random, Third
from tests.conftest import Command
from tests.retrievers.support import answer, asked, rows_of, steady, view


def test_all_returns_every_utterance_with_text_and_every_image() -> None:
    assert answer(All(), view("a", "", "c", images=[(1, ""), (2, "")]), "?") == ((0, 2), (0, 1))


def test_none_returns_nothing() -> None:
    assert answer(Nothing(), view("a", images=[(0, "")]), "?") == ((), ())


def test_random_draws_only_ids_that_exist_and_have_text() -> None:
    seen = view(*(["a", ""] * 50), images=[(0, "")] * 20)
    utterances, images = answer(Random(), seen, "?")
    assert set(utterances) < set(range(0, 100, 2))
    assert set(images) < set(range(20))
    assert utterances
    assert images


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 0), (1.0, 40)])
def test_a_chance_of_nought_or_one_is_no_chance(chance: float, expected: int) -> None:
    assert len(answer(Random(chance=chance), view(*["a"] * 40), "?")[0]) == expected


@pytest.mark.parametrize("dataset", ["small_dataset", "demo_dataset"])
def test_where_all_is_returned_f1_is_2p_over_1_plus_p(
    tmp_path: Path, request: pytest.FixtureRequest, dataset: str
) -> None:
    opened: mldr.Dataset = request.getfixturevalue(dataset)
    run_retriever("all", opened, "test", tmp_path / "all.jsonl")
    evaluator = Evaluator(opened, "test")
    given = evaluator.read(tmp_path / "all.jsonl")
    scores, counts = evaluator.score(given), evaluator.counts(given)
    for scope, column in (("utt", counts.utt), ("img", counts.img)):
        share = float((column.tp + column.fn).sum() / column.universe.sum())
        assert scores.measures[f"{scope}_p"].value == pytest.approx(share)
        assert scores.measures[f"{scope}_r"].value == 1.0
        assert scores.measures[f"{scope}_f1"].value == pytest.approx(2 * share / (1 + share))


def test_none_is_right_on_negatives_only(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    run_retriever("none", small_dataset, "test", tmp_path / "none.jsonl")
    evaluator = Evaluator(small_dataset, "test")
    scores = evaluator.score(evaluator.read(tmp_path / "none.jsonl"))
    assert scores.outcomes["empty"] == 4
    assert scores.measures["joint_f1"].value == 0.0
    assert scores.measures["utt_f1(avg=macro)"].value == 0.5  # the image query and the negative have no gold utterance
    assert scores.measures["img_f1(avg=macro)"].value == pytest.approx(1 / 3)


def random_rows(tmp_path: Path, dataset: mldr.Dataset, name: str, seed: int) -> list[dict[str, object]]:
    out = tmp_path / name
    run_retriever("random", dataset, "test", out, options={"seed": seed})
    return steady(out)


def test_random_gives_the_same_answers_with_the_same_seed(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    assert random_rows(tmp_path, small_dataset, "a", 3) == random_rows(tmp_path, small_dataset, "b", 3)


def test_random_answers_otherwise_with_another_seed(tmp_path: Path, small_dataset: mldr.Dataset) -> None:
    for name, seed in (("a", 3), ("b", 4)):
        random_rows(tmp_path, small_dataset, name, seed)
    first, second = ([row["utterance_ids"] for row in rows_of(tmp_path / name)] for name in ("a", "b"))
    assert first != second


def test_random_answers_queries_of_one_dialogue_differently(tmp_path: Path, demo_dataset: mldr.Dataset) -> None:
    run_retriever("random", demo_dataset, "test", tmp_path / "p.jsonl", limit=1)
    answers = [tuple(row["utterance_ids"]) for row in rows_of(tmp_path / "p.jsonl")]
    assert len(set(answers)) > 1


def test_the_seed_of_the_command_is_the_systems(tmp_path: Path, command: Command, small_dataset: mldr.Dataset) -> None:
    words = ["retrieve", "random", str(small_dataset.folder), "--split", "test", "--seed", "3", "--out"]
    assert command("mldr", *words, str(tmp_path / "c"))[0] == 0
    assert steady(tmp_path / "c") == random_rows(tmp_path, small_dataset, "a", 3)


def test_a_chance_that_is_no_number_is_refused_in_words() -> None:
    from mldr.retrievers.runner import make_retriever

    with pytest.raises(MldrError, match="chance"):
        make_retriever("random", {"chance": "often"})


# --- first-k and third: position alone


def test_first_k_returns_the_head_with_its_images() -> None:
    seen = view("a", "", "c", "d", images=[(1, ""), (3, "")])
    assert answer(FirstK(k=2), seen, "?") == ((0,), (0,))
    assert answer(FirstK(k=99), seen, "?") == ((0, 2, 3), (0, 1))


def test_first_k_takes_the_k_that_validation_likes_best_unless_it_is_given() -> None:
    seen = view(*"abcdefghij")
    examples = [(seen, asked("one", "two"), [Gold(frozenset({0, 1, 2}), frozenset())] * 2)]
    made, given = FirstK(), FirstK(k=7)
    assert made.fitted == {"k": 8}
    for one in (made, given):
        one.fit(examples)
    assert (made.fitted, given.fitted) == ({"k": 3}, {"k": 7})
    made.fit([])
    assert made.k == 3


def test_the_three_thirds_are_the_whole_dialogue() -> None:
    for count in range(8):
        seen = view(*"abcdefgh"[:count], images=[(i, "") for i in range(count)])
        parts = [answer(Third(part=part), seen, "?") for part in ("first", "middle", "last")]
        assert [i for utterances, _ in parts for i in utterances] == list(range(count))
        assert [i for _, images in parts for i in images] == list(range(count))


@pytest.mark.parametrize(("gold", "part"), [({0, 1}, "first"), ({3, 4, 5}, "middle"), ({8}, "last")])
def test_third_takes_the_part_that_validation_likes_best(gold: set[int], part: str) -> None:
    made = Third()
    made.fit([(view(*"abcdefghi"), asked("one"), [Gold(frozenset(gold), frozenset())])])
    assert made.fitted == {"part": part}
    assert set(answer(made, view(*"abcdefghi"), "another")[0]) >= gold


def test_images_count_in_what_validation_likes() -> None:
    seen = view("", "", "", "", "", "", images=[(5, "")])
    made = Third()
    made.fit([(seen, asked("one"), [Gold(frozenset(), frozenset({0}))])])
    assert made.part == "last"


@pytest.mark.parametrize(
    ("name", "options"), [("first-k", {"k": 0}), ("first-k", {"k": 1.5}), ("third", {"part": "second"})]
)
def test_bad_options_of_position_are_told(name: str, options: dict[str, object]) -> None:
    with pytest.raises(MldrError, match=next(iter(options))):
        make_retriever(name, options)
