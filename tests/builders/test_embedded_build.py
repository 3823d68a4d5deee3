from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.builders.check import check_recipe
from mldr.builders.pipeline import create
from mldr.builders.reading import open_sources, recipe_hash
from mldr.builders.recipe import Recipe, load_recipe
from mldr.files import write_text
from mldr.verify import verify
from tests.builders.support import corpus, tree_bytes


def embedded(folder: Path, n: int = 60, **changed: Any) -> tuple[Recipe, Path]:
    """Return a recipe in which every step that can asks an embedder, and its folder."""
    document: dict[str, Any] = {
        "embedder": {"type": "tests.core.support_embed:Hashes", "model": "hashes", "batch": 7},
        "match": {"method": "embeddings", "candidates": 10},
        "clean": {"image_text_floor": -0.5, "near_text": 0.8, "near_image_bits": 4},
        "queries": {"near": 1},
        "splits": {"train_sft": 0.5, "test": 0.5},
        **changed,
    }
    return load_recipe(corpus(folder, n, **document)), folder


def test_a_set_matched_by_embeddings_is_whole_and_tells_each_test_source_once(tmp_path: Path) -> None:
    recipe, folder = embedded(tmp_path / "in")
    dataset = mldr.load(create(recipe, folder, tmp_path / "out"))
    verify(dataset)
    told = [one.source_id for one in dataset.fragments("test") if one.level == "topic"]
    assert len(told) == len(set(told)) == 3 * len(list(dataset.dialogues("test")))
    assert len(list(dataset.dialogues("train_sft"))) > len(list(dataset.dialogues("test")))
    assert dataset.manifest.dropped.keys() >= {"sources with a picture unlike its text (cosine under -0.5)"}
    assert not list(tmp_path.glob("out.*"))


def test_its_bytes_are_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    recipe, folder = embedded(tmp_path / "in")
    one, two = (create(recipe, folder, tmp_path / f"out{n}", workers=n) for n in (1, 2))
    assert tree_bytes(one) == tree_bytes(two)


def test_the_check_plans_what_the_build_makes(tmp_path: Path) -> None:
    recipe, folder = embedded(tmp_path / "in")
    planned = check_recipe(recipe, folder)
    dataset = mldr.load(create(recipe, folder, tmp_path / "out"))
    made = {f"{split} en": counts["dialogues"] for split, counts in dataset.manifest.counts.items()}
    assert planned.dialogues == dict(sorted(made.items()))


def test_the_coherence_filter_takes_part_in_a_build(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed (extra `embed` or `demo`)")
    recipe, folder = embedded(tmp_path / "in", clean={"coherence": {"clusters": 30, "floor": 0.4}})
    dataset = mldr.load(create(recipe, folder, tmp_path / "out"))
    verify(dataset)
    assert any(reason.startswith("sources that stray from one topic") for reason in dataset.manifest.dropped)


def test_an_embedder_of_the_same_name_with_other_weights_is_another_build(tmp_path: Path) -> None:
    for folder, weights in (("a", "1"), ("b", "2"), ("c", "1")):
        write_text(tmp_path / folder / "e5" / "model.safetensors", weights)
        write_text(tmp_path / folder / "e5" / "README.md", folder)
    told = []
    for folder in "abc":
        embedder = {"type": "tests.core.support_embed:Hashes", "model": str(tmp_path / folder / "e5")}
        recipe, place = embedded(tmp_path / "in", 12, embedder=embedder)
        told.append(recipe_hash(recipe, open_sources(recipe, place)))
    assert told[0] != told[1]
    assert told[0] == told[2]
