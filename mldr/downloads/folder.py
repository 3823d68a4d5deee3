"""A folder of downloads: each file named by the SHA-256 of its url, with a record beside it that was written last."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from mldr.errors import MldrError
from mldr.files import parse_json, sha256_file, sha256_text, write_json, written_whole

State = Literal["fetched", "gone", "refused", "unusable"]
"""`gone`: 404 or 410. `refused`: not to be had by us (robots.txt, 403, an address that is not public).
`unusable`: arrived and is no picture, too large, or not the one that was expected."""


@dataclass(frozen=True, slots=True)
class Download:
    """What became of one url, once and for all."""

    url: str
    state: State
    sha256: str = ""
    """Of the bytes as they came; '' where none are kept."""
    bytes: int = 0
    status: int = 0
    """The HTTP status that decided; 0 where no answer was needed."""
    reason: str = ""


class Downloads:
    """A folder that `mldr dataset hydrate` fills. A file without its record is an interrupted download and does not count.

    Args:
        folder: `<first two hex digits>/<hex>` are the files, `<hex>.json` the records.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, url: str) -> Path:
        """Return where the bytes of a url are, or would be."""
        name = sha256_text(url)
        return self.folder / name[:2] / name

    def record(self, url: str) -> Download | None:
        """Return what became of a url, None where nothing final did.

        Raises:
            MldrError: for a record that is damaged or is another url's.
        """
        path = self.place(url).with_suffix(".json")
        if path.is_symlink() or not path.is_file():
            return None
        try:
            found = Download(**parse_json(path.read_bytes()))
            if found.state not in get_args(State) or not isinstance(found.sha256, str):
                raise ValueError(found.state)
        except (ValueError, TypeError) as error:
            raise MldrError(f"{path}: no record of a download; remove it, and its url is fetched again") from error
        if found.url != url:
            raise MldrError(f"{path}: the record of another url; remove it, and its own is fetched again")
        return found

    def fetched(self, url: str) -> Path | None:
        """Return the file of a url whose bytes are those that came, hashed anew; None where it was not fetched.

        Raises:
            MldrError: if the bytes are not those that came.
        """
        found = self.record(url)
        if found is None or found.state != "fetched":
            return None
        path = self.place(url)
        if path.is_symlink() or not path.is_file() or sha256_file(path) != found.sha256:
            raise MldrError(f"{path}: not the bytes that came from the web; remove its record {path.name}.json")
        return path

    def keep(self, download: Download, content: bytes | None = None) -> None:
        """Write the record of a url, after its bytes where it has some."""
        path = self.place(download.url)
        if content is not None:
            with written_whole(path) as temporary:
                temporary.write_bytes(content)
        write_json(path.with_suffix(".json"), asdict(download))
