from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mldr.builders.check import check_recipe
from mldr.builders.pricing import StepPrice
from mldr.builders.recipe import load_recipe
from tests.builders.support import corpus


def checked(folder: Path, n: int = 60, **changed: Any) -> dict[str, StepPrice]:
    model = {"provider": "p", "model": "m", "key_env": "", "price": {"input": 1.0, "output": 2.0}}
    steps: dict[str, Any] = {"models": {"writer": model}, "stitch": {"model": "writer"}, **changed}
    recipe = corpus(folder, n, **steps)
    return {row.step: row for row in check_recipe(load_recipe(recipe), recipe.parent).models}


def test_every_dialogue_is_one_request_to_stitch_and_one_to_tag(tmp_path: Path) -> None:
    priced = checked(tmp_path, tag={"model": "writer"})
    assert priced["stitch"].requests == 20
    assert priced["tag"].requests >= 20
    assert priced["stitch"].tokens_in > priced["stitch"].tokens_out > 0


def test_a_cost_is_tokens_times_the_recipes_prices(tmp_path: Path) -> None:
    row = checked(tmp_path)["stitch"]
    assert row.cost == pytest.approx((row.tokens_in + 2 * row.tokens_out) / 1_000_000)
    assert row.currency == "USD"


def test_more_sources_cost_in_proportion_though_only_a_sample_is_written_out(tmp_path: Path) -> None:
    small, large = checked(tmp_path / "a", 60)["stitch"], checked(tmp_path / "b", 600)["stitch"]
    assert (small.requests, large.requests) == (20, 200)
    assert 8 < large.tokens_in / small.tokens_in < 12


def test_verifying_costs_a_request_a_query_and_only_in_its_splits(tmp_path: Path) -> None:
    every = checked(tmp_path / "a", verify={"model": "writer"})["verify"]
    one = checked(tmp_path / "b", verify={"model": "writer", "splits": ["test"]})["verify"]
    assert 0.3 < one.requests / every.requests < 0.7


def test_a_model_without_a_price_has_no_cost_and_says_so(tmp_path: Path) -> None:
    row = checked(tmp_path, models={"writer": {"provider": "p", "model": "m"}})["stitch"]
    assert row.cost is None
    assert "no price given" in row.in_words()


def test_without_models_nothing_is_priced(tmp_path: Path) -> None:
    assert checked(tmp_path, models={}, stitch={}) == {}
