"""Levels: the papers' quartile rule against its definition, its ties, and the released rule beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import InputError
from mldr.retrievers.f2rvlm.grading import Grade
from mldr.retrievers.f2rvlm.levels import Level, Rule, levels

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 9)), min_size=1, max_size=30)


def grades(pairs: Sequence[tuple[float, float]], n_tokens: Sequence[int] = ()) -> list[Grade]:
    """Return a grade for each (F1, entropy), both modalities of the same F1."""
    tokens = n_tokens or [20] * len(pairs)
    return [Grade(f"q{i:03}", f, h, n, "", f, f) for i, ((f, h), n) in enumerate(zip(pairs, tokens, strict=True))]


def told(pairs: Sequence[tuple[float, float]], rule: Rule = "paper", n_tokens: Sequence[int] = ()) -> list[Level]:
    return list(levels(grades(pairs, n_tokens), rule).values())


def quartile(values: list[float], share: float) -> float:
    """The quantile by its definition: linear between the two neighbours of the rank."""
    rank = share * (len(values) - 1)
    below, ordered = int(rank), sorted(values)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (rank - below) * (ordered[above] - ordered[below])


@given(PAIRS.filter(lambda pairs: len({f for f, _ in pairs}) > 3 and len({h for _, h in pairs}) > 3))
def test_the_papers_rule_is_its_definition(pairs: list[tuple[float, float]]) -> None:
    f_values, h_values = [f for f, _ in pairs], [h for _, h in pairs]
    f25, f75 = (quartile(f_values, share) for share in (0.25, 0.75))
    h25, h75 = (quartile(h_values, share) for share in (0.25, 0.75))
    for (f, h), level in zip(pairs, told(pairs), strict=True):
        if any(abs(x - edge) < 1e-9 for x, edge in ((f, f25), (f, f75), (h, h25), (h, h75))):
            continue  # on a quartile itself, rounding decides
        if f > f75 and h < h25:
            assert level == "easy"
        elif f < f25 and h > h75:
            assert level == "confusing"
        elif f < f25 and h < h25:
            assert level == "hard"
        else:
            assert level == "medium"


def test_the_four_corners_and_the_middle() -> None:
    corners = [(1.0, 0.1), (0.0, 0.1), (0.0, 4.0), (1.0, 4.0), (0.5, 2.0)]
    assert told(corners) == ["easy", "hard", "confusing", "medium", "medium"]


@given(PAIRS, st.sampled_from(["paper", "released"]))
def test_every_query_gets_one_level_whatever_the_order(pairs: list[tuple[float, float]], rule: Rule) -> None:
    rows = grades(pairs)
    found = levels(rows, rule)
    assert list(found) == [row.query_id for row in rows]
    assert levels(rows[::-1], rule) == found


@given(PAIRS)
def test_a_perfect_answer_is_never_hard_and_a_worthless_one_never_easy(pairs: list[tuple[float, float]]) -> None:
    for (f, _), level in zip(pairs, told(pairs), strict=True):
        assert not (f == 1 and level in ("hard", "confusing"))
        assert not (f == 0 and level == "easy")


def test_where_the_model_fails_everywhere_nothing_is_easy() -> None:
    assert told([(0.0, h) for h in (1, 2, 3, 4, 5)]) == ["hard", "hard", "medium", "confusing", "confusing"]


def test_where_the_model_is_right_everywhere_nothing_is_hard() -> None:
    assert told([(1.0, h) for h in (1, 2, 3, 4, 5)]) == ["easy", "easy", "medium", "medium", "medium"]


def test_the_released_rule_calls_a_perfect_answer_hard_where_it_is_long_and_most_others_confusing() -> None:
    pairs, tokens = [(1.0, 0.1), (0.2, 0.1), (0.6, 0.1), (0.9, 0.1), (0.0, 0.1)], [90, 20, 30, 10, 15]
    assert told(pairs, "released", tokens) == ["hard", "confusing", "confusing", "easy", "hard"]


def test_the_released_rule_looks_at_the_length_and_not_at_the_entropy() -> None:
    tokens = [90, 20, 30, 10, 15]
    f = (1.0, 0.2, 0.6, 0.9, 0.0)
    sure, unsure = [(x, 0.0) for x in f], [(x, float(i)) for i, x in enumerate(f)]
    assert told(sure, "released", tokens) == told(unsure, "released", tokens)


def test_the_released_rule_takes_the_plain_mean_of_the_two_f1() -> None:
    text_only_and_wrong = Grade("wrong", 0.0, 1.0, 20, "", 0.0, 1.0)  # its mean is 0.5
    others = [Grade(f"q{i}", f, 1.0, 20, "", f, f) for i, f in enumerate((0.1, 0.2, 0.3, 0.4))]
    assert levels([text_only_and_wrong, *others], "released")["wrong"] == "easy"
    assert levels([text_only_and_wrong, *others], "paper")["wrong"] != "easy"


def test_no_grades_have_no_levels() -> None:
    assert levels([]) == {}


def test_a_query_that_stands_twice_is_refused() -> None:
    with pytest.raises(InputError, match="query q000: stands twice"):
        levels([*grades([(0.5, 1)]), *grades([(0.5, 1)])])


def test_an_unknown_rule_stops_the_run() -> None:
    with pytest.raises(ValueError, match="rule is 'mine'"):
        told([(0.0, 0.0)], "mine")  # type: ignore[arg-type]


def test_a_quarter_of_independent_answers_is_extreme_in_each_direction() -> None:
    draw = np.random.default_rng(0)
    found = told(list(zip(draw.random(4000).tolist(), draw.random(4000).tolist(), strict=True)))
    for level in ("easy", "hard", "confusing"):
        assert 0.05 < found.count(level) / 4000 < 0.075  # a quarter of a quarter
