from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldr.builders.apart import Apart
from mldr.builders.neighbours import COARSE, FINE, Neighbours, nearest, on_grid, reranked
from mldr.builders.settings import MatchSettings
from mldr.builders.sourcevectors import SourceVectors
from mldr.embed import Vectors
from mldr.errors import InputError


def drawn(n: int, d: int = 16, seed: int = 0) -> Vectors:
    """Return vectors in a few clusters, some of them equal, some zero."""
    draw = np.random.default_rng(seed)
    rows = draw.standard_normal((n, d)) + 2 * draw.standard_normal((4, d))[draw.integers(0, 4, n)]
    rows[draw.random(n) < 0.2] = rows[:1]
    rows[draw.random(n) < 0.05] = 0
    return rows.astype(np.float32)


def marked(n: int, seed: int = 0) -> list[set[str]]:
    """Return marks of which many are shared by two or three, and one by a third of all."""
    draw = np.random.default_rng(seed)
    marks = [{f"m{draw.integers(0, n)}", f"m{draw.integers(0, n)}"} for _ in range(n)]
    return [own | {"many"} if draw.random() < 0.3 else own for own in marks]


def nearest_by_definition(grid: Vectors, k: int, marks: list[set[str]]) -> list[list[int]]:
    products = grid.astype(np.int64) @ grid.astype(np.int64).T
    found = []
    for i in range(len(grid)):
        free = [j for j in range(len(grid)) if j != i and not marks[i] & marks[j]]
        chosen = sorted(free, key=lambda j: (-products[i, j], j))[:k]
        found.append(chosen + [-1] * (min(k, len(grid) - 1) - len(chosen)))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("k", [1, 7, 50, 100])
def test_the_nearest_are_those_of_the_definition(seed: int, k: int) -> None:
    grid, marks = on_grid(drawn(60, seed=seed), COARSE), marked(60, seed)
    assert nearest(grid, k, Apart(marks)).tolist() == nearest_by_definition(grid, k, marks)


@given(st.integers(0, 40), st.integers(1, 12), st.integers(1, 50), st.integers(1, 50), st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_the_size_of_the_blocks_changes_nothing(n: int, k: int, rows: int, columns: int, seed: int) -> None:
    grid, marks = on_grid(drawn(n, 5, seed), COARSE), marked(n, seed)
    found = nearest(grid, k, Apart(marks), rows=rows, columns=columns)
    assert found.tolist() == nearest_by_definition(grid, k, marks)


def test_large_vectors_in_uneven_blocks_give_the_same_to_the_last_tie() -> None:
    rows = np.repeat(drawn(150, 384), 3, axis=0)  # BLAS sums uneven blocks in other orders: every score is a tie here
    apart = Apart([{f"m{i % 90}"} for i in range(450)])
    whole = nearest(on_grid(rows, COARSE), 20, apart)
    for size in ((7, 13), (64, 100), (449, 31)):
        assert np.array_equal(whole, nearest(on_grid(rows, COARSE), 20, apart, rows=size[0], columns=size[1]))


def test_sums_of_products_on_the_grid_are_exact_in_the_floats_that_take_them() -> None:
    for d in (3, 384, 4096):
        rows = drawn(20, d)
        coarse, fine = on_grid(rows, COARSE), on_grid(rows, FINE)
        whole = coarse.astype(np.int64) @ coarse.astype(np.int64).T
        assert np.abs(whole).max() <= 2**24
        assert np.array_equal((coarse @ coarse.T).astype(np.int64), whole)
        exact = fine.astype(np.int64) @ fine.astype(np.int64).T
        assert np.array_equal((fine.astype(np.float64) @ fine.astype(np.float64).T).astype(np.int64), exact)


@pytest.mark.parametrize("scale", [1e-38, 1e-3, 1.0, 1e30])
def test_the_length_of_a_vector_does_not_matter(scale: float) -> None:
    rows = drawn(12)
    assert np.abs(on_grid(rows, FINE) - on_grid((rows * np.float32(scale)).astype(np.float32), FINE)).max() <= 2


def test_large_groups_are_masked_as_small_ones_are() -> None:
    grid = on_grid(drawn(300, 8), COARSE)
    marks = [{"big"} if i % 2 else {f"pair{i // 4}"} for i in range(300)]
    found = nearest(grid, 20, Apart(marks), rows=37, columns=41)
    assert found.tolist() == nearest_by_definition(grid, 20, marks)


def test_sources_that_all_share_a_mark_have_no_neighbours() -> None:
    found = nearest(on_grid(drawn(100), COARSE), 5, Apart([{"one"}] * 100))
    assert set(found.ravel().tolist()) == {-1}


def test_positions_are_free_of_one_another_unless_they_share_a_mark() -> None:
    apart = Apart([{"a"}, {"a", "b"}, {"b"}, {"c"}, set()])
    free = [(i, j) for i in range(5) for j in range(5) if apart.is_free(i, j)]
    assert free == [(i, j) for i in range(5) for j in range(5) if i != j and {i, j} not in ({0, 1}, {1, 2})]


def cosine(first: Vectors, second: Vectors) -> float:
    a, b = first.astype(np.float64), second.astype(np.float64)
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms else 0.0


def score(vectors: SourceVectors, a: int, b: int, chosen: MatchSettings) -> float:
    text = cosine(vectors.text[a], vectors.text[b])
    if vectors.image is None or vectors.has_image is None or not (vectors.has_image[a] and vectors.has_image[b]):
        return text
    total = chosen.text_weight + chosen.image_weight
    mixed = chosen.text_weight * text + chosen.image_weight * cosine(vectors.image[a], vectors.image[b])
    return mixed / total if total else text


@pytest.mark.parametrize("weights", [(0.7, 0.3), (0.0, 1.0), (1.0, 0.0), (0.5, 0.1), (0.0, 0.0)])
def test_reranking_weighs_text_and_picture_and_takes_text_alone_where_a_picture_is_missing(
    weights: tuple[float, float],
) -> None:
    has = np.random.default_rng(5).random(40) < 0.6
    vectors = SourceVectors([str(i) for i in range(40)], drawn(40), drawn(40, 6, seed=9), has)
    chosen = MatchSettings(text_weight=weights[0], image_weight=weights[1])
    found = nearest(on_grid(vectors.text, COARSE), 10, Apart(marked(40)))
    ranked = reranked(found, vectors, np.arange(40), chosen)
    for a in range(40):
        own = [b for b in ranked.indexes[a].tolist() if b >= 0]
        assert sorted(own) == sorted(b for b in found[a].tolist() if b >= 0)
        expected = [score(vectors, a, b, chosen) for b in own]
        assert np.allclose(ranked.scores[a, : len(own)], expected, atol=1e-5)
        assert ranked.scores[a, : len(own)].tolist() == sorted(ranked.scores[a, : len(own)].tolist(), reverse=True)
        assert all(value == -np.inf for value in ranked.scores[a, len(own) :])


def test_equal_scores_stand_in_the_order_of_the_pool() -> None:
    vectors = SourceVectors([str(i) for i in range(9)], np.ones((9, 4), np.float32))
    ranked = reranked(
        nearest(on_grid(vectors.text, COARSE), 8, Apart([set()] * 9)), vectors, np.arange(9), MatchSettings()
    )
    assert ranked.indexes[4].tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert np.allclose(ranked.scores, 1)


def test_a_zero_vector_is_like_nothing() -> None:
    rows = drawn(6)
    rows[2] = 0
    ranked: Neighbours = reranked(
        nearest(on_grid(rows, COARSE), 5, Apart([set()] * 6)),
        SourceVectors(list("abcdef"), rows),
        np.arange(6),
        MatchSettings(),
    )
    assert set(ranked.scores[2].tolist()) == {0.0}


def test_a_picture_vector_that_does_not_count_may_hold_anything() -> None:
    image = drawn(3, 4)
    image[1] = np.nan
    vectors = SourceVectors(list("abc"), drawn(3), image, np.array([True, False, True]))
    vectors.check()
    found = nearest(on_grid(vectors.text, COARSE), 2, Apart([set()] * 3))
    assert np.isfinite(reranked(found, vectors, np.arange(3), MatchSettings()).scores).all()


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (
            SourceVectors(["a", "b"], np.array([[1, np.nan], [1, 0]], np.float32)),
            "source a: its text embedding holds NaN",
        ),
        (SourceVectors(["a", "b"], np.array([[1, 0], [np.inf, 0]], np.float32)), "source b: its text embedding"),
        (SourceVectors(["a"], np.ones((2, 3), np.float32)), "text has shape"),
        (SourceVectors(["a"], np.ones(3, np.float32)), "text has shape"),
        (SourceVectors(["a", "a"], np.ones((2, 3), np.float32)), "two rows"),
        (SourceVectors(["a"], np.ones((1, 3), np.float32), np.ones((2, 3), np.float32)), "image has shape"),
        (SourceVectors(["a"], np.ones((1, 3), np.float32), has_image=np.ones(4, np.bool_)), "has_image has shape"),
        (SourceVectors(["a"], np.ones((1, 2), np.float32), np.full((1, 2), np.nan, np.float32)), "its image embedding"),
    ],
)
def test_vectors_that_cannot_be_used_are_faults_with_their_source(vectors: SourceVectors, message: str) -> None:
    with pytest.raises(InputError, match=message):
        vectors.check()


def test_every_vector_that_is_not_finite_is_counted() -> None:
    rows = np.ones((9000, 2), np.float32)
    rows[[3, 8999]] = np.nan
    with pytest.raises(InputError) as caught:
        SourceVectors([f"s{i}" for i in range(9000)], rows).check()
    assert Counter(fault.place for fault in caught.value.faults) == {"source s3": 1, "source s8999": 1}
