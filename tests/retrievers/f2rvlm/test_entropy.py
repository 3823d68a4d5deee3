"""Mean entropy: against scipy, for any length of answer, and where a model has diverged."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax  # type: ignore[import-untyped]
from scipy.stats import entropy  # type: ignore[import-untyped]

from mldr.errors import MldrError
from mldr.retrievers.f2rvlm import entropy as module
from mldr.retrievers.f2rvlm.entropy import mean_entropy
from mldr.retrievers.f2rvlm.rewards import Floats

LOGITS = st.tuples(st.integers(1, 6), st.integers(1, 7)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.floats(-80, 80, width=32))
)


@given(LOGITS)
def test_it_is_the_mean_of_the_entropies_that_scipy_computes(logits: Floats) -> None:
    expected = float(np.mean(entropy(softmax(logits.astype(np.float64), axis=1), axis=1)))
    assert mean_entropy(logits) == pytest.approx(expected, abs=1e-9)
    assert 0 <= mean_entropy(logits) <= math.log(logits.shape[1]) + 1e-9


@given(LOGITS, st.floats(-1e4, 1e4))
def test_adding_a_constant_to_all_logits_changes_nothing(logits: Floats, shift: float) -> None:
    moved = logits.astype(np.float64) + shift
    assert mean_entropy(moved) == pytest.approx(mean_entropy(logits), abs=1e-6)


@given(LOGITS, st.integers(2, 5))
def test_saying_the_same_twice_as_long_is_as_unsure(logits: Floats, times: int) -> None:
    assert mean_entropy(np.tile(logits, (times, 1))) == pytest.approx(mean_entropy(logits), abs=1e-9)


def test_a_uniform_distribution_has_the_logarithm_of_its_words_and_a_sure_one_nothing() -> None:
    assert mean_entropy(np.zeros((3, 50))) == pytest.approx(math.log(50))
    assert mean_entropy([[1000.0, 0, 0]]) == 0


def test_words_that_cannot_come_count_for_nothing() -> None:
    assert mean_entropy([[0.0, 0.0, -np.inf]]) == pytest.approx(math.log(2))
    assert mean_entropy([[3.0, -np.inf, -np.inf]]) == 0


def test_half_precision_is_computed_in_double() -> None:
    logits = np.linspace(-4, 4, 2000, dtype=np.float16).reshape(2, 1000)
    assert mean_entropy(logits) == pytest.approx(mean_entropy(logits.astype(np.float64)), abs=1e-12)


def test_long_answers_in_blocks_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = np.random.default_rng(1).normal(size=(7, 11))
    whole = mean_entropy(logits)
    monkeypatch.setattr(module, "_AT_ONCE", 22)
    assert mean_entropy(logits) == pytest.approx(whole, abs=1e-12)


def test_the_logits_that_were_given_are_not_changed() -> None:
    logits = np.ones((2, 3))
    mean_entropy(logits)
    assert (logits == 1).all()


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_diverged_model_is_told(wrong: float) -> None:
    with pytest.raises(MldrError, match="the model has diverged"):
        mean_entropy([[0.0, 1.0], [wrong, 0.0]])
    with pytest.raises(MldrError, match="only -inf for a token"):
        mean_entropy([[-np.inf, -np.inf]])


@pytest.mark.parametrize("shape", [(0, 5), (5,), (2, 0), (1, 2, 3)])
def test_another_shape_is_refused_with_what_is_expected(shape: tuple[int, ...]) -> None:
    with pytest.raises(MldrError, match=r"\(tokens, words\) is expected, with the end token at least"):
        mean_entropy(np.zeros(shape))
