from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from mldr.embed import Embedder, Vectors, unit_rows

numbers = st.floats(-1000, 1000, width=32).map(lambda x: 0.0 if abs(x) < 1e-3 else x)

unhurried = settings(deadline=None)


class Constant:
    """The least that an embedder must be."""

    identity = "constant"
    sees_images = True

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        return np.ones((len(texts), 2), dtype=np.float32)

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        return np.ones((len(images), 2), dtype=np.float32)


@unhurried
@given(arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(1, 4)), elements=numbers))
def test_rows_are_scaled_to_length_one_and_keep_their_direction(vectors: Vectors) -> None:
    scaled = unit_rows(vectors)
    assert scaled.dtype == np.float32
    assert scaled.shape == vectors.shape
    for row, unit in zip(vectors.tolist(), scaled.tolist(), strict=True):
        length = sum(x * x for x in row) ** 0.5
        assert unit == pytest.approx([x / length if length else 0.0 for x in row], abs=1e-6)


@pytest.mark.filterwarnings("error")
def test_a_zero_row_stays_zero_without_a_warning() -> None:
    assert unit_rows(np.zeros((2, 3), dtype=np.float32)).tolist() == [[0.0] * 3] * 2


def test_rows_of_doubles_become_float32() -> None:
    assert unit_rows(np.array([[3.0, 4.0]])).dtype == np.float32
    assert unit_rows(np.array([[3.0, 4.0]])).tolist() == [pytest.approx([0.6, 0.8])]


def test_what_is_scaled_is_left_as_it_was() -> None:
    vectors = np.array([[3.0, 4.0]], dtype=np.float32)
    unit_rows(vectors)
    assert vectors.tolist() == [[3.0, 4.0]]


def test_any_object_with_both_methods_and_an_identity_is_an_embedder() -> None:
    embedder: Embedder = Constant()
    assert embedder.embed_texts(["a", "b"]).shape == (2, 2)
    assert embedder.embed_images([Image.new("RGB", (1, 1))]).shape == (1, 2)
