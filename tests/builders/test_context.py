from __future__ import annotations

from pathlib import Path

import pytest

from mldr.builders.context import Context, Spooled, context_of, material_of, read_context, write_context
from mldr.builders.plan import PlanRow
from mldr.builders.planfile import RowInputs
from mldr.builders.recipe import Recipe
from mldr.builders.rulequery import RuleQueries
from mldr.builders.sources.record import Reading
from mldr.builders.spool import Spool, spooled
from tests.builders.support import source

SALT = bytes(range(32))


def recipe(**changed: object) -> Recipe:
    model = {"provider": "p", "model": "big-model"}
    document = {
        "format": "mldr/recipe@1",
        "name": "context",
        "seed": 11,
        "sources": [{"type": "demo", "name": "demo"}],
        "splits": {"test": 1.0},
        "models": {"writer": model},
        "tag": {"model": "writer"},
        "verify": {"model": "writer", "splits": ["test"]},
        **changed,
    }
    return Recipe.model_validate(document)


def rules() -> dict[str, RuleQueries]:
    counted = RuleQueries()
    counted.add(source("a", "boats"))
    return {"test/en": counted}


def row(split: str = "test", language: str = "en") -> PlanRow:
    return PlanRow("d", split, language, "c", ("a", "b", "c"), ("d", "e"), ("e",))


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    dialogues = [source(name, f"topic {name}") for name in "abcde"]
    return spooled(iter(dialogues), tmp_path / "sources.jsonl", Reading())[0]


@pytest.mark.parametrize("salt", [b"", SALT])
def test_a_context_comes_back_from_its_file_as_it_was(tmp_path: Path, salt: bytes) -> None:
    context = context_of(recipe(unanswered="give_up"), rules(), salt)
    write_context(tmp_path / f"{len(salt)}.json", context)
    assert read_context(str(tmp_path / f"{len(salt)}.json")) == context
    assert context.gives_up


def test_another_context_at_the_same_place_is_read_anew(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        write_context(tmp_path / "context.json", context_of(recipe(seed=seed), rules()))
        assert read_context(str(tmp_path / "context.json")).seed == seed


def test_without_a_salt_every_split_has_the_seed_of_the_recipe_and_with_one_its_own(tmp_path: Path) -> None:
    plain, secret = context_of(recipe(), rules()), context_of(recipe(), rules(), SALT)
    assert plain.of(row("test")).seed == plain.of(row("validation")).seed == 11
    seeds = {secret.of(row(split)).seed for split in ("test", "validation")}
    assert len(seeds) == 2
    assert 11 not in seeds
    assert SALT.hex() not in repr(secret)


def test_a_row_gets_the_terms_of_its_split_and_language_and_none_where_there_are_none() -> None:
    context = context_of(recipe(), rules())
    assert context.of(row()).rules.documents == 1
    assert context.of(row(language="zh")).rules.documents == 0
    assert context.of(row()).model("writer") == "big-model"
    assert context.of(row()).verifies("test")
    assert not context.of(row()).verifies("validation")


def test_sources_of_a_row_are_read_when_they_are_asked_for(spool: Spool) -> None:
    offsets = {name: head.offset for name, head in spool.heads.items()}
    others = Spooled(("d", "e"), {**offsets, "e": 10**9}, spool.path)
    assert len(others) == 2
    assert others[0].source_id == others[-2].source_id == "d"
    assert [one.source_id for one in others[:1]] == ["d"]
    with pytest.raises(IndexError):
        others[2]
    with pytest.raises(ValueError, match="Expecting value"):
        others[1]  # only now is it looked for, where nothing is


def test_the_material_of_a_row_is_told_by_its_ids(spool: Spool) -> None:
    offsets = {name: head.offset for name, head in spool.heads.items()}
    material = material_of(RowInputs(row(), offsets, {}), spool.path)
    assert [one.source_id for one in material.sources] == ["a", "b", "c"]
    assert [one.source_id for one in material.strangers] == ["d", "e"]
    assert [one.source_id for one in material.neighbours] == ["e"]
    assert isinstance(context_of(recipe(), rules()), Context)
