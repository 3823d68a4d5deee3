"""What the readers of published corpora share: files to records, records to neutral dialogues, those to source dialogues."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mldr.builders.recipe import SourceRecipe
from mldr.builders.sources.listing import Record, listed, records, stem_of
from mldr.builders.sources.located import Pictures
from mldr.builders.sources.neutral import NeutralDialogue, NeutralTurn, clean_text, convert
from mldr.builders.sources.record import Reading, SourceDialogue
from mldr.errors import fault

PUBLISHED = ConfigDict(extra="ignore", strict=True, arbitrary_types_allowed=True)
"""For the records of corpora: keys that no dialogue needs (candidates, rationales) are passed over."""

EMPTY = "dialogues without a turn, left out"

Model = TypeVar("Model", bound=BaseModel)


class OtherLayout(Exception):
    """A file holds records of another layout; its text says what was found."""


@dataclass(slots=True)
class Told:
    """A record as a neutral dialogue, and what its reader did to it."""

    id: str
    """Within its file."""
    turns: list[NeutralTurn] = field(default_factory=list)
    topic: str = ""
    domain: str = ""
    changes: list[str] = field(default_factory=list)


class Corpus(ABC):
    """A reader of one published corpus: its own part is `told`, the rest is here.

    Args:
        recipe: the source's entry; its path is a file, or a folder of them.
        folder: the recipe's, to which that path is relative.

    Raises:
        InputError: if the path or a folder is not there.
    """

    layout: ClassVar[str]
    """A record in words, for faults."""
    language: ClassVar[str] = "en"
    licence: ClassVar[str] = ""
    """Of the dialogues as published; the recipe's word goes before it."""
    attribution: ClassVar[str]
    endings: ClassVar[tuple[str, ...]] = (".json", ".jsonl", ".parquet")

    def __init__(self, recipe: SourceRecipe, folder: Path) -> None:
        if not recipe.path:
            raise fault(f"source {recipe.name}", "needs a path to its file or folder")
        self.recipe = recipe
        self.path = folder / recipe.path
        self.files = [file for file in listed(self.path, self.endings) if self.is_dialogues(file)]
        self.pictures = Pictures(recipe, folder)

    def is_dialogues(self, file: Path) -> bool:
        """Say whether a file holds dialogues; a corpus may bring others beside them."""
        return True

    @abstractmethod
    def told(self, record: Record, file: Path, reading: Reading) -> Iterator[Told]:
        """Yield the dialogues of a record: none where it has a fault, many where a file is one record.

        Raises:
            OtherLayout: if the record is nothing of this corpus.
        """

    def inputs(self) -> list[Path]:
        """Return the files of dialogues and the image files that they name."""
        images = {
            Path(image.path)
            for dialogue in self.read(Reading())
            for image in dialogue.images
            if image.path and not image.member
        }
        return [*self.files, *sorted(images)]

    def read(self, reading: Reading) -> Iterator[SourceDialogue]:
        """Yield the dialogues in the order of the files; a record with a fault is noted and passed over."""
        for file in self.files:
            stem = stem_of(file, self.path, self.files)
            for record in records(file, reading):
                try:
                    for told in self.told(record, file, reading):
                        yield from self._dialogue(told, f"{stem}/{told.id}", record.place, reading)
                except OtherLayout as other:
                    message = f"{other}; {self.layout} is expected, so the rest of the file is not read"
                    reading.faults.add(record.place, message)
                    break

    def _dialogue(self, told: Told, identifier: str, place: str, reading: Reading) -> Iterator[SourceDialogue]:
        if not told.turns:
            reading.counts[EMPTY] += 1
            return
        before = reading.faults.total
        identifier = clean_text(identifier, place, reading)
        if reading.faults.total > before:
            return
        speakers = list(dict.fromkeys(turn.speaker for turn in told.turns))
        neutral = NeutralDialogue(
            id=identifier,
            lang=self.language,
            speakers=speakers,
            turns=told.turns,
            topic=told.topic,
            licence=self.recipe.licence or self.licence,
            attribution=self.recipe.attribution or self.attribution,
        )
        converted = convert(neutral, self.recipe, place, reading, self.pictures.find, told.changes)
        if converted is not None:
            yield replace(converted, domain=told.domain)


def checked(model: type[Model], record: Record, reading: Reading) -> Model | None:
    """Return a record as its model, None where it has faults, which are noted at their keys.

    Raises:
        OtherLayout: if it is no object, or has none of the keys that the model needs.
    """
    needed = {name for name, key in model.model_fields.items() if key.is_required()}
    if not isinstance(record.value, dict):
        raise OtherLayout(f"holds {_kind(record.value)}")
    if not needed & set(record.value):
        found = ", ".join(sorted(map(str, record.value))[:12]) or "none"
        raise OtherLayout(f"has the keys {found}")
    try:
        return model.model_validate(record.value)
    except ValidationError as error:
        for detail in error.errors():
            reading.faults.add(record.place + _steps(detail["loc"]), detail["msg"])
        return None


def _steps(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)


def _kind(value: Any) -> str:
    names = {
        type(None): "null",
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
    }
    return names.get(type(value), type(value).__name__)


def without_silence(turns: list[NeutralTurn], reading: Reading, changes: list[str]) -> list[NeutralTurn]:
    """Return the turns that say or show something; the others are counted."""
    kept = [turn for turn in turns if turn.text.strip() or turn.image is not None]
    if left := len(turns) - len(kept):
        reading.counts["turns without text or image, left out"] += left
        changes.append(f"{left} empty turns left out" if left > 1 else "an empty turn left out")
    return kept
