"""The files that the local page is made of, read from the installed package."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
}


def page_files(shell: str = "label.html") -> Mapping[str, tuple[bytes, str]]:
    """Return address -> (bytes, media type) of the page's files; the shell stands at `/`.

    Args:
        shell: which HTML file of `annotation/page/` the page begins with.
    """
    found: dict[str, tuple[bytes, str]] = {}
    for entry in sorted(files("mldr.annotation.page").iterdir(), key=lambda entry: entry.name):
        media_type = MEDIA_TYPES.get("." + entry.name.rpartition(".")[2])
        if media_type is not None:
            address = "/" if entry.name == shell else f"/{entry.name}"
            found[address] = (entry.read_bytes(), media_type)
    return found
