"""The first step of a build: every source of a recipe is read once, and written to the spool."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldr.builders.licensed import allowed
from mldr.builders.recipe import Recipe, SourceRecipe
from mldr.builders.sources.record import Reading, Source, SourceDialogue, SourceImage
from mldr.builders.spool import Spool, spooled
from mldr.builders.stitch import bridges
from mldr.errors import Fault, InputError, MldrError, fault
from mldr.files import canonical_json, sha256_file, sha256_text
from mldr.localmodels import files_hash
from mldr.plugins import resolve


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that is known of the sources before any picture is opened."""

    recipe: Recipe
    recipe_hash: str
    spool: Spool
    images: dict[str, SourceImage]
    reading: Reading
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def left_out(self) -> dict[str, int]:
        """Reason -> records of the sources that are not in the dataset, so far."""
        return dict(sorted((self.dropped + self.reading.counts).items()))  # Counter addition leaves out zeros


def open_sources(recipe: Recipe, folder: Path) -> list[Source]:
    """Return the readers of a recipe's sources.

    Raises:
        InputError: with each entry of an unknown type, or that its reader refuses.
    """
    sources: list[Source] = []
    faults: list[Fault] = []
    for position, entry in enumerate(recipe.sources):
        try:
            sources.append(_opened(resolve("mldr.sources", entry.type), entry, folder))
        except InputError as error:
            faults.extend(error.faults)
        except MldrError as error:
            faults.append(Fault(f"recipe, sources.{position}.type", str(error)))
    if faults:
        raise InputError(faults)
    return sources


def _opened(kind: Any, entry: SourceRecipe, folder: Path) -> Source:
    if not isinstance(kind, type) or not all(callable(getattr(kind, name, None)) for name in ("inputs", "read")):
        raise MldrError(f"{entry.type} is no source: it lacks inputs() or read()")
    source: Source = kind(entry, folder)
    return source


def recipe_hash(recipe: Recipe, sources: list[Source]) -> str:
    """Return the identity of a build: its recipe and the hashes of the files that it reads, an embedder's folder too."""
    inputs = []
    for entry, source in zip(recipe.sources, sources, strict=True):
        try:
            inputs.append([sha256_file(path) for path in source.inputs()])
        except OSError as error:
            raise fault(f"recipe, source {entry.name}", f"{error.filename}: {error.strerror}") from error
    document: dict[str, Any] = {"recipe": recipe.published(), "inputs": inputs}
    if recipe.embedder is not None and recipe.embedder.model and Path(recipe.embedder.model).is_dir():
        document["embedder"] = files_hash(
            "embedder.model", Path(recipe.embedder.model)
        )  # the recipe tells no more than its name
    return sha256_text(canonical_json(document))


def prepare(recipe: Recipe, folder: Path, work: Path) -> Prepared:
    """Read every source of a recipe.

    Args:
        recipe: what to read.
        folder: the recipe's, to which its paths are relative.
        work: a folder for intermediate files.

    Raises:
        InputError: with the faults of all sources.
        MldrError: for a file that cannot be read.
    """
    sources = open_sources(recipe, folder)
    identity = recipe_hash(recipe, sources)
    reading = Reading()
    dropped: Counter[str] = Counter()
    work.mkdir(parents=True, exist_ok=True)
    dialogues = (
        dialogue
        for source in sources
        for dialogue in source.read(reading)
        if _wanted(dialogue, recipe, reading, dropped)
    )
    spool, images = spooled(dialogues, work / "sources.jsonl", reading)
    if not spool.heads and not reading.faults:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in sorted(dropped.items()))
        reading.faults.add("sources", "hold no dialogue" + (f" that the recipe wants: {reasons}" if dropped else ""))
    reading.faults.check()
    return Prepared(recipe, identity, spool, images, reading, dropped)


def _wanted(dialogue: SourceDialogue, recipe: Recipe, reading: Reading, dropped: Counter[str]) -> bool:
    if recipe.languages and dialogue.language not in recipe.languages:
        dropped[f"sources in a language the recipe does not name ({dialogue.language})"] += 1
        return False
    if reason := allowed(dialogue, recipe.licences):
        dropped[f"sources whose licence the recipe does not name ({reason})"] += 1
        return False
    if dialogue.language not in bridges():
        known = ", ".join(sorted(bridges()))
        reading.faults.add(dialogue.place, f"no bridge utterances in {dialogue.language!r} (there are: {known})")
        return False
    return True
