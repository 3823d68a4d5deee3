"""Builds with a secret salt: nobody can make them again without it, and nothing of it is in them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

import mldr
from mldr.builders import create, load_recipe
from mldr.errors import MldrError
from mldr.verify import verify
from mldr.withhold import withhold
from tests.builders.support import corpus, tree_bytes


def build(recipe: Path, out: Path) -> mldr.Dataset:
    return mldr.load(create(load_recipe(recipe), recipe.parent, out))


def test_two_secret_builds_of_one_recipe_share_no_id_and_the_same_salt_gives_the_same_bytes(tmp_path: Path) -> None:
    recipe = corpus(tmp_path / "in", 90, secret=True)
    one, two = build(recipe, tmp_path / "one"), build(recipe, tmp_path / "two")
    assert verify(one) == {}
    for split in one.splits:
        ids = [{dialogue.dialogue_id for dialogue in made.dialogues(split)} for made in (one, two)]
        assert ids[0]
        assert not ids[0] & ids[1]
    (tmp_path / "three.salt").write_bytes((tmp_path / "one.salt").read_bytes())
    (tmp_path / "three.salt").chmod(0o600)
    assert tree_bytes(build(recipe, tmp_path / "three").folder) == tree_bytes(one.folder)


def test_the_manifest_of_a_secret_build_names_neither_recipe_nor_seed_nor_salt(tmp_path: Path) -> None:
    recipe = corpus(tmp_path / "in", 90, secret=True)
    dataset = build(recipe, tmp_path / "out")
    manifest = dataset.manifest
    assert (manifest.recipe, manifest.recipe_hash, manifest.seed) == ({}, "", 0)
    assert len(manifest.salt_sha256) == 64
    salt = (tmp_path / "out.salt").read_text("ascii").strip()
    assert stat.S_IMODE((tmp_path / "out.salt").stat().st_mode) == 0o600
    public = build(corpus(tmp_path / "in", 90), tmp_path / "public")
    for name, content in tree_bytes(dataset.folder).items():
        assert salt.encode() not in content, name
        assert public.manifest.recipe_hash[:32].encode() not in content, name


def test_a_finished_secret_build_is_left_as_it_is_and_another_recipe_is_refused_its_place(tmp_path: Path) -> None:
    recipe = corpus(tmp_path / "in", 60, secret=True)
    first = tree_bytes(build(recipe, tmp_path / "out").folder)
    assert tree_bytes(build(recipe, tmp_path / "out").folder) == first


def test_no_new_salt_is_drawn_beside_a_set_whose_own_is_lost(tmp_path: Path) -> None:
    recipe = corpus(tmp_path / "in", 60, secret=True)
    first = build(recipe, tmp_path / "out").manifest.salt_sha256
    (tmp_path / "out.salt").rename(tmp_path / "elsewhere")
    with pytest.raises(MldrError, match=r"out\.salt is missing beside .*--force"):
        build(recipe, tmp_path / "out")
    assert not (tmp_path / "out.salt").exists()
    anew = mldr.load(create(load_recipe(recipe), recipe.parent, tmp_path / "out", force=True))
    assert anew.manifest.salt_sha256 not in ("", first)


def test_a_withheld_split_of_a_secret_build_verifies_and_keeps_its_gold_hash(tmp_path: Path) -> None:
    dataset = build(corpus(tmp_path / "in", 90, secret=True), tmp_path / "out")
    withhold(dataset, ["test"], tmp_path / "public")
    public = mldr.load(tmp_path / "public")
    assert verify(public) == {}
    assert not public.has_gold("test")
    assert public.has_gold("validation")
    assert public.manifest.gold_hash == dataset.manifest.gold_hash
