"""The folders that a source names beside its file: of pictures, and of what `mldr dataset hydrate` fetched for its urls."""

from __future__ import annotations

from pathlib import Path

from mldr.builders.recipe import SourceRecipe
from mldr.builders.sources.record import Reading
from mldr.downloads.folder import Downloads
from mldr.errors import MldrError, fault


def folder_of(recipe: SourceRecipe, folder: Path, key: str) -> Path | None:
    """Return the folder that a source names under a key, None where it names none.

    Raises:
        InputError: if it is not there.
    """
    name: str = getattr(recipe, key)
    if not name:
        return None
    path = folder / name
    if not path.is_dir():
        hint = "; `mldr dataset hydrate` makes it" if key == "downloads" else ""
        raise fault(f"source {recipe.name}", f"{key} is {name!r}, which is no folder{hint}")
    return path


class Fetched:
    """The files that were fetched for the urls of a source; none where it names no `downloads`.

    Args:
        recipe: the source's entry.
        folder: the recipe's, to which its paths are relative.

    Raises:
        InputError: for a folder that is not there.
    """

    def __init__(self, recipe: SourceRecipe, folder: Path) -> None:
        downloads = folder_of(recipe, folder, "downloads")
        self._downloads = None if downloads is None else Downloads(downloads)

    def find(self, url: str, place: str, reading: Reading) -> Path | None:
        """Return the file of a url, None where there is none; one that is damaged is a fault in `reading`."""
        if not url or self._downloads is None:
            return None
        try:
            return self._downloads.fetched(url)
        except MldrError as error:
            reading.faults.add(place, str(error))
            return None
