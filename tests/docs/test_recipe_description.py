"""The description of a recipe, held against the settings: nothing that a recipe may say is left out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from mldr.builders.recipe import Recipe

DESCRIPTION = Path(__file__).parents[2] / "docs" / "recipe.md"

pytestmark = pytest.mark.skipif(not DESCRIPTION.is_file(), reason="the tests run away from the checkout")


def settings(model: type[BaseModel], place: str = "") -> Iterator[str]:
    """Yield the dotted name of every setting, those of nested models too."""
    for name, field in model.model_fields.items():
        yield f"{place}{name}"
        for inner in models_in(field.annotation):
            yield from settings(inner, f"{place}{name}.")


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models_in(argument)


def test_every_setting_stands_in_the_description() -> None:
    text = DESCRIPTION.read_text(encoding="utf-8")
    described = set(re.findall(r"(?<![\w.])([a-z_]+)(?=:|`)", text))
    assert [name for name in settings(Recipe) if name.rpartition(".")[2] not in described] == []
