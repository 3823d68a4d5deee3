"""The retriever on a CLIP of the real class with random weights: what it answers means nothing, how it gets there does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mldr
from mldr.embed import open_embedder
from mldr.eval import Evaluator
from mldr.retrievers import run_retriever
from mldr.retrievers.embedding import Embedding
from mldr.retrievers.protocol import Run
from tests.conftest import picture
from tests.core.support_embed import Spec
from tests.core.tiny_embedders import tiny_clip
from tests.retrievers.support import asked, rows_of, steady, view
from tests.retrievers.test_embedding import with_pictures

pytest.importorskip("sentence_transformers", reason="the extra embed is not installed")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_clip(tmp_path_factory.mktemp("clip"))


def test_texts_and_pixels_are_ranked_in_one_space(clip: Path, tmp_path: Path) -> None:
    contents = [picture(colour, (20 + i, 30)) for i, colour in enumerate(["red", "green", "blue"])]
    seen = with_pictures(view("w1 w2", "", "w3", images=[(1, "")] * 3), *contents)
    retriever = Embedding(model=str(clip), sees="pixels", rule="top-k")
    retriever.open(Run(tmp_path / "p.jsonl"))
    try:
        scores = next(iter(retriever._scores(retriever._shown(seen), asked("w1 w5"))))
    finally:
        retriever.close()
    library = open_embedder(Spec(type="sentence-transformers", model=str(clip)))
    query, first, third = library.embed_texts(["w1 w5", "w1 w2", "w3"])
    reds = library.embed_images([Image.new("RGB", (20 + i, 30), c) for i, c in enumerate(["red", "green", "blue"])])

    def cosine(one: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
        return float(one @ query / np.linalg.norm(one) / np.linalg.norm(query))

    np.testing.assert_allclose(scores[0][[0, 2]], [cosine(first), cosine(third)], atol=1e-4)
    assert np.isnan(scores[0][1])
    np.testing.assert_allclose(scores[1], [cosine(one) for one in reds], atol=1e-4)


def test_a_dataset_with_pictures_is_answered_and_scored_and_a_second_run_equals_the_first(
    clip: Path, tmp_path: Path, demo_dataset: mldr.Dataset
) -> None:
    options = {"model": str(clip), "sees": "pixels"}
    for name in ("one", "two"):
        run_retriever("embedding", demo_dataset, "validation", tmp_path / f"{name}.jsonl", options=options, limit=2)
    assert steady(tmp_path / "one.jsonl") == steady(tmp_path / "two.jsonl")
    meta = json.loads(rows_of(tmp_path / "one.jsonl")[0]["meta"])
    assert meta["options"]["model"] == clip.name
    assert str(clip) not in json.dumps(meta), "whoever reads predictions learns nothing of folders here"
    assert "images_broken" not in meta
    evaluator = Evaluator(demo_dataset, "validation")
    assert evaluator.score(evaluator.read(tmp_path / "one.jsonl")).outcomes["missing"] > 0
