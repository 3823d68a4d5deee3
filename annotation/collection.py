"""The collection: de-identified dialogues, what annotators say of them, and who consented to what. Nothing raw is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mldr.annotation.records import Collected, cut_path, read_collected
from mldr.errors import MldrError, fault
from mldr.files import parse_json, write_json
from mldr.formats import format_line, upgraded

MARK = "collection.json"
DIALOGUE_ID = re.compile(r"[0-9a-f]{16}")
ANNOTATOR = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
"""What an annotator may be called: it becomes a file name."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection.

    collection.json  ·  dialogues/<dialogue_id>.json  ·  images/<hex>.jpg|png  ·  queries/<dialogue_id>.jsonl (asked of every
    annotator)  ·  labels/<annotator>/<dialogue_id>.jsonl  ·  adjudicated/<dialogue_id>.jsonl  ·  reviews/<dialogue_id>.jsonl
    consent.jsonl  ·  tombstones.jsonl  ·  receipts/<bundle>.json
    """

    folder: Path

    @property
    def dialogues(self) -> Path:
        """The folder of de-identified dialogues."""
        return self.folder / "dialogues"

    @property
    def images(self) -> Path:
        """The folder of covered pictures, named by the hex of their key."""
        return self.folder / "images"

    @property
    def consents(self) -> Path:
        """The consent record, append-only."""
        return self.folder / "consent.jsonl"

    @property
    def tombstones(self) -> Path:
        """What was withdrawn, append-only."""
        return self.folder / "tombstones.jsonl"

    def queries(self, dialogue_id: str) -> Path:
        """Return the file of the queries that every annotator is asked about a dialogue."""
        return self.folder / "queries" / f"{self.known(dialogue_id)}.jsonl"

    def labels(self, annotator: str, dialogue_id: str) -> Path:
        """Return the log of one annotator about one dialogue."""
        if not ANNOTATOR.fullmatch(annotator):
            raise MldrError(
                f"annotator {annotator!r}: at most 32 of a-z, 0-9, - and _ are expected, a letter or digit first"
            )
        return self.folder / "labels" / annotator / f"{self.known(dialogue_id)}.jsonl"

    def adjudicated(self, dialogue_id: str) -> Path:
        """Return the log of the adjudicator about one dialogue."""
        return self.folder / "adjudicated" / f"{self.known(dialogue_id)}.jsonl"

    def reviews(self, dialogue_id: str) -> Path:
        """Return the log of the privacy pass over one dialogue."""
        return self.folder / "reviews" / f"{self.known(dialogue_id)}.jsonl"

    def known(self, dialogue_id: str) -> str:
        """Return a dialogue_id that may be a file name.

        Raises:
            MldrError: for anything else: ids come from requests and files.
        """
        if not DIALOGUE_ID.fullmatch(dialogue_id):
            raise MldrError(f"dialogue {dialogue_id!r}: 16 hex digits are expected")
        return dialogue_id

    def image_path(self, image_key: str, media_type: str) -> Path:
        """Return the file of a picture's bytes."""
        digits = image_key.removeprefix("sha256:")
        if not re.fullmatch(r"[0-9a-f]{64}", digits):
            raise MldrError(f"image {image_key!r} has no bytes in a collection")
        return self.images / (digits + (".jpg" if media_type == "image/jpeg" else ".png"))

    def ids(self) -> list[str]:
        """Return the ids of its dialogues, ascending."""
        found = (path.stem for path in self.dialogues.glob("*.json"))
        return sorted(name for name in found if DIALOGUE_ID.fullmatch(name))

    def annotators(self) -> list[str]:
        """Return who labelled something, in alphabetical order."""
        return sorted(path.name for path in (self.folder / "labels").glob("*") if ANNOTATOR.fullmatch(path.name))

    def read(self, dialogue_id: str) -> Collected:
        """Return a dialogue.

        Raises:
            MldrError: if there is none of that id, or it cannot be read.
        """
        return read_collected(cut_path(self.dialogues, self.known(dialogue_id)))

    def __iter__(self) -> Iterator[Collected]:
        for dialogue_id in self.ids():
            yield self.read(dialogue_id)


def open_collection(folder: Path, *, create: bool = False) -> Collection:
    """Return the collection in a folder; `create` makes an empty one where nothing stands.

    Raises:
        MldrError: if there is none, or it is of a newer format.
    """
    mark = folder / MARK
    if create and not mark.exists():
        if folder.exists() and any(folder.iterdir()):
            raise MldrError(f"{folder} holds something else than a collection; choose another folder")
        folder.mkdir(parents=True, exist_ok=True)
        write_json(mark, {"format": format_line("collection")})
    try:
        document = parse_json(mark.read_bytes())
    except FileNotFoundError as error:
        raise MldrError(f"{folder} is no collection: it has no {MARK}; `mldr annotate privacy` makes one") from error
    except ValueError as error:
        raise fault(str(mark), str(error)) from error
    if not isinstance(document, dict):
        raise fault(str(mark), "a JSON object is expected")
    upgraded(document, "collection", str(mark))
    return Collection(folder)
