"""An export as a folder: the training files, the pictures where they stand beside, and `export.json`, which says what it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mldr.dataset import Dataset
from mldr.errors import MldrError
from mldr.export.examples import Example, Rendering, examples
from mldr.export.images import write_images
from mldr.export.swift import write_swift
from mldr.export.trl import write_trl
from mldr.files import sha256_file, write_json
from mldr.folders import Workshop, fresh_folder
from mldr.formats import format_line
from mldr.prompts import Prompt
from mldr.versions import shaping_versions

Target = Literal["ms-swift", "trl"]
MARK = "export.json"
IMAGES = "images"
"""The folder of pictures beside ms-swift JSON."""


@dataclass(slots=True)
class Exported:
    """What an export holds."""

    files: list[str] = field(default_factory=list)
    """Of rows, relative to the export's folder."""
    rows: int = 0
    dialogues: int = 0
    """That the rows ask about."""
    rows_without_images: int = 0
    """TRL fails on a batch that mixes these with rows that have images."""
    images: int = 0
    """Pictures that the split has bytes of."""
    unasked: int = 0
    """Dialogues without a query; a training file has no place for them."""
    captioned: int = 0
    """Images, over all rows, that show as captions because the dataset has no bytes of them."""
    prompts: dict[str, Prompt] = field(default_factory=dict)

    def notes(self, rendering: Rendering) -> Iterator[str]:
        """Yield what whoever trains on it must know, in one line each."""
        if rendering.sees == "pixels" and not self.images:
            yield "the split has no picture, so every image shows as its caption: captions only"
        elif self.captioned:
            yield f"{self.captioned:,} images have no bytes here and show as captions; every image keeps its id"
        if self.unasked:
            yield f"{self.unasked:,} dialogues have no query and are not in the files"
        if self.rows_without_images and self.rows_without_images < self.rows:
            yield (
                f"{self.rows_without_images:,} of {self.rows:,} rows have no image; TRL fails on a batch that mixes them "
                "with others: train on one kind at a time, or leave them out"
            )


def export(
    dataset: Dataset, split: str, target: Target, out: Path, rendering: Rendering | None = None, *, force: bool = False
) -> Exported:
    """Write the queries of a split as training files; return what was written.

    Args:
        dataset: the dataset.
        split: one whose gold is shown.
        target: `ms-swift` (one JSON list, pictures in `images/`) or `trl` (Parquet that holds the pictures).
        out: the folder to be.
        rendering: how dialogues and queries look; by default as in the papers.
        force: replace an earlier export there.

    Raises:
        MldrError: if the split shows no gold, or something else stands at `out`.
    """
    rendering = rendering or Rendering()
    if not dataset.has_gold(split):
        raise MldrError(f"{dataset.folder}: the gold of split {split!r} is withheld; there is nothing to train on")
    with fresh_folder(out, MARK, force=force) as workshop:
        written = _write(dataset, split, target, rendering, workshop)
        write_json(workshop.new / MARK, _described(dataset, split, target, rendering, written, workshop.new))
    return written


def _write(dataset: Dataset, split: str, target: Target, rendering: Rendering, workshop: Workshop) -> Exported:
    written = Exported()
    folder = workshop.new / IMAGES if target == "ms-swift" else workshop.work / IMAGES
    names = write_images(dataset, split, folder) if rendering.sees == "pixels" else {}
    if not names and folder.is_dir():
        folder.rmdir()
    written.images = len(names)
    rows = _watched(examples(dataset, split, rendering, names), written, rendering)
    if target == "ms-swift":
        path = workshop.new / f"{split}.json"
        write_swift(path, rows, {key: f"{IMAGES}/{name}" for key, name in names.items()})
        paths = [path]
    else:
        files = {key: folder / name for key, name in names.items()}
        paths, _, _ = write_trl(workshop.new, split, rows, files, images=bool(names))
    written.unasked = max(0, dataset.manifest.counts.get(split, {}).get("dialogues", 0) - written.dialogues)
    written.files = [path.relative_to(workshop.new).as_posix() for path in paths]
    return written


def _watched(found: Iterable[Example], written: Exported, rendering: Rendering) -> Iterator[Example]:
    """Yield examples on, counting."""
    last = ""
    for example in found:
        written.rows += 1
        written.dialogues += example.dialogue_id != last
        last = example.dialogue_id
        written.rows_without_images += not example.image_keys
        written.prompts[example.prompt.name] = example.prompt
        if rendering.sees == "pixels":
            rendered = "".join(part for part in example.user if isinstance(part, str))
            written.captioned += rendered.count("<|img_id_start|>") - len(example.image_keys)
        yield example


def _described(
    dataset: Dataset, split: str, target: Target, rendering: Rendering, written: Exported, folder: Path
) -> dict[str, Any]:
    prompts = {
        name: {"system": used.system, "user": used.user, "sha256": used.sha256}
        for name, used in sorted(written.prompts.items())
    }
    counts = Counter(rows=written.rows, rows_without_images=written.rows_without_images, images=written.images)
    return {
        "format": format_line("export"),
        "dataset": dataset.name,
        "split": split,
        "to": target,
        "sees": rendering.sees,
        "prompts": prompts,
        "counts": dict(counts),
        "gold_hash": dataset.manifest.gold_hash.get(split, ""),
        "canary": dataset.manifest.canary,
        "versions": shaping_versions(),
        "files": {name: sha256_file(folder / name) for name in written.files},
        "paths": "image paths are relative to this folder: train from here, or set ROOT_IMAGE_DIR to it"
        if target == "ms-swift"
        else "the pictures are in the rows",
    }
