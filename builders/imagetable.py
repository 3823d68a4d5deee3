"""The images of a build by key, on disk: which each split uses is gathered unit by unit, and read back in order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from mldr.builders.database import opened
from mldr.builders.pictures import Pictures, place_of, with_bytes
from mldr.dialogue import StoredImage


class ImageTable:
    """A table of stored images without their bytes, and of who uses them.

    Args:
        path: an SQLite file; made by `write`.
        folder: where the bytes lie, as `Pictures` keeps them.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder

    def write(self, pictures: Pictures) -> None:
        """Write every image once; of several with the same bytes, the first in order of ref speaks for them."""
        self.path.unlink(missing_ok=True)
        with opened(self.path) as connection:
            connection.execute("CREATE TABLE images (key TEXT PRIMARY KEY, bytes INTEGER, row TEXT) WITHOUT ROWID")
            rows = ((image.image_key, self._size(image), json.dumps(asdict(image))) for image in pictures.all())
            connection.executemany("INSERT OR IGNORE INTO images VALUES (?, ?, ?)", rows)

    def start(self) -> None:
        """Forget who uses what."""
        with opened(self.path) as connection:
            connection.execute("DROP TABLE IF EXISTS used")
            connection.execute("CREATE TABLE used (split TEXT, key TEXT, PRIMARY KEY (split, key)) WITHOUT ROWID")

    def use(self, split: str, keys: Iterable[str]) -> None:
        """Note that a split uses images."""
        with opened(self.path) as connection:
            connection.executemany("INSERT OR IGNORE INTO used VALUES (?, ?)", ((split, key) for key in keys))

    def totals(self, split: str) -> tuple[int, int]:
        """Return how many images a split uses, and their bytes on disk."""
        with opened(self.path) as connection:
            query = "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM used JOIN images USING (key) WHERE split = ?"
            count, size = connection.execute(query, (split,)).fetchone()
            return int(count), int(size)

    def used(self, split: str) -> Iterator[StoredImage]:
        """Yield the images of a split by key, with their bytes.

        Raises:
            MldrError: if bytes on disk are not those that were written.
        """
        with opened(self.path) as connection:
            query = "SELECT row FROM used JOIN images USING (key) WHERE split = ? ORDER BY key"
            for (row,) in connection.execute(query, (split,)):
                image = StoredImage(**json.loads(row))
                yield with_bytes(image, self.folder) if image.status == "present" else image

    def _size(self, image: StoredImage) -> int:
        return place_of(self.folder, image.image_key).stat().st_size if image.status == "present" else 0
