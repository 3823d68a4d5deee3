"""A source dialogue as every reader yields it, and what a reader reports beside it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mldr.builders.recipe import SourceRecipe
from mldr.dialogue import LabelSource, Level
from mldr.errors import Faults


@dataclass(frozen=True, slots=True)
class SourceImage:
    """A picture of a source dialogue, before its bytes were looked at."""

    ref: str
    """`<source>/<image id>`: what makes two pictures the same before their bytes are known."""
    path: str = ""
    """An existing local file, '' where there is none."""
    member: str = ""
    """Where the picture lies inside that file, if the file is a Parquet; as `mldr.builders.sources.parquet` names it."""
    url: str = ""
    """An http(s) address, kept and never opened by a build."""
    caption: str = ""
    licence: str = ""
    attribution: str = ""
    place: str = ""
    """Where it was read, for faults."""


@dataclass(frozen=True, slots=True)
class SourceTurn:
    """One message."""

    speaker: int
    """Position in `SourceDialogue.speakers`."""
    text: str
    image: int | None = None
    """Position in `SourceDialogue.images`."""


@dataclass(frozen=True, slots=True)
class SourceTag:
    """A name for some elements of a dialogue that belong together, and a query that they answer."""

    name: str
    level: Level
    turns: tuple[int, ...]
    images: tuple[int, ...]
    query: str = ""


@dataclass(frozen=True, slots=True)
class SourceDialogue:
    """A short, single-topic dialogue that a builder stitches; three of them make one MLDR dialogue."""

    source_id: str
    source: str
    """The name of its source in the recipe."""
    language: str
    speakers: tuple[str, ...]
    topic: str
    turns: tuple[SourceTurn, ...]
    images: tuple[SourceImage, ...] = ()
    tags: tuple[SourceTag, ...] = ()
    label_source: LabelSource = "rule"
    label_model: str = ""
    licence: str = ""
    attribution: str = ""
    place: str = ""
    """Where it was read, for faults."""
    domain: str = ""
    """A coarse subject that several topics share, where the source names one."""
    changes: tuple[str, ...] = ()
    """What reading it changed, in words; licences ask that changes are said."""

    def to_json(self) -> str:
        """Return the record as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str | bytes) -> SourceDialogue:
        """Return the record that `to_json` wrote."""
        document: dict[str, Any] = json.loads(line)
        document["speakers"], document["changes"] = tuple(document["speakers"]), tuple(document["changes"])
        document["turns"] = tuple(SourceTurn(**turn) for turn in document["turns"])
        document["images"] = tuple(SourceImage(**image) for image in document["images"])
        document["tags"] = tuple(
            SourceTag(**{**tag, "turns": tuple(tag["turns"]), "images": tuple(tag["images"])})
            for tag in document["tags"]
        )
        return cls(**document)


@dataclass(slots=True)
class Reading:
    """What reading found beside the dialogues: faults, and counts of what was left out or changed."""

    faults: Faults = field(default_factory=Faults)
    counts: Counter[str] = field(default_factory=Counter)


class Source(Protocol):
    """A reader of source dialogues. Registered in the entry-point group `mldr.sources`."""

    def __init__(self, recipe: SourceRecipe, folder: Path) -> None:
        """Take the recipe's entry and the folder that its path is relative to."""
        ...

    def inputs(self) -> list[Path]:
        """Return the files that shape what is read; their hashes are part of the recipe's."""
        ...

    def read(self, reading: Reading) -> Iterator[SourceDialogue]:
        """Yield the dialogues in the order of the source; note in `reading` what is wrong, left out or changed."""
        ...
