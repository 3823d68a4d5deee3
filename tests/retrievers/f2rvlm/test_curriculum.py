"""The curriculum: each query once, easy to hard, the same for the same seed; and the walk that keeps its order."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mldr.retrievers.f2rvlm.curriculum import Schedule, Walk, informative, order
from mldr.retrievers.f2rvlm.levels import EASY_TO_HARD, Level

LEVELS = st.dictionaries(st.text(max_size=6), st.sampled_from(EASY_TO_HARD), max_size=60)
SETTINGS = st.builds(Schedule, enabled=st.booleans(), start=st.floats(0, 1))


def flat(stages: list[list[str]]) -> list[str]:
    return [one for stage in stages for one in stage]


def numbered(**counts: int) -> dict[str, Level]:
    return {f"{level}-{i}": level for level in EASY_TO_HARD for i in range(counts.get(level, 0))}


@given(LEVELS, st.integers(), SETTINGS)
def test_each_query_comes_once_in_an_epoch(levels: dict[str, Level], seed: int, settings: Schedule) -> None:
    stages = order(levels, seed, settings)
    assert sorted(flat(stages)) == sorted(levels)
    assert all(stages)


@given(LEVELS, st.integers(), SETTINGS)
def test_the_same_seed_gives_the_same_order_however_the_levels_are_listed(
    levels: dict[str, Level], seed: int, settings: Schedule
) -> None:
    assert order(dict(reversed(levels.items())), seed, settings) == order(levels, seed, settings)


@given(LEVELS, st.integers(), st.floats(0, 1))
def test_levels_never_fall_within_the_start_nor_behind_it(levels: dict[str, Level], seed: int, start: float) -> None:
    stages = order(levels, seed, Schedule(start=start))
    ranks = [[EASY_TO_HARD.index(levels[one]) for one in stage] for stage in stages]
    warm = start > 0 and bool({"easy", "medium"} & set(levels.values()))
    rest = flat_ranks(ranks[1:] if warm else ranks)
    assert rest == sorted(rest)
    if warm:
        assert ranks[0] == sorted(ranks[0])
        assert set(ranks[0]) <= {0, 1}


def flat_ranks(ranks: list[list[int]]) -> list[int]:
    return [rank for stage in ranks for rank in stage]


@given(LEVELS.filter(bool), st.integers(), st.data())
def test_leaving_a_query_out_moves_no_other_within_its_level(
    levels: dict[str, Level], seed: int, drawn: st.DataObject
) -> None:
    gone = drawn.draw(st.sampled_from(sorted(levels)))
    fewer = {one: level for one, level in levels.items() if one != gone}
    settings = Schedule(start=0)
    assert flat(order(fewer, seed, settings)) == [one for one in flat(order(levels, seed, settings)) if one != gone]


def test_it_starts_with_a_tenth_of_easy_and_of_medium_and_brings_the_rest_easy_to_hard() -> None:
    stages = order(numbered(easy=30, medium=50, confusing=7, hard=9), seed=3)
    kinds = [[one.partition("-")[0] for one in stage] for stage in stages]
    assert kinds == [
        ["easy"] * 3 + ["medium"] * 5,
        ["easy"] * 27,
        ["medium"] * 45,
        ["confusing"] * 7,
        ["hard"] * 9,
    ]


def test_a_share_is_rounded_up_so_that_a_level_of_few_is_there_from_the_start() -> None:
    assert [len(stage) for stage in order(numbered(easy=1, medium=11), seed=0)] == [1 + 2, 9]
    assert [len(stage) for stage in order(numbered(easy=100), seed=0, settings=Schedule(start=0.07))] == [7, 93]


def test_stages_without_queries_are_left_out() -> None:
    assert [len(stage) for stage in order(numbered(hard=4), seed=0)] == [4]
    assert order({}, seed=0) == []
    assert order({}, seed=0, settings=Schedule(enabled=False)) == []


def test_without_a_curriculum_there_is_one_stage_that_mixes_the_levels() -> None:
    (stage,) = order(numbered(easy=50, hard=50), seed=0, settings=Schedule(enabled=False))
    first = [one.startswith("easy") for one in stage[:50]].count(True)
    assert 15 < first < 35


def test_another_seed_shuffles_anew() -> None:
    levels = numbered(easy=40)
    assert order(levels, 1) != order(levels, 2)


def test_another_process_with_other_hashing_of_strings_gives_the_same_order() -> None:
    code = (
        "from mldr.retrievers.f2rvlm.curriculum import order;"
        "print(order({f'{k}-{i}': k for k in ('hard', 'easy') for i in range(9)}, 5))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    }
    assert runs == {f"{order({f'{k}-{i}': k for k in ('hard', 'easy') for i in range(9)}, 5)}\n".encode()}


def test_an_unknown_level_stops_the_run() -> None:
    with pytest.raises(ValueError, match=r"unknown levels \['middle'\]"):
        order({"q": "middle"}, 0)  # type: ignore[dict-item]


@pytest.mark.parametrize("wrong", [{"start": 1.5}, {"start": -0.1}, {"start": float("nan")}, {"begin": 0.1}])
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Schedule.model_validate(wrong)


@given(LEVELS, st.lists(st.integers(0, 5), max_size=40))
def test_a_walk_hands_out_the_epoch_in_its_order_and_nothing_twice(levels: dict[str, Level], counts: list[int]) -> None:
    stages = order(levels, 0)
    walk = Walk.of(stages)
    taken = [one for count in counts for one in walk.take(count)]
    assert taken == flat(stages)[: len(taken)]
    assert walk.left == len(levels) - len(taken)


def test_a_walk_goes_on_from_a_checkpoint_with_the_next_id() -> None:
    stages = order(numbered(easy=20, hard=20), 0)
    walk = Walk.of(stages)
    walk.take(13)
    assert Walk.of(stages, walk.position).take(5) == walk.take(5)


def test_a_walk_at_its_end_gives_what_is_left_then_nothing() -> None:
    walk = Walk(["a", "b"])
    assert (walk.take(5), walk.take(1), walk.left) == (["a", "b"], [], 0)


def test_a_group_whose_rewards_are_all_alike_teaches_nothing() -> None:
    rewards = np.array([[0.5, 0.5, 0.5], [0.1 + 0.2, 0.3, 0.3], [0.0, 1.0, 0.0], [2.3, 2.3, 2.2]])
    assert informative(rewards).tolist() == [False, False, True, True]
