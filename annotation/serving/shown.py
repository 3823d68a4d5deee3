"""A collected dialogue as the page gets it, and the bytes of its pictures, by id and from the collection's folder alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mldr.annotation.collection import Collection
from mldr.annotation.privacy.reviewed import apply_reviews
from mldr.annotation.records import Collected
from mldr.annotation.reviews import read_reviews
from mldr.dialogue import Dialogue
from mldr.errors import MldrError
from mldr.files import inside
from mldr.web import Refusal, Reply

PAUSE_S = 30 * 60
"""A longer pause between two messages is shown as a divider."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A dialogue in two states."""

    collected: Collected
    """As it was collected: what ids may be labelled."""
    now: Collected
    """With the privacy pass carried out: what is seen."""
    removed: frozenset[int]
    left_out: bool


class Shelf:
    """The dialogues of a collection, each read again only when its file or its reviews change."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self._kept: dict[str, tuple[tuple[int, ...], Shown]] = {}

    def __getitem__(self, dialogue_id: str) -> Shown:
        paths = (self.collection.dialogues / f"{self.collection.known(dialogue_id)}.json", self._reviews(dialogue_id))
        stamp = tuple(number for path in paths for number in _stamp(path))
        kept = self._kept.get(dialogue_id)
        if kept is None or kept[0] != stamp:
            if not paths[0].is_file():
                raise Refusal(404, f"no dialogue {dialogue_id}")
            kept = self._kept[dialogue_id] = (stamp, self._read(dialogue_id))
        return kept[1]

    def _reviews(self, dialogue_id: str) -> Path:
        return self.collection.reviews(dialogue_id)

    def _read(self, dialogue_id: str) -> Shown:
        collected = self.collection.read(dialogue_id)
        reviewed = read_reviews(self._reviews(dialogue_id))
        now = apply_reviews(collected, reviewed)
        return Shown(collected, now, frozenset(reviewed.removed), reviewed.left_out)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def as_page(collected: Collected, removed: frozenset[int] = frozenset()) -> dict[str, Any]:
    """Return what the page shows of a dialogue; no subject, no key and no path is in it."""
    dialogue = collected.dialogue
    pictures = [
        {
            "status": image.status,
            "width": image.width,
            "height": image.height,
            "covered": image.covered,
            "decision": image.decision,
        }
        for image in collected.images
    ]
    return {
        "dialogue_id": dialogue.dialogue_id,
        "language": dialogue.language,
        "utterances": [_utterance(dialogue, index, index in removed) for index in range(dialogue.n_utterances)],
        "images": pictures,
    }


def _utterance(dialogue: Dialogue, index: int, removed: bool) -> dict[str, Any]:
    utterance = dialogue.utterances[index]
    before = dialogue.utterances[index - 1].time if index else None
    pause = (utterance.time - before).total_seconds() if utterance.time and before else 0.0
    return {
        "speaker": utterance.speaker,
        "text": utterance.text,
        "image_ids": list(utterance.image_ids),
        "time": utterance.time.strftime("%Y-%m-%d %H:%M") if utterance.time else "",
        "pause_s": round(pause) if pause > PAUSE_S else 0,
        "reply_to": utterance.reply_to,
        "removed": removed,
    }


def picture_of(collection: Collection, collected: Collected, image_id: str) -> Reply:
    """Return the bytes of a picture.

    Raises:
        Refusal: if the dialogue has no such picture, it is withheld or missing, or its file leads out of the folder.
    """
    number = int(image_id) if image_id.isascii() and image_id.isdigit() and len(image_id) < 7 else -1
    if not 0 <= number < len(collected.images):
        raise Refusal(404, f"no picture {image_id}")
    image = collected.images[number]
    if image.status != "present":
        raise Refusal(404, f"picture {number} is {image.status}")
    try:
        path = collection.image_path(image.image_key, image.media_type)
        content = inside(collection.images, path.name).read_bytes()
    except (OSError, ValueError, MldrError) as error:
        raise Refusal(404, f"picture {number} cannot be read") from error
    media_type = "image/jpeg" if path.suffix == ".jpg" else "image/png"
    return Reply(content, media_type)
