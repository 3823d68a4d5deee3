"""The recipe of a build: what is read, how it is split, matched and asked. Every value that shapes the bytes is here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from mldr.builders.settings import (
    NAME,
    STRICT,
    CleanSettings,
    EmbedderSettings,
    Language,
    MatchSettings,
    QuerySettings,
    StitchSettings,
    TagSettings,
    Text,
    VerifySettings,
)
from mldr.chat.endpoint import ModelEndpoint
from mldr.configuration import load_yaml_model
from mldr.dataset import SPLITS
from mldr.dialogue import LabelSource
from mldr.formats import format_line, upgraded


class SourceRecipe(BaseModel):
    """One source of short dialogues."""

    model_config = STRICT

    type: Text
    """A registered source (`demo`, `jsonl`, `photochat`, ...), or `module:Class`."""
    name: str = Field(pattern=NAME)
    """Stands before the ids of its dialogues and images."""
    path: Text = ""
    """A file or folder, relative to the recipe's folder; for sources that read one."""
    images: Text = ""
    """The folder of its image files, relative to the recipe's; for sources whose files name images without bringing them."""
    downloads: Text = ""
    """A folder that `mldr dataset hydrate` filled; its pictures stand in for the urls of this source."""
    licence: Text = ""
    """An SPDX identifier where the source's own records name none; '' is unknown, so not redistributable."""
    image_licence: Text = ""
    """The same for its images."""
    attribution: Text = ""
    max_turns: int | None = Field(default=None, ge=2)
    """Dialogues are cut after so many turns."""
    label_source: LabelSource = "release"
    """Where the tags and queries that the source brings come from."""
    label_model: Text = ""
    """The model that made them, if one did."""


class Recipe(BaseModel):
    """A whole build."""

    model_config = STRICT

    format: str
    name: str = Field(pattern=NAME)
    """The dataset is called `mldr-ffr-<name>`."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    images: Literal["required", "optional"] = "required"
    """`optional` allows images without bytes: they stay as captions, and every report says so."""
    languages: list[Language] = Field(default_factory=list)
    """Only these; dialogues in others are dropped and counted. Empty: all."""
    sources: list[SourceRecipe] = Field(min_length=1)
    splits: dict[str, float]
    """Split -> its share of the sources; shares sum to at most 1."""
    licences: list[Text] = Field(default_factory=list)
    """Only sources and images under these (SPDX identifiers; `unknown` names what states none); empty: all. What models write
    comes under the `terms` of their entries, which the card reports."""
    models: dict[str, ModelEndpoint] = Field(default_factory=dict)
    """Name -> a language model, for the steps that name it."""
    embedder: EmbedderSettings | None = None
    """Embeds texts; images too where it can."""
    clean: CleanSettings = Field(default_factory=CleanSettings)
    match: MatchSettings = Field(default_factory=MatchSettings)
    stitch: StitchSettings = Field(default_factory=StitchSettings)
    tag: TagSettings = Field(default_factory=TagSettings)
    queries: QuerySettings = Field(default_factory=QuerySettings)
    verify: VerifySettings | None = None
    unanswered: Literal["stop", "give_up"] = "stop"
    """What becomes of a question to which a model gives no usable answer, however often it is asked: the run stops when the
    others are done and asks again next time, or it is counted and kept as given up."""
    secret: bool = False
    """Build with a secret salt (kept beside the dataset, never in it), so that a published split cannot be rebuilt."""
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

    @model_validator(mode="after")
    def _resolved(self) -> Recipe:
        for step, name in self.model_names():
            if name not in self.models:
                known = ", ".join(sorted(self.models)) or "none"
                raise ValueError(f"{step}.model is {name!r}; `models` has {known}")
        wants = [
            what
            for what, wanted in (
                ("match.method: embeddings", self.match.method == "embeddings"),
                ("clean.image_text_floor", self.clean.image_text_floor is not None),
                ("clean.coherence", self.clean.coherence is not None),
            )
            if wanted
        ]
        if wants and self.embedder is None:
            raise ValueError(f"{', '.join(wants)} needs an `embedder`")
        strange = sorted(set(self.verify.splits) - set(self.splits)) if self.verify else []
        if strange:
            raise ValueError(f"verify.splits names {', '.join(strange)}; `splits` has {', '.join(self.splits)}")
        if self.stitch.language and not self.stitch.model:
            raise ValueError("stitch.language translates, which needs stitch.model")
        if self.stitch.language and not self.tag.model:
            raise ValueError("stitch.language translates, so the sources' tags no longer fit; name a tag.model")
        return self

    def model_names(self) -> Iterator[tuple[str, str]]:
        """Yield each step that a model does, with the model's name in `models`."""
        for step, settings in (("stitch", self.stitch), ("tag", self.tag), ("queries", self.queries)):
            if settings.model:
                yield step, settings.model
        if self.verify is not None:
            yield "verify", self.verify.model

    @property
    def asks_models(self) -> bool:
        """Whether any step is done by a model."""
        return any(True for _ in self.model_names())

    @field_validator("sources")
    @classmethod
    def _distinct(cls, sources: list[SourceRecipe]) -> list[SourceRecipe]:
        names = [source.name for source in sources]
        if len(set(names)) < len(names):
            raise ValueError("two sources have the same name")
        return sources

    def published(self) -> dict[str, Any]:
        """Return the recipe as the manifest keeps it: with every default, paths cut to file names, no address of a server."""
        document = self.model_dump()
        for source in document["sources"]:
            for key in ("path", "images", "downloads"):
                source[key] = Path(source[key]).name
        document["models"] = {name: model.published() for name, model in sorted(self.models.items())}
        if self.embedder is not None:
            document["embedder"] = self.embedder.model_dump(exclude={"base_url", "key_env", "batch"})
            document["embedder"]["model"] = (
                Path(self.embedder.model).name if self.embedder.model.startswith(("/", ".")) else self.embedder.model
            )
        return document


def load_recipe(path: Path) -> Recipe:
    """Return the recipe in a YAML file.

    Raises:
        InputError: with every fault at its line.
    """
    return load_yaml_model(path, Recipe)
