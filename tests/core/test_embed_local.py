"""Models of a few thousand random weights, made on the spot: what they say means nothing, how they are run does."""

from __future__ import annotations

import json
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mldr.embed.local import SentenceTransformersEmbedder
from mldr.errors import MldrError
from tests.core.support_embed import Spec
from tests.core.tiny_embedders import WORDS, tiny_clip, tiny_tokeniser

pytest.importorskip("sentence_transformers", reason="the extra embed is not installed")

TEXTS = [" ".join(WORDS[(7 * i + j) % 60] for j in range(i % 13 + 1)) for i in range(90)]


@pytest.fixture(scope="module")
def text_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one layer with mean pooling, as sentence-transformers saves it."""
    torch, transformers = import_module("torch"), import_module("transformers")
    library: Any = import_module("sentence_transformers")
    pooling: Any = import_module("sentence_transformers.models").Pooling
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bert")
    size = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 2}
    transformers.BertModel(transformers.BertConfig(vocab_size=64, max_position_embeddings=32, **size)).save_pretrained(
        folder / "raw"
    )
    tiny_tokeniser().save_pretrained(folder / "raw")
    transformer = import_module("sentence_transformers.models").Transformer(str(folder / "raw"))
    model = library.SentenceTransformer(modules=[transformer, pooling(32)], device="cpu")
    model.save(str(folder / "model"))
    return folder / "model"


@pytest.fixture(scope="module")
def embedder(text_model: Path) -> SentenceTransformersEmbedder:
    return SentenceTransformersEmbedder(Spec(model=str(text_model)))


def test_a_folder_is_loaded_and_embeds(embedder: SentenceTransformersEmbedder) -> None:
    vectors = embedder.embed_texts(TEXTS)
    assert vectors.shape == (90, 32)
    assert vectors.dtype == np.float32
    assert len(np.unique(vectors, axis=0)) == len(set(TEXTS))
    assert embedder.embed_texts([]).shape == (0, 32)
    assert not embedder.sees_images
    with pytest.raises(MldrError, match="sees no images"):
        embedder.embed_images([Image.new("RGB", (8, 8))])


def test_a_text_has_one_vector_in_any_company_order_and_batch(
    embedder: SentenceTransformersEmbedder, text_model: Path
) -> None:
    vectors = embedder.embed_texts(TEXTS)
    np.testing.assert_array_equal(embedder.embed_texts(TEXTS[::-1])[::-1], vectors)
    np.testing.assert_array_equal(embedder.embed_texts(TEXTS[20:31]), vectors[20:31])
    np.testing.assert_array_equal(np.concatenate([embedder.embed_texts([text]) for text in TEXTS[:20]]), vectors[:20])
    other = SentenceTransformersEmbedder(Spec(model=str(text_model), batch=3))
    np.testing.assert_array_equal(other.embed_texts(TEXTS), vectors)


def test_the_vectors_are_those_of_the_library(embedder: SentenceTransformersEmbedder, text_model: Path) -> None:
    from sentence_transformers import SentenceTransformer

    expected = SentenceTransformer(str(text_model), device="cpu").encode(TEXTS, show_progress_bar=False)
    np.testing.assert_allclose(embedder.embed_texts(TEXTS), expected, atol=1e-5)


def test_hostile_texts_embed_too(embedder: SentenceTransformersEmbedder) -> None:
    vectors = embedder.embed_texts(["", " ", "w1 " * 5_000, "\x00", "你好", "\u202e", "👩‍👧"])
    assert vectors.shape == (7, 32)
    assert np.isfinite(vectors).all()


def test_the_same_model_elsewhere_is_the_same_and_a_changed_one_is_another(
    embedder: SentenceTransformersEmbedder, text_model: Path, tmp_path: Path
) -> None:
    shutil.copytree(text_model, tmp_path / "copy")
    (tmp_path / "copy" / "README.md").write_text("other words")
    assert SentenceTransformersEmbedder(Spec(model=str(tmp_path / "copy"))).identity == embedder.identity
    path = tmp_path / "copy" / "modules.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert SentenceTransformersEmbedder(Spec(model=str(tmp_path / "copy"))).identity != embedder.identity
    assert str(text_model) not in embedder.identity


def test_weights_of_less_precision_are_computed_in_float32(text_model: Path, tmp_path: Path) -> None:
    import torch
    from sentence_transformers import SentenceTransformer

    half = SentenceTransformer(str(text_model), device="cpu").to(torch.bfloat16)
    half.save(str(tmp_path / "half"))
    vectors = SentenceTransformersEmbedder(Spec(model=str(tmp_path / "half"))).embed_texts(TEXTS[:4])
    assert (vectors.view(np.uint32) & 0xFFFF).any()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("", r"embedder\.model: empty"),
        ("/no/such/folder", "is no folder"),
        ("./no-such-folder", "is no folder"),
        ("../x", "is no folder"),
        ("a b", "is no folder"),
        ("https://example.org/model", "is no folder"),
        ("a/b/c", "is no folder"),
        ("mldr-tests/no-such-model", "cannot be loaded"),
    ],
)
def test_a_model_that_cannot_be_had_is_one_clear_line(model: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MldrError, match=words) as caught:
        SentenceTransformersEmbedder(Spec(model=model))
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_whole_model_is_one_clear_line(text_model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    shutil.copytree(text_model, tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    shutil.copytree(text_model, tmp_path / "garbled")
    (tmp_path / "garbled" / "modules.json").write_text("{")
    for name in ("empty", "cut", "garbled"):
        with pytest.raises(MldrError, match="cannot be loaded") as caught:
            SentenceTransformersEmbedder(Spec(model=str(tmp_path / name)))
        assert "\n" not in str(caught.value)


def test_code_that_comes_with_a_model_is_not_run(text_model: Path, tmp_path: Path) -> None:
    shutil.copytree(text_model, tmp_path / "model")
    mark = tmp_path / "was-run"
    (tmp_path / "model" / "custom.py").write_text(f"open({str(mark)!r}, 'w')\nclass Module: ...\n")
    modules = json.loads((text_model / "modules.json").read_text())
    modules[0]["type"] = "custom.Module"
    (tmp_path / "model" / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(MldrError, match="cannot be loaded"):
        SentenceTransformersEmbedder(Spec(model=str(tmp_path / "model")))
    assert not mark.exists()


@pytest.fixture(scope="module")
def image_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("clip"))


def test_a_model_that_sees_embeds_pictures_and_texts_into_one_space(image_model: Path) -> None:
    embedder = SentenceTransformersEmbedder(Spec(model=str(image_model)))
    assert embedder.sees_images
    colours = ["red", "green", "blue", "black", "white", "yellow", "purple", "orange", "pink", "brown", "cyan"]
    pictures = [Image.new("RGB", (20 + i, 30), colour) for i, colour in enumerate(colours)]
    images, texts = embedder.embed_images(pictures), embedder.embed_texts(TEXTS[:5])
    assert images.shape == (11, 24)
    assert texts.shape == (5, 24)
    assert len(np.unique(images, axis=0)) == 11
    np.testing.assert_array_equal(embedder.embed_images(pictures[::-1])[::-1], images)
    np.testing.assert_array_equal(embedder.embed_images(pictures[3:4]), images[3:4])
    grey = embedder.embed_images([Image.new("L", (20, 30), 255), Image.new("RGBA", (20, 30), "white")])
    np.testing.assert_array_equal(grey[0], grey[1])
