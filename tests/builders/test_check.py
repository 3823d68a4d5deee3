from __future__ import annotations

from pathlib import Path

import pytest

from mldr.builders.check import BuildCheck, check_recipe, preview_recipe
from mldr.builders.models import ModelAccess
from mldr.builders.pricing import StepPrice
from mldr.builders.recipe import load_recipe
from mldr.errors import MldrError
from mldr.executors import LocalExecutor, open_executor
from tests.builders.support import corpus
from tests.conftest import Command


def price(step: str, cost: float | None) -> StepPrice:
    return StepPrice(
        step=step,
        model="writer",
        requests=10,
        tokens_in=2_000,
        tokens_out=300,
        cost=cost,
        currency="EUR" if cost else "",
    )


def check_of(*models: StepPrice) -> BuildCheck:
    return BuildCheck(
        name="mldr-ffr-x",
        sources={"src en": 12},
        images={"present": 3},
        dialogues={"test en": 4},
        dropped={"too short": 2},
        noted={},
        models=list(models),
    )


def test_a_check_without_models_costs_nothing_and_says_so() -> None:
    words = check_of().in_words()
    assert words.startswith("mldr-ffr-x: the recipe is good")
    assert words.endswith("models: none is asked, it costs nothing")
    assert "kept, but note" not in words


def test_a_check_adds_up_what_has_a_price_and_names_what_has_none() -> None:
    whole = check_of(price("stitch", 1.5), price("tag", 0.25)).in_words()
    assert whole.endswith("in all 1.75 EUR")
    part = check_of(price("stitch", 1.5), price("verify", None)).in_words()
    assert "no price given" in part
    assert part.endswith("in all 1.50 EUR and what has no price")
    assert "in all" not in check_of(price("verify", None)).in_words()


def test_a_check_writes_nothing_beside_the_recipe(tmp_path: Path) -> None:
    recipe = corpus(tmp_path / "in", 30)
    before = sorted(tmp_path.rglob("*"))
    assert sum(check_recipe(load_recipe(recipe), recipe.parent).dialogues.values()) == 10
    assert sorted(tmp_path.rglob("*")) == before


def test_a_preview_shows_whole_dialogues_in_the_order_of_their_ids(tmp_path: Path) -> None:
    recipe = corpus(tmp_path / "in", 60)
    access = ModelAccess(tmp_path / "none.sqlite")
    three = list(preview_recipe(load_recipe(recipe), recipe.parent, 3, access))
    all_of_them = list(preview_recipe(load_recipe(recipe), recipe.parent, 1_000, access))
    assert three == all_of_them[:3]
    assert len(all_of_them) == 20
    assert [text.split()[1] for text in all_of_them] == sorted(text.split()[1] for text in all_of_them)
    assert "negative, unrelated" in three[0]
    assert not (tmp_path / "none.sqlite").exists(), "a recipe without models keeps no answers"


def test_the_command_previews_as_many_as_it_is_told(tmp_path: Path, command: Command) -> None:
    recipe = corpus(tmp_path / "in", 60)
    code, out, _ = command("mldr", "build", "preview", str(recipe), "-n", "2")
    assert code == 0
    assert sum(line.startswith("# ") for line in out.splitlines()) == 2


def test_an_executor_is_opened_by_name_and_options_of_another_are_refused() -> None:
    with open_executor("local", 2) as executor:
        assert isinstance(executor, LocalExecutor)
        assert executor.workers == 2
    for address, depot in (("127.0.0.1:1", ""), ("", "file:///d")):
        with pytest.raises(MldrError, match="go with --executor ray"), open_executor("local", 1, address, depot):
            pass
    with pytest.raises(MldrError, match="no executor is called 'slurm'"), open_executor("slurm"):
        pass
