from __future__ import annotations

import importlib
import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldr import statistics
from mldr.statistics import (
    FEW_CLUSTERS,
    MIN_CLUSTERS,
    Floats,
    bootstrap,
    group_sums,
    holm,
    permutation_test,
    resampled_sums,
    smallest_difference,
    t_quantile,
    widening,
)

stats: Any = importlib.import_module("scipy.stats")
"""The oracle; it has no type information."""
unhurried = settings(deadline=None)


def mean_of(sums: Floats) -> Floats:
    """The statistic of these tests: columns (total, count) -> their mean, NaN of nothing."""
    total, count = sums[:, :1], sums[:, 1:2]
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count != 0)


def mean_and_nothing(sums: Floats) -> Floats:
    return np.concatenate([mean_of(sums), np.full((len(sums), 1), np.nan)], axis=1)


def sums_of(values: list[int], counts: list[int] | None = None) -> Floats:
    counted = counts or [1] * len(values)
    return np.array([values, counted], dtype=np.float64).T


def spread(n_clusters: int, seed: int = 3) -> Floats:
    """Return clusters of different sizes with different means."""
    draw = np.random.default_rng(seed)
    counts = draw.integers(1, 9, n_clusters)
    return sums_of((counts * draw.integers(0, 11, n_clusters)).tolist(), counts.tolist())


def naive(sums: Floats, resamples: int, seed: int) -> list[float]:
    """Resample clusters in two plain loops, with the draws that a generator of this seed gives."""
    picks = np.random.default_rng(seed).integers(0, len(sums), size=(resamples, len(sums)))
    values = []
    for row in picks:
        total, count = 0.0, 0.0
        for cluster in row:
            total, count = total + sums[cluster, 0], count + sums[cluster, 1]
        values.append(total / count)
    return values


# --- sums


@unhurried
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-9, 9), st.integers(-9, 9))))
def test_group_sums_are_those_of_a_loop(rows: list[tuple[int, int, int]]) -> None:
    columns = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), 2)
    cluster = np.array([row[0] for row in rows], dtype=np.int64)
    expected = [[sum(row[1 + c] for row in rows if row[0] == k) for c in (0, 1)] for k in range(6)]
    assert group_sums(list(columns.T), cluster, 6).tolist() == expected


def test_no_columns_give_no_sums_for_each_cluster() -> None:
    assert group_sums([], np.array([0, 1, 1]), 2).shape == (2, 0)


@unhurried
@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 5))
def test_a_resample_draws_as_many_clusters_as_there_are(n_clusters: int, resamples: int, seed: int) -> None:
    weights = np.concatenate(list(resampled_sums(np.eye(n_clusters), resamples, seed)))
    assert weights.shape == (resamples, n_clusters)
    assert (weights.sum(axis=1) == n_clusters).all()
    assert (weights >= 0).all()
    assert (weights == np.round(weights)).all()


@pytest.mark.parametrize("cells", [1, 12, 13, 100, 1_000])
def test_blocks_of_resamples_hold_no_more_cells_than_allowed(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setattr(statistics, "_BLOCK_CELLS", cells)
    blocks = list(resampled_sums(np.eye(12), 100, 0))
    assert sum(len(block) for block in blocks) == 100
    assert max(len(block) for block in blocks) == min(100, max(1, cells // 12))


@pytest.mark.parametrize("cells", [1, 70, 1_000])
def test_resampling_in_blocks_gives_what_one_block_gives(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    sums = spread(23)
    whole = np.concatenate(list(resampled_sums(sums, 50, 9)))
    monkeypatch.setattr(statistics, "_BLOCK_CELLS", cells)
    blocks = np.concatenate(list(resampled_sums(sums, 50, 9)))
    assert blocks.tolist() == whole.tolist()


# --- the bootstrap


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_the_bootstrap_is_that_of_a_plain_loop_over_the_same_draws(seed: int) -> None:
    sums = spread(FEW_CLUSTERS)
    values = naive(sums, 400, seed)
    found = bootstrap(sums, mean_of, 400, seed)
    assert found.low[0] == pytest.approx(np.quantile(values, 0.025))
    assert found.high[0] == pytest.approx(np.quantile(values, 0.975))
    assert found.error[0] == pytest.approx(np.std(values, ddof=1))
    assert found.widened[0] == 1.0


@pytest.mark.parametrize("n_clusters", [10, 11, 20, 49])
def test_few_clusters_widen_the_interval_around_the_value(n_clusters: int) -> None:
    sums = spread(n_clusters)
    values, exact = naive(sums, 300, 0), float(sums[:, 0].sum() / sums[:, 1].sum())
    factor = stats.t.ppf(0.975, n_clusters - 1) * math.sqrt(n_clusters / (n_clusters - 1)) / stats.norm.ppf(0.975)
    found = bootstrap(sums, mean_of, 300, 0)
    assert found.low[0] == pytest.approx(exact - factor * (exact - np.quantile(values, 0.025)), abs=2e-3)
    assert found.high[0] == pytest.approx(exact + factor * (np.quantile(values, 0.975) - exact), abs=2e-3)
    assert found.widened[0] == pytest.approx(factor, abs=1e-3)


def test_the_standard_error_is_that_of_the_mean_of_clusters_of_one_size() -> None:
    values = np.random.default_rng(1).integers(0, 100, 200)
    found = bootstrap(sums_of(values.tolist()), mean_of, 4_000, 0)
    assert found.error[0] == pytest.approx(values.std() / math.sqrt(len(values)), rel=0.05)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_clusters", [1, 2, MIN_CLUSTERS - 1])
def test_below_ten_clusters_there_is_no_interval_and_no_error(n_clusters: int) -> None:
    found = bootstrap(spread(n_clusters), mean_of, 200)
    for column in (found.low, found.high, found.error, found.widened):
        assert np.isnan(column).all()


def test_each_measure_is_widened_by_the_clusters_that_it_stands_on() -> None:
    def thrice(sums: Floats) -> Floats:
        return np.repeat(mean_of(sums), 3, axis=1)

    found = bootstrap(spread(60), thrice, 200, clusters=np.array([60, 9, 20]))
    assert found.widened.tolist() == [1.0, pytest.approx(math.nan, nan_ok=True), widening(20)]
    assert np.isnan([found.low[1], found.high[1], found.error[1]]).all()
    assert found.low[2] < found.low[0] < found.high[0] < found.high[2]
    assert found.error[0] == found.error[2]


@pytest.mark.filterwarnings("error")
def test_a_measure_without_value_has_no_interval_and_disturbs_no_other() -> None:
    sums = spread(60)
    found, alone = bootstrap(sums, mean_and_nothing, 100), bootstrap(sums, mean_of, 100)
    assert np.isnan([found.low[1], found.high[1], found.error[1]]).all()
    assert (found.low[0], found.high[0]) == (alone.low[0], alone.high[0])
    assert found.error[0] == pytest.approx(alone.error[0])


@pytest.mark.filterwarnings("error")
def test_resamples_in_which_a_measure_has_no_value_are_left_out() -> None:
    sums = sums_of([6] + [0] * 59, [2] + [0] * 59)  # one cluster alone has anything to measure
    found = bootstrap(sums, mean_of, 300)
    assert found.low[0] == found.high[0] == 3.0
    assert found.error[0] == 0.0


def test_without_resamples_there_is_no_interval() -> None:
    assert np.isnan(bootstrap(spread(60), mean_of, 0).low).all()


def test_the_seed_decides_the_interval() -> None:
    sums = spread(60)
    first, again, other = (bootstrap(sums, mean_of, 100, seed) for seed in (5, 5, 6))
    assert (first.low[0], first.high[0]) == (again.low[0], again.high[0])
    assert (first.low[0], first.high[0]) != (other.low[0], other.high[0])


# --- Student's t


@pytest.mark.parametrize("freedom", [9, 10, 12, 15, 19, 30, 48, 200, 10_000])
def test_the_t_quantile_is_that_of_scipy_to_a_thousandth(freedom: int) -> None:
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=1e-3)


def test_widening_falls_with_the_number_of_clusters_and_ends_at_fifty() -> None:
    factors = [widening(count) for count in range(MIN_CLUSTERS, FEW_CLUSTERS)]
    assert factors == sorted(factors, reverse=True)
    assert factors[-1] > 1.0
    assert widening(FEW_CLUSTERS) == widening(10_000) == 1.0


# --- the permutation test

pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 3), st.integers(1, 3)), max_size=7)


@unhurried
@given(pairs.filter(bool))
def test_the_exact_p_is_that_of_trying_every_swap(rows: list[tuple[int, int, int, int]]) -> None:
    first, second = (sums_of([row[s] for row in rows], [row[s + 2] for row in rows]) for s in (0, 1))

    def difference(swaps: tuple[bool, ...]) -> float:
        one = [row[int(swap)] for row, swap in zip(rows, swaps, strict=True)]
        two = [row[1 - int(swap)] for row, swap in zip(rows, swaps, strict=True)]
        counts = [row[2 + int(swap)] for row, swap in zip(rows, swaps, strict=True)]
        others = [row[3 - int(swap)] for row, swap in zip(rows, swaps, strict=True)]
        return sum(one) / sum(counts) - sum(two) / sum(others)

    orders = list(itertools.product((False, True), repeat=len(rows)))
    observed = abs(difference(orders[0]))
    extreme = sum(abs(difference(order)) >= observed - 1e-12 for order in orders)
    found = permutation_test(first, second, mean_of)
    assert found.exact
    assert found.p[0] == pytest.approx(extreme / len(orders))


@unhurried
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=8))
def test_the_exact_p_of_a_mean_difference_is_that_of_scipy(rows: list[tuple[int, int]]) -> None:
    first, second = ([row[side] for row in rows] for side in (0, 1))
    expected = stats.permutation_test(
        (np.array(first), np.array(second)),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    )
    found = permutation_test(sums_of(first), sums_of(second), mean_of)
    assert found.p[0] == pytest.approx(expected.pvalue)


def test_drawn_permutations_come_near_to_the_exact_p() -> None:
    first = sums_of([5, 3, 6, 2, 7, 5, 4, 6, 3, 5, 6, 4])
    second = sums_of([4, 4, 5, 3, 5, 5, 3, 5, 4, 4, 5, 4])
    exact = permutation_test(first, second, mean_of)
    drawn = permutation_test(first, second, mean_of, permutations=4_000, seed=1)
    assert exact.exact
    assert not drawn.exact
    assert drawn.p[0] == pytest.approx(exact.p[0], abs=0.04)


@unhurried
@given(st.integers(1, 14), st.integers(0, 4))
def test_a_system_does_not_differ_from_itself(n_clusters: int, seed: int) -> None:
    sums = spread(n_clusters, seed)
    assert permutation_test(sums, sums, mean_of, permutations=100, seed=seed).p[0] == 1.0


@unhurried
@given(pairs.filter(bool), st.integers(0, 3))
def test_which_system_comes_first_changes_no_p(rows: list[tuple[int, int, int, int]], seed: int) -> None:
    first, second = (sums_of([row[s] for row in rows], [row[s + 2] for row in rows]) for s in (0, 1))
    one, two = (permutation_test(*order, mean_of, seed=seed) for order in ((first, second), (second, first)))
    assert one.p[0] == two.p[0]


@pytest.mark.parametrize("n_clusters", [1, 2, 5, 10, 13])
def test_one_system_better_in_every_cluster_gives_the_smallest_p(n_clusters: int) -> None:
    found = permutation_test(sums_of([3] * n_clusters), sums_of([1] * n_clusters), mean_of)
    assert found.exact
    assert found.p[0] == found.smallest_p == 2 / 2**n_clusters


@pytest.mark.parametrize(("n_clusters", "permutations", "smallest"), [(14, 10_000, 2 / 2**14), (40, 999, 1 / 1000)])
def test_the_smallest_p_is_limited_by_clusters_and_by_permutations(
    n_clusters: int, permutations: int, smallest: float
) -> None:
    found = permutation_test(sums_of([3] * n_clusters), sums_of([1] * n_clusters), mean_of, permutations)
    assert not found.exact
    assert found.smallest_p == smallest


def test_no_p_lies_below_the_smallest_that_is_announced() -> None:
    first, second = sums_of([3] * 4), sums_of([1] * 4)
    for seed in range(40):
        found = permutation_test(first, second, mean_of, permutations=15, seed=seed)
        assert found.p[0] >= found.smallest_p, seed


def test_a_p_is_never_zero() -> None:
    found = permutation_test(sums_of([9] * 200), sums_of([0] * 200), mean_of, permutations=99)
    assert found.p[0] == 1 / 100


@pytest.mark.filterwarnings("error")
def test_a_measure_without_value_has_no_p_and_disturbs_no_other() -> None:
    first, second = spread(8, 1), spread(8, 2)
    found = permutation_test(first, second, mean_and_nothing)
    assert np.isnan(found.p[1])
    assert found.p[0] == permutation_test(first, second, mean_of).p[0]


@pytest.mark.parametrize("cells", [1, 60, 10_000])
def test_permuting_in_blocks_gives_what_one_block_gives(monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    first, second = spread(30, 1), spread(30, 2)
    whole = permutation_test(first, second, mean_of, 500, 4)
    monkeypatch.setattr(statistics, "_BLOCK_CELLS", cells)
    assert permutation_test(first, second, mean_of, 500, 4).p.tolist() == whole.p.tolist()


def test_the_seed_decides_which_permutations_are_drawn() -> None:
    first, second = spread(30, 1), spread(30, 5)
    found = [permutation_test(first, second, mean_of, 500, seed).p[0] for seed in (0, 0, 1, 2, 3)]
    assert found[0] == found[1]
    assert len(set(found)) > 1


# --- Holm, and power


def test_holms_correction_of_a_hand_worked_table() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@unhurried
@given(st.lists(st.floats(0, 1), max_size=6))
def test_holms_correction_is_closed_testing_by_bonferroni(p_values: list[float]) -> None:
    tests = range(len(p_values))
    families = [family for size in tests for family in itertools.combinations(tests, size + 1)]
    expected = [
        max(min(1.0, len(family) * min(p_values[i] for i in family)) for family in families if one in family)
        for one in tests
    ]
    assert holm(p_values) == pytest.approx(expected)


@unhurried
@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=6))
def test_what_is_no_test_stays_and_costs_the_others_nothing(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert [math.isnan(p) for p in corrected] == [math.isnan(p) for p in p_values]
    assert [p for p in corrected if not math.isnan(p)] == holm([p for p in p_values if not math.isnan(p)])


@pytest.mark.parametrize("error", [0.01, 0.2, 3.0])
def test_the_smallest_difference_is_found_with_a_power_of_80_percent(error: float) -> None:
    shift = smallest_difference(error) / error
    power = stats.norm.sf(stats.norm.ppf(0.975) - shift)  # the other tail gives less than a millionth
    assert power == pytest.approx(0.8, abs=1e-6)
