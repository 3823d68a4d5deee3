"""Order consistency: its equation, its cases, and what a missing vector does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import MldrError
from mldr.retrievers.f2rvlm.rewards import Target, order_reward
from mldr.retrievers.f2rvlm.vectors import DialogueVectors
from tests.retrievers.f2rvlm.support_rewards import answer, drawn_vectors, slow_order, target, vectors_of

IDS = st.lists(st.integers(-1, 8), max_size=8)
CASE = st.tuples(
    st.one_of(st.builds(answer, IDS, IDS), st.just("no answer")),
    st.frozensets(st.integers(0, 5)),
    st.frozensets(st.integers(0, 3)),
    st.integers(0, 2),
)


def one(text: str, gold: Target, vectors: DialogueVectors, over: str = "relevant") -> float:
    return float(order_reward([text], [gold], [vectors], over=over)[0])  # type: ignore[arg-type]


@given(st.lists(CASE, max_size=10), st.sampled_from(["relevant", "all"]))
def test_it_equals_its_equation_computed_one_answer_at_a_time(
    cases: list[tuple[str, frozenset[int], frozenset[int], int]], over: str
) -> None:
    dialogues = [drawn_vectors(6, (0, 2, 2, 5), seed) for seed in range(3)]
    answers, own = [case[0] for case in cases], [dialogues[case[3]] for case in cases]
    targets = [Target(case[1], case[2]) for case in cases]
    expected = [slow_order(*case, over) for case in zip(answers, targets, own, strict=True)]
    found = order_reward(answers, targets, own, over=over)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@given(IDS, IDS, st.frozensets(st.integers(0, 5)), st.frozensets(st.integers(0, 3)))
def test_the_order_in_which_ids_are_named_does_not_matter(
    utterances: list[int], images: list[int], gold: frozenset[int], gold_images: frozenset[int]
) -> None:
    vectors, held = drawn_vectors(6, (0, 2, 2, 5)), Target(gold, gold_images)
    for over in ("relevant", "all"):
        backwards = one(answer(utterances[::-1], images[::-1]), held, vectors, over)
        assert one(answer(utterances, images), held, vectors, over) == backwards


@given(CASE)
def test_ours_lies_between_0_and_1_and_a_right_element_is_never_worth_less_than_none(
    case: tuple[str, frozenset[int], frozenset[int], int],
) -> None:
    reward = one(case[0], Target(case[1], case[2]), drawn_vectors(6, (0, 2, 2, 5), case[3]))
    assert 0 <= reward <= 1


def test_neighbours_are_compared_in_dialogue_order_an_image_behind_the_text_of_its_utterance() -> None:
    a, b, c = [1.0, 0, 0], [1.0, 1, 0], [0, 1.0, 0]
    vectors = vectors_of([a, c], [(0, b)])
    assert one(answer([1, 0], [0]), target([0, 1], [0]), vectors) == pytest.approx(0.5**0.5)  # a b c, not a c b


def test_several_images_of_one_utterance_are_one_element() -> None:
    vectors = vectors_of([[1.0, 0], [0, 1.0]], [(1, [1.0, 0]), (1, [0, 1.0])])
    assert one(answer([0], [0, 1]), target([0], [0, 1]), vectors) == pytest.approx(0.5**0.5)
    assert one(answer([], [0, 1]), target([], [0, 1]), vectors) == 0.5


def test_of_the_images_of_an_utterance_only_the_retrieved_ones_are_averaged() -> None:
    vectors = vectors_of([[1.0, 0], [0, 1.0]], [(1, [1.0, 0]), (1, [0, 1.0])])
    assert one(answer([0], [0]), target([0], [0]), vectors) == pytest.approx(1)


@pytest.mark.parametrize("over", ["relevant", "all"])
@pytest.mark.parametrize(
    ("text", "gold", "reward"),
    [
        (answer(), target(), 1),
        (answer(), target([0]), 0),
        (answer(), target([], [0]), 0),
        (answer([0]), target(), 0),
        (answer([], [0]), target(), 0),
        (answer([99]), target(), 0),
        (answer([0]), target([0]), 0.5),
        (answer([], [0]), target([], [0]), 0.5),
        (answer([99], [-1]), target([0]), 0),
        ("nothing", target(), 0),
    ],
)
def test_the_cases_that_are_no_mean(text: str, gold: Target, reward: float, over: str) -> None:
    assert one(text, gold, drawn_vectors(4, (0, 1)), over) == reward


def test_of_the_papers_form_a_mean_below_zero_stays() -> None:
    vectors = vectors_of([[1.0, 0], [-1.0, 0]])
    assert one(answer([0, 1]), target([0, 1]), vectors, "all") == pytest.approx(-1)
    assert one(answer([0, 1]), target([0, 1]), vectors) == 0


def test_wrong_elements_between_right_ones_are_left_out_of_ours() -> None:
    vectors = vectors_of([[1.0, 0], [0, 1.0], [1.0, 0]])
    assert one(answer([0, 1, 2]), target([0, 2]), vectors) == pytest.approx(1)
    assert one(answer([0, 1, 2]), target([0, 2]), vectors, "all") == pytest.approx(0)


def test_utterances_without_text_are_no_elements_and_do_not_make_an_answer() -> None:
    vectors = vectors_of([[1.0, 0], [np.nan, np.nan], [1.0, 0]])
    assert one(answer([0, 1, 2]), target([0, 2]), vectors, "all") == pytest.approx(1)
    assert one(answer([1]), target(), vectors) == 1


def test_gold_without_a_vector_stops_the_run() -> None:
    vectors = vectors_of([[1.0, 0], [np.nan, np.nan]], [(0, [1.0, 0])])
    for gold, what in (
        (target([1]), r"utterances \[1\]"),
        (target([7]), r"utterances \[7\]"),
        (target([], [1]), r"images \[1\]"),
    ):
        with pytest.raises(MldrError, match=f"gold {what} have no vector"):
            one("nothing", gold, vectors)


def test_vectors_of_two_spaces_stop_the_run() -> None:
    with pytest.raises(MldrError, match=r"vectors of \[3, 5\] dimensions"):
        order_reward([answer()] * 2, [target()] * 2, [drawn_vectors(2, width=5), drawn_vectors(2, width=3)])


def test_columns_that_are_not_parallel_stop_the_run() -> None:
    with pytest.raises(ValueError, match="vectors has 0"):
        order_reward([answer()], [target()], [])


def test_an_unknown_choice_of_elements_stops_the_run() -> None:
    with pytest.raises(ValueError, match="over is 'gold'"):
        one(answer(), target(), drawn_vectors(1), "gold")


def test_more_completions_than_a_block_are_scored_as_if_alone() -> None:
    dialogues = [drawn_vectors(9, (1, 4), seed) for seed in range(3)]
    draw = np.random.default_rng(7)
    answers = [answer(np.flatnonzero(draw.random(9) < 0.4).tolist(), [0]) for _ in range(1500)]
    targets = [target([1, 2, 3, 7], [0, 1])] * 1500
    own = [dialogues[i % 3] for i in range(1500)]
    whole = order_reward(answers, targets, own, over="all")
    alone = [one(*case, "all") for case in zip(answers, targets, own, strict=True)]
    np.testing.assert_allclose(whole, alone, atol=1e-6)


def test_no_completions_are_no_rewards() -> None:
    assert order_reward([], [], []).shape == (0,)
