"""The bundled demo: chats written for mldr, about real photographs that come inside other packages' wheels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from mldr.builders.recipe import SourceRecipe
from mldr.builders.sources.neutral import NeutralImage, convert, read_neutral
from mldr.builders.sources.record import Reading, SourceDialogue, SourceImage
from mldr.errors import MissingExtra

DEMO_FOLDER = Path(__file__).resolve().parent.parent / "demo"


class Photo(BaseModel):
    """A photograph inside an installed package."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    package: str
    file: str
    """Relative to the package's folder."""
    licence: str
    attribution: str
    caption: dict[str, str]
    """Language -> caption."""


def photos() -> dict[str, Photo]:
    """Return image id -> photograph."""
    document = yaml.safe_load((DEMO_FOLDER / "photos.yaml").read_text(encoding="utf-8"))
    return {name: Photo.model_validate(entry) for name, entry in document.items()}


@cache
def package_folder(package: str) -> Path:
    """Return the folder of an installed package, without importing it.

    Raises:
        MissingExtra: if it is not installed.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingExtra(f"the demo takes its photographs from the package {package}, and", "demo")
    return Path(spec.origin).parent


class DemoSource:
    """Reads the bundled dialogues."""

    def __init__(self, recipe: SourceRecipe, folder: Path) -> None:
        self.recipe = recipe
        self.photos = photos()

    def inputs(self) -> list[Path]:
        """Return the bundled files and the photographs in the installed packages."""
        bundled = [*sorted(DEMO_FOLDER.glob("sources_*.jsonl")), DEMO_FOLDER / "photos.yaml"]
        return bundled + [package_folder(photo.package) / photo.file for _, photo in sorted(self.photos.items())]

    def read(self, reading: Reading) -> Iterator[SourceDialogue]:
        """Yield the English dialogues, then the Chinese ones.

        Raises:
            MissingExtra: if a package that holds the photographs is not installed.
        """
        for path in sorted(DEMO_FOLDER.glob("sources_*.jsonl")):
            for dialogue, place in read_neutral(path, reading):
                converted = convert(dialogue, self.recipe, place, reading, self._image)
                if converted is not None:
                    yield replace(converted, images=tuple(self._captioned(converted)))

    def _image(self, image: NeutralImage, default_id: str, place: str, reading: Reading) -> SourceImage:
        photo = self.photos.get(image.id)
        if photo is None:
            reading.faults.add(place, f"no photograph {image.id!r} in photos.yaml")
            return SourceImage(f"{self.recipe.name}/{image.id}")
        path = package_folder(photo.package) / photo.file
        if not path.is_file():
            reading.faults.add(place, f"the photograph {photo.file} is missing in the package {photo.package}")
        return SourceImage(
            f"{self.recipe.name}/{image.id}", str(path), licence=photo.licence, attribution=photo.attribution
        )

    def _captioned(self, dialogue: SourceDialogue) -> Iterator[SourceImage]:
        for image in dialogue.images:
            photo = self.photos[image.ref.removeprefix(f"{self.recipe.name}/")]
            yield replace(image, caption=photo.caption.get(dialogue.language, ""))
