from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.retrievers.decision import RULES, Rule, RuleName, fit, macro_f1, ranking
from tests.eval.support import unhurried

scores_of = st.lists(st.one_of(st.just(math.nan), st.integers(-4, 4).map(lambda n: n / 4)), min_size=1, max_size=12)


def array(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def test_a_threshold_keeps_what_is_above_it_and_not_what_equals_it() -> None:
    assert Rule("threshold", 0.5).kept(array(0.5, 0.6, math.nan, 0.51, -1)) == (1, 3)


def test_top_k_keeps_the_best_and_of_equals_the_smaller_id() -> None:
    assert Rule("top-k", 2).kept(array(0.1, 0.9, 0.9, 0.9)) == (1, 2)
    assert Rule("top-k", 9).kept(array(0.1, math.nan)) == (0,)
    assert Rule("top-k", 0).kept(array(0.1)) == ()


def test_a_gap_keeps_all_before_the_largest_drop() -> None:
    scores = array(0.2, 0.9, 0.85, 0.3, 0.25)
    assert Rule("gap", 5).kept(scores) == (1, 2)
    assert Rule("gap", 1).kept(scores) == (1,)
    assert Rule("gap", 3).kept(array(0.4)) == (0,)
    assert Rule("gap", 3).kept(array(math.nan, math.nan)) == ()
    assert Rule("gap", 3).kept(array(0.9, 0.6, 0.3)) == (0,), "of equal drops the first"


def test_what_is_no_candidate_is_never_kept_and_ranks_are_stable() -> None:
    assert ranking(array(0.5, math.nan, 0.7, 0.5)).tolist() == [2, 0, 3]
    for name in RULES:
        assert Rule(name, -1 if name == "threshold" else 9).kept(array(math.nan, math.nan)) == ()


@unhurried
@given(scores_of, st.sampled_from(RULES), st.integers(0, 6))
def test_every_rule_keeps_a_head_of_the_ranking(values: list[float], name: RuleName, value: int) -> None:
    scores = array(*values)
    kept = Rule(name, value / 4 if name == "threshold" else value).kept(scores)
    assert set(kept) == set(ranking(scores)[: len(kept)].tolist())
    assert list(kept) == sorted(set(kept))


def brute_f1(kept: set[int], gold: frozenset[int]) -> float:
    if not kept and not gold:
        return 1.0
    return 2 * len(kept & gold) / (len(kept) + len(gold))


@unhurried
@given(st.lists(st.tuples(scores_of, st.sets(st.integers(0, 11))), min_size=1, max_size=6))
def test_the_fitted_rule_is_the_best_of_those_that_were_tried(drawn: list[tuple[list[float], set[int]]]) -> None:
    rows = [(array(*values), frozenset(i for i in gold if i < len(values))) for values, gold in drawn]
    rule = fit(rows)
    assert rule is not None
    best = float(np.mean([brute_f1(set(rule.kept(scores)), gold) for scores, gold in rows]))
    assert macro_f1(rows, rule) == pytest.approx(best)
    others = [Rule("threshold", t / 4) for t in range(-4, 5)] if _spread(rows) else []
    for other in [*others, *(Rule("top-k", k) for k in range(13)), *(Rule("gap", m) for m in range(1, 13))]:
        mean = float(np.mean([brute_f1(set(other.kept(scores)), gold) for scores, gold in rows]))
        assert mean <= best + 1e-12, other


def _spread(rows: list[tuple[np.ndarray[tuple[int], np.dtype[np.float64]], frozenset[int]]]) -> bool:
    """Say whether quantiles of the scores are the scores themselves: few distinct ones and enough of each."""
    seen = np.concatenate([scores[~np.isnan(scores)] for scores, _ in rows])
    return set(np.quantile(seen, np.linspace(0, 1, 100)).tolist()) >= set(seen.tolist()) if len(seen) else True


def test_of_rules_that_do_equally_well_the_simplest_is_taken() -> None:
    rule = fit([(array(0.9, 0.1), frozenset({0}))])
    assert rule is not None
    assert rule.name == "threshold"
    assert fit([(array(0.9, 0.1), frozenset({0}))], ("gap",)) == Rule("gap", 1)


def test_nothing_is_fitted_where_nothing_was_asked() -> None:
    assert fit([]) is None
    assert fit([(array(), frozenset())]) is None
    assert fit([(array(math.nan), frozenset())], ("threshold",)) is None


def test_where_everything_is_gold_nothing_is_cut_off_on_other_dialogues_either() -> None:
    rule = fit([(array(0.2, 0.4), frozenset({0, 1}))], least=0.0)
    assert rule == Rule("threshold", 0.0)


def test_a_rule_is_written_as_it_is() -> None:
    assert Rule("threshold", 1 / 3).described() == {"rule": "threshold", "value": 0.333333}
