"""A task that names its files, for tests of executors: it joins files into one, and into a folder of pieces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mldr.errors import MldrError, fault
from mldr.files import sha256_text


@dataclass(frozen=True, slots=True)
class Join:
    """Joins the texts of files."""

    parts: tuple[str, ...]
    folder: str
    """Gets a copy of each part, under the hash of its text, and a link to none."""
    out: str
    """Gets all parts, last."""

    def inputs(self) -> list[str]:
        return list(self.parts)

    def outputs(self) -> list[str]:
        return [self.folder, self.out]

    def moved(self, places: Mapping[str, str]) -> Join:
        parts = tuple(places.get(path, path) for path in self.parts)
        return replace(
            self, parts=parts, folder=places.get(self.folder, self.folder), out=places.get(self.out, self.out)
        )


def join(task: Join) -> int:
    """Return the length of the joined text. `bad` in a part is a fault, `ugly` another error, `none` writes nothing."""
    texts = [Path(part).read_text(encoding="utf-8") for part in task.parts]
    for part, text in zip(task.parts, texts, strict=True):
        if text == "bad":
            raise fault(part, f"{part} is bad; mend it")
        if text == "ugly":
            raise MldrError(f"{part} is ugly")
    if "none" in texts:
        return 0
    for text in texts:
        target = Path(task.folder, sha256_text(text)[:2], sha256_text(text))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    Path(task.out).write_text("".join(texts), encoding="utf-8")
    return len("".join(texts))


def write_parts(folder: Path, **texts: str) -> list[str]:
    """Write one file a text; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return [str(folder / f"{name}.txt") for name in texts]
