"""The defects of the released rewards and curriculum (I-2 and I-3 of our notes on that code), one test each.

Each test states the released behaviour, computed here in a line where that can be done, and fails if ours equals it.
"""

from __future__ import annotations

import math
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from mldr.embed import CachedEmbedder
from mldr.errors import InputError, MldrError
from mldr.retrievers.f2rvlm.curriculum import Schedule, Walk, informative, order
from mldr.retrievers.f2rvlm.entropy import mean_entropy
from mldr.retrievers.f2rvlm.grading import Grade, read_grades, write_grades
from mldr.retrievers.f2rvlm.levels import EASY_TO_HARD, Level, levels
from mldr.retrievers.f2rvlm.rewards import f1_reward, format_reward, order_reward
from mldr.retrievers.f2rvlm.scorer import Scorer
from mldr.retrievers.f2rvlm.vectors import VectorTable
from tests.conftest import small_rows, write_dataset
from tests.core.support_embed import Hashes, Spec
from tests.retrievers.f2rvlm.support_rewards import answer, drawn_vectors, target, vectors_of

THOUGHT = "<think>the boat is in 1 and 2</think><answer>{}</answer>"


def grade(query_id: str, f1: float, entropy: float, n_tokens: int = 20) -> Grade:
    return Grade(query_id, f1, entropy, n_tokens, "", f1, f1)


def test_defect_8_the_bare_answer_earns_the_format_reward_and_thinking_does_not() -> None:
    """Released: a second definition wins, 0 for the bare answer and 1 for think and answer tags."""
    bare = answer([1, 2], [0])
    assert format_reward([bare, THOUGHT.format(bare)]).tolist() == [1, 0]
    assert format_reward([answer([1, 1]), answer([], [0, 0])]).tolist() == [0, 0]  # no id twice


def test_defect_8_one_answer_can_earn_f1_and_format_together() -> None:
    """Released: what earns one earns nothing of the other."""
    bare, gold = [answer([1, 2], [0])], [target([1, 2], [0])]
    assert (f1_reward(bare, gold)[0], format_reward(bare)[0]) == (1, 1)


@pytest.mark.parametrize("over", ["relevant", "all"])
def test_defect_9_answers_of_text_alone_and_of_images_alone_are_coherent_too(over: str) -> None:
    """Released: 0 unless the answer has utterances and images both."""
    same = [1.0, 0.5]
    vectors = vectors_of([same, same, same], [(0, same), (2, same)])
    answers, targets = [answer([0, 1]), answer([], [0, 1])], [target([0, 1]), target([], [0, 1])]
    found = order_reward(answers, targets, [vectors] * 2, over=over)  # type: ignore[arg-type]
    assert found.tolist() == pytest.approx([1, 1])
    short = order_reward([answer([0]), answer([], [1])], [target([0]), target([], [1])], [vectors] * 2, over=over)  # type: ignore[arg-type]
    assert short.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("text", ["", "I cannot help.", answer()[:-3], "<|utt_ids_start|>[]<|utt_ids_end|>", "[]"])
@pytest.mark.parametrize("gold", [target(), target([1]), target([1], [0])])
def test_defect_10_an_unparsable_answer_earns_nothing_anywhere(text: str, gold: object) -> None:
    """Released: it counts as empty, and earns 1 beside an empty gold."""
    texts, golds, own = [text], [gold], [drawn_vectors(3, (0,))]
    earned = [
        f1_reward(texts, golds),  # type: ignore[arg-type]
        f1_reward(texts, golds, form="paper"),  # type: ignore[arg-type]
        order_reward(texts, golds, own),  # type: ignore[arg-type]
        order_reward(texts, golds, own, over="all"),  # type: ignore[arg-type]
        format_reward(texts),
    ]
    assert np.concatenate(earned).tolist() == [0] * 5


def test_defect_11_a_coherent_wrong_fragment_earns_nothing() -> None:
    """Released, and the papers' form here: gold does not count, the wrong fragment earns as much as the right one."""
    same, other = [1.0, 0.0], [0.0, 1.0]
    vectors = vectors_of([same, same, other, other])
    right, wrong = answer([0, 1]), answer([2, 3])
    gold = target([0, 1])
    assert order_reward([right, wrong], [gold] * 2, [vectors] * 2, over="all").tolist() == pytest.approx([1, 1])
    assert order_reward([right, wrong], [gold] * 2, [vectors] * 2).tolist() == pytest.approx([1, 0])


def test_defect_11_all_rewards_share_the_range_from_0_to_1() -> None:
    """Released: order consistency goes down to -1, so a right fragment can earn less than an unreadable one."""
    vectors = vectors_of([[1.0, 0.0], [-1.0, 0.0]])
    texts, golds = [answer([0, 1]), "unreadable"], [target([0, 1])] * 2
    right, unreadable = order_reward(texts, golds, [vectors] * 2)
    assert right >= unreadable == 0
    assert order_reward(texts, golds, [vectors] * 2, over="all")[0] == pytest.approx(-1)


@pytest.mark.parametrize("text", [answer([7, 8]), answer()])
def test_defect_12_an_answer_that_is_wrong_where_there_is_gold_is_not_paid_half_for_the_other_side_being_empty(
    text: str,
) -> None:
    """Released, and the papers' form here: 0.5 or near it for a wholly wrong list on a query of text alone."""
    gold = target([1, 2])
    assert f1_reward([text], [gold], form="paper")[0] == 0.5
    assert f1_reward([text], [gold])[0] == 0


def test_defect_12_a_repeated_id_counts_once() -> None:
    """Released: precision and recall divide by the length of the list, so repetition changes the F1."""
    gold = target([1, 2])
    assert f1_reward([answer([1, 2, 2, 2])], [gold])[0] == 1
    assert format_reward([answer([1, 2, 2, 2])])[0] == 0  # this is where repetition costs


def test_defect_13_rewards_take_the_columns_that_a_trainer_hands_over() -> None:
    """Released: a reward without **kwargs fails as soon as a column is passed."""
    scorer = Scorer({"q": target([0])}, {"q": "d"}, VectorTable({"d": drawn_vectors(2)}))
    columns = {"prompts": ["p"], "completion_ids": [[1]], "trainer_state": None, "dialogue_id": ["d"]}
    for reward, expected in zip(scorer.functions(), (1, 0.5, 1), strict=True):
        assert reward(completions=[answer([0])], query_id=["q"], **columns) == [expected]


def test_defect_13_an_error_in_a_reward_stops_the_run() -> None:
    """Released: a bare except turns it into 0."""
    with pytest.raises(ValueError, match="one entry a completion"):
        f1_reward([answer([0])] * 2, [target([0])])
    with pytest.raises(AttributeError):
        f1_reward([answer([0])], [None])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        format_reward([None])  # type: ignore[list-item]


def test_defect_14_a_missing_vector_is_an_error_that_names_it() -> None:
    """Released: the element is skipped, or the reward is 0."""
    with pytest.raises(MldrError, match="'d2' has no vectors"):
        VectorTable({"d1": drawn_vectors(2)}).of("d2")
    with pytest.raises(MldrError, match=r"gold utterances \[5\] have no vector"):
        order_reward([answer([0])], [target([0, 5])], [drawn_vectors(2)])


def test_defect_14_rewards_read_no_file_and_depend_on_no_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Released: one file is read for every element of every completion in every step, below ./MLDR."""
    dataset = write_dataset(tmp_path / "dataset", {"train_grpo": small_rows(0, "red")})
    embedder = Hashes(Spec())
    with CachedEmbedder(embedder, tmp_path / "vectors.sqlite") as cached:
        scorer = Scorer.of(dataset, "train_grpo", VectorTable.build(dataset, "train_grpo", cached, "pixels"))
    asked = len(embedder.asked)
    monkeypatch.chdir(tmp_path)
    for path in sorted(tmp_path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    ids = list(scorer.targets)
    before = [scorer.order([answer([0, 2], [0])] * len(ids), ids) for _ in range(2)]
    assert before[0] == before[1]
    assert max(before[0]) > 0
    assert len(embedder.asked) == asked


@pytest.mark.parametrize("around", ["{}\n", "\n{}", "  {} ", "Here it is:\n{}", THOUGHT])
def test_defect_15_a_line_break_behind_an_answer_costs_the_format_reward_alone(around: str) -> None:
    """Released: a trailing newline voids every reward."""
    text, gold = around.format(answer([0, 1])), target([0, 1])
    vectors = vectors_of([[1.0, 0.0], [1.0, 0.0]])
    assert f1_reward([text], [gold])[0] == 1
    assert order_reward([text], [gold], [vectors])[0] == pytest.approx(1)
    assert format_reward([text])[0] == 0


def test_defect_16_levels_follow_the_papers() -> None:
    """Released: the middle of the pack is confusing, a perfect but unsure answer hard."""
    rows = [
        grade("a", 1.0, 0.1),
        grade("b", 0.0, 0.1),
        grade("c", 0.0, 4.0),
        grade("d", 1.0, 4.0),
        grade("e", 0.5, 2.0),
    ]
    assert levels(rows) == {"a": "easy", "b": "hard", "c": "confusing", "d": "medium", "e": "medium"}
    assert levels(rows, "released") != levels(rows)


def test_defect_16_entropy_is_of_the_distributions_and_not_the_logarithm_of_the_length() -> None:
    """Released: ln of the number of tokens, whatever the model thought of them."""
    sure, unsure = [20.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]
    for n_tokens in (5, 20, 80):
        chosen = np.full(n_tokens, math.log(0.25))
        shares = np.exp(chosen) / np.exp(chosen).sum()
        assert -(shares * np.log(shares)).sum() == pytest.approx(math.log(n_tokens))  # the released figure
        assert mean_entropy([unsure] * n_tokens) == pytest.approx(math.log(4))
        assert mean_entropy([sure] * n_tokens) < 1e-6


@pytest.mark.parametrize("enabled", [True, False])
def test_defect_16_negatives_stay(enabled: bool, tmp_path: Path) -> None:
    """Released: easy and medium queries with empty gold are deleted before GRPO."""
    rows = [
        Grade.of(f"negative{i}", answer(), target(), entropy=0.1 * i, n_tokens=20)
        if i % 2
        else Grade.of(f"positive{i}", answer([i]), target([i, i + 1]), entropy=0.1 * i, n_tokens=20)
        for i in range(20)
    ]
    write_grades(tmp_path / "grades.parquet", rows)
    levelled = levels(read_grades(tmp_path / "grades.parquet"))
    assert "easy" in {levelled[one] for one in levelled if one.startswith("negative")}
    assert sorted(chain.from_iterable(order(levelled, 0, Schedule(enabled=enabled)))) == sorted(
        one.query_id for one in rows
    )


def test_defect_16_a_grade_that_is_wrong_is_told_and_none_is_lost(tmp_path: Path) -> None:
    """Released: any error drops the sample in silence; missing probabilities become 10."""
    with pytest.raises(InputError, match="query b: entropy is nan"):
        write_grades(tmp_path / "grades.parquet", [grade("a", 1, 1), grade("b", 1, math.nan)])
    with pytest.raises(MldrError, match="with the end token at least"):
        mean_entropy(np.zeros((0, 7)))


def test_defect_17_queries_are_known_by_their_id_alone() -> None:
    """Released: joined by mutual substring, so `boat` takes the level of `boat race`, and an empty query that of anything."""
    levelled: dict[str, Level] = {"boat race": "hard", "boat": "easy", "": "confusing"}
    assert order(levelled, 0) == [["boat"], [""], ["boat race"]]


def test_defect_17_training_starts_with_a_tenth_of_easy_and_medium() -> None:
    """Released: all of easy at once, a tenth of medium, half of confusing; the rest of those two never comes."""
    levelled: dict[str, Level] = {f"{level}{i}": level for level in EASY_TO_HARD for i in range(40)}
    stages = order(levelled, 0)
    assert [len(stage) for stage in stages] == [8, 36, 36, 40, 40]
    assert {one.rstrip("0123456789") for one in stages[0]} == {"easy", "medium"}


def test_defect_18_resampling_keeps_the_order_of_the_curriculum() -> None:
    """Released: a late group without variance is replaced from the head of the file, by an easy query that was there."""
    levelled: dict[str, Level] = {f"{level}{i}": level for level in EASY_TO_HARD for i in range(10)}
    stages = order(levelled, 0)
    expected = list(chain.from_iterable(stages))

    def rewards_of(one: str) -> list[float]:
        return [0.5, 0.5] if one.endswith(("3", "6")) else [0.0, 1.0]

    walk = Walk.of(stages)
    trained: list[str] = []
    for _ in expected:  # enough steps to end, whatever the walk does
        batch: list[str] = []
        for _ in expected:
            more = walk.take(4 - len(batch))
            useful = informative(np.array([rewards_of(one) for one in more]).reshape(-1, 2))
            batch += [one for one, kept in zip(more, useful, strict=True) if kept]
        trained += batch
    assert trained == [one for one in expected if not one.endswith(("3", "6"))]


def test_defect_18_thinking_before_an_answer_does_not_void_the_f1_reward() -> None:
    """Released: the script passes a think and answer system prompt, and F1 refuses what follows it."""
    text, gold = THOUGHT.format(answer([1])), target([1])
    assert f1_reward([text], [gold])[0] == 1


def test_defect_19_the_order_depends_on_the_seed_that_is_given_and_on_nothing_else() -> None:
    """Released: no seed anywhere."""
    levelled: dict[str, Level] = {f"q{i}": "easy" for i in range(30)}
    assert order(levelled, 1) == order(levelled, 1)
    assert order(levelled, 1) != order(levelled, 2)
