"""Source corpora for builder tests, written to real files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from mldr.builders.labels import Labelled
from mldr.builders.plan import PlanRow
from mldr.builders.rulequery import RuleQueries
from mldr.builders.settings import QuerySettings
from mldr.builders.sources.record import SourceDialogue, SourceImage, SourceTag, SourceTurn
from mldr.builders.stitch import Stitched
from mldr.builders.writing.context import Material, WritingContext
from mldr.builders.writing.draft import Draft
from mldr.builders.writing.realise import labelled
from tests.conftest import picture

COLOURS = ("red", "green", "blue", "black", "white", "yellow", "purple", "orange", "pink", "brown", "cyan", "gray")


def line(number: int, *, topic: str = "", lang: str = "en", image: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return one dialogue of a neutral JSONL file: five turns, an image on the second if there is one."""
    words = [f"w{number}x{i}" for i in range(5)]
    turns: list[dict[str, Any]] = [
        {"speaker": "ab"[i % 2], "text": f"{word} said about {topic or number}", "image": image if i == 1 else None}
        for i, word in enumerate(words)
    ]
    record: dict[str, Any] = {"id": f"d{number:04d}", "lang": lang, "speakers": ["a", "b"], "turns": turns}
    return {**record, "topic": topic} if topic else record


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    """Write a neutral JSONL file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return path


def write_recipe(folder: Path, **changed: Any) -> Path:
    """Write a recipe that reads `sources.jsonl` beside it."""
    document: dict[str, Any] = {
        "format": "mldr/recipe@1",
        "name": "tests",
        "seed": 3,
        "sources": [{"type": "jsonl", "name": "src", "path": "sources.jsonl"}],
        "splits": {"validation": 0.5, "test": 0.5},
        **changed,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def corpus(folder: Path, n: int, n_images: int = 12, **recipe: Any) -> Path:
    """Write `n` dialogues of six topics with pictures, and the recipe that reads them; return the recipe."""
    for position in range(n_images):
        target = folder / "pictures" / f"{position}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(picture(COLOURS[position % len(COLOURS)], (40 + position, 30)))
    lines = []
    for number in range(n):
        path = f"pictures/{number % n_images}.png"
        image = {"id": f"i{number % n_images}", "path": path, "caption": f"caption {number % n_images}"}
        lines.append(line(number, topic=f"topic{number % 6}", image=image if number % 3 == 0 else None))
    write_lines(folder / "sources.jsonl", lines)
    return write_recipe(folder, **recipe)


def source(
    name: str, topic: str, n_turns: int = 4, images: tuple[str, ...] = (), language: str = "en"
) -> SourceDialogue:
    """Return a source dialogue in memory; image k is carried by turn k."""
    return SourceDialogue(
        source_id=name,
        source="src",
        language=language,
        speakers=("a", "b"),
        topic=topic,
        turns=tuple(SourceTurn(i % 2, f"{name} turn {i}", i if i < len(images) else None) for i in range(n_turns)),
        images=tuple(SourceImage(f"src/{image}", caption=f"picture of {image}") for image in images),
        tags=(SourceTag("pair", "fine", (0, n_turns - 1), (), f"{name} asks"),),
        label_source="human",
    )


def tree_bytes(folder: Path) -> dict[str, bytes]:
    """Return path -> bytes of every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def label(
    row: PlanRow,
    stitched: Stitched,
    sources: Sequence[SourceDialogue],
    strangers: Sequence[SourceDialogue],
    rules: RuleQueries,
    seed: int,
    *,
    neighbours: Sequence[SourceDialogue] = (),
    settings: QuerySettings | None = None,
    salt: bytes = b"",
) -> Labelled:
    """Return the labels of a stitched dialogue by rule, as a build without models makes them."""
    material = Material(row, tuple(sources), strangers, neighbours)
    context = WritingContext(seed, rules, queries=settings or QuerySettings(), salt=salt)
    return labelled(material, stitched, context, Draft(row.dialogue_id))
