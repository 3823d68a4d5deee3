"""The recipe of a build: what is read, how it is split, matched and asked. Every value that shapes the bytes is here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from mldr.configuration import load_yaml_model
from mldr.dataset import SPLITS
from mldr.dialogue import LabelSource
from mldr.formats import format_line, upgraded

_NAME = r"^[a-z0-9][a-z0-9-]{0,63}$"
_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds a NUL or half of a surrogate pair")
    return text


Text = Annotated[str, AfterValidator(_storable)]


class SourceRecipe(BaseModel):
    """One source of short dialogues."""

    model_config = _STRICT

    type: Text
    """A registered source (`demo`, `jsonl`), or `module:Class`."""
    name: str = Field(pattern=_NAME)
    """Stands before the ids of its dialogues and images."""
    path: Text = ""
    """A file, relative to the recipe's folder; for sources that read one."""
    max_turns: int | None = Field(default=None, ge=2)
    """Dialogues are cut after so many turns."""
    label_source: LabelSource = "release"
    """Where the tags and queries that the source brings come from."""
    label_model: Text = ""
    """The model that made them, if one did."""


class QueryRecipe(BaseModel):
    """How many queries without an answer are asked."""

    model_config = _STRICT

    negatives: int = Field(default=2, ge=0, le=100)
    """Negative queries a dialogue."""


class Recipe(BaseModel):
    """A whole build."""

    model_config = _STRICT

    format: str
    name: str = Field(pattern=_NAME)
    """The dataset is called `mldr-ffr-<name>`."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    images: Literal["required", "optional"] = "required"
    """`optional` allows images without bytes: they stay as captions, and every report says so."""
    languages: list[str] = Field(default_factory=list)
    """Only these; dialogues in others are dropped and counted. Empty: all."""
    sources: list[SourceRecipe] = Field(min_length=1)
    splits: dict[str, float]
    """Split -> its share of the sources; shares sum to at most 1."""
    queries: QueryRecipe = Field(default_factory=QueryRecipe)
    notice: Text = ""
    """A warning that the dataset card shows first."""

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, document: Any) -> Any:
        from mldr.errors import MldrError

        try:
            return upgraded(document, "recipe", "recipe") if isinstance(document, dict) else document
        except MldrError as error:
            raise ValueError(f"{error}; the first line of a recipe is `format: {format_line('recipe')}`") from error

    @field_validator("languages")
    @classmethod
    def _subtags(cls, languages: list[str]) -> list[str]:
        for language in languages:
            if not re.fullmatch(r"[a-z]{2,3}", language):
                raise ValueError(f"{language!r} is no primary language subtag such as zh or en")
        return languages

    @field_validator("splits")
    @classmethod
    def _shares(cls, splits: dict[str, float]) -> dict[str, float]:
        for split, share in splits.items():
            if split not in SPLITS:
                raise ValueError(f"{split!r} is no split; splits are {', '.join(SPLITS)}")
            if not 0 < share <= 1:
                raise ValueError(f"the share of {split} is {share}; it lies above 0 and is at most 1")
        if not splits or sum(splits.values()) > 1 + 1e-9:
            raise ValueError("at least one split is needed, and shares sum to at most 1")
        return splits

    @field_validator("sources")
    @classmethod
    def _distinct(cls, sources: list[SourceRecipe]) -> list[SourceRecipe]:
        names = [source.name for source in sources]
        if len(set(names)) < len(names):
            raise ValueError("two sources have the same name")
        return sources

    def published(self) -> dict[str, Any]:
        """Return the recipe as the manifest keeps it: with every default, paths cut to file names."""
        document = self.model_dump()
        for source in document["sources"]:
            source["path"] = Path(source["path"]).name
        return document


def load_recipe(path: Path) -> Recipe:
    """Return the recipe in a YAML file.

    Raises:
        InputError: with every fault at its line.
    """
    return load_yaml_model(path, Recipe)
