"""Where the pictures of a published corpus are: inside a Parquet file, in a local folder, or on the web."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mldr.builders.recipe import SourceRecipe
from mldr.builders.sources.fetched import Fetched, folder_of
from mldr.builders.sources.neutral import NeutralImage, web_url
from mldr.builders.sources.parquet import Inside
from mldr.builders.sources.record import Reading, SourceImage
from mldr.files import inside, sha256_text

NO_FILE = "images whose file is not in the folder of images"


class CorpusImage(NeutralImage):
    """An image of a published corpus: where its file may be, in order of preference."""

    names: tuple[str, ...] = ()
    """Paths relative to the folder of images; the first that exists is it."""
    held: Inside | None = None
    """Where its bytes lie inside a Parquet file."""


class Pictures:
    """Finds the pictures of a source. Nothing is fetched: a url is kept, or stands for a file that `hydrate` fetched.

    Args:
        recipe: the source's entry; `images` and `downloads` are its folders.
        folder: the recipe's, to which they are relative.

    Raises:
        InputError: for a folder that is not there.
    """

    def __init__(self, recipe: SourceRecipe, folder: Path) -> None:
        self.name = recipe.name
        self.images = folder_of(recipe, folder, "images")
        self.downloads = Fetched(recipe, folder)

    def find(self, image: NeutralImage, default_id: str, place: str, reading: Reading) -> SourceImage:
        """Return an image with its file, its place in a Parquet file, or its url.

        Args:
            image: as its reader understood it.
            default_id: its id where it brings none and has no url.
            place: for faults.
            reading: takes faults and counts.
        """
        url = web_url(image, reading)
        identifier = image.id or (sha256_text(url)[:16] if url else default_id)
        found = SourceImage(f"{self.name}/{identifier}", url=url, caption=image.caption)
        names, held = (image.names, image.held) if isinstance(image, CorpusImage) else ((), None)
        if held is not None:
            return _at(found, held.file, held.member)
        path = self._local(names, place, reading)
        if path is None:
            path = self.downloads.find(url, place, reading)
        return _at(found, "" if path is None else str(path))

    def _local(self, names: Iterable[str], place: str, reading: Reading) -> Path | None:
        if self.images is None or not names:
            return None
        for name in names:
            try:
                path = inside(self.images, name)
            except ValueError as error:
                reading.faults.add(place, f"the image path {name!r} {error}")
                return None
            if path.is_file():
                return path
        reading.counts[NO_FILE] += 1
        return None


def _at(image: SourceImage, path: str, member: str = "") -> SourceImage:
    return SourceImage(image.ref, path, member, image.url, image.caption)
