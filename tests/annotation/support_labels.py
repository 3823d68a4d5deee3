"""Invented collections and logs for the tests of annotation."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image

from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.labels import Done, Drop, Put, as_line
from mldr.annotation.records import Collected, CollectedImage, CollectedMask, write_collected
from mldr.annotation.store import append_line
from mldr.dialogue import Dialogue, DialogueImage, Utterance
from mldr.images import NormalisedImage, normalise

START = datetime(2023, 5, 6, 9, 30)


def dialogue_name(number: int) -> str:
    """Return the id of an invented dialogue."""
    return f"{number:016x}"


def subject(number: int) -> str:
    """Return the subject key of an invented person."""
    return f"{number:032x}"


def small_picture(shade: int = 0) -> NormalisedImage:
    """Return a small picture in its stored form."""
    buffer = io.BytesIO()
    Image.new("RGB", (24, 16), (200, shade % 256, 90)).save(buffer, "PNG")
    return normalise(buffer.getvalue())


def collected_dialogue(
    number: int,
    n_utterances: int = 8,
    pictures: Sequence[NormalisedImage] = (),
    *,
    speakers: int = 2,
    masks: Sequence[CollectedMask] = (),
    read: bool = True,
    text: str = "message {index} of dialogue {number}",
) -> Collected:
    """Return a de-identified dialogue; its first utterances carry the pictures, one each."""
    utterances = tuple(
        Utterance(
            f"S{index % speakers + 1}",
            text.format(index=index, number=number),
            (index,) if index < len(pictures) else (),
            START + timedelta(minutes=index),
            index - 2 if index >= 2 and index % 5 == 2 else None,
        )
        for index in range(n_utterances)
    )
    images = tuple(DialogueImage(picture.image_key) for picture in pictures)
    dialogue = Dialogue(dialogue_name(number), "en", "real", f"{number:012x}", utterances, images)
    shown = tuple(
        CollectedImage(p.image_key, "present", p.width, p.height, p.media_type, {"faces": 0, "codes": 0}, "yes")
        for p in pictures
    )
    subjects = {f"S{index + 1}": subject(index) for index in range(speakers)}
    return Collected(dialogue, subjects, shown, tuple(masks), {"read": read, "masks": {}, "removed": 0})


def collection_of(folder: Path, dialogues: Sequence[Collected], pictures: Sequence[NormalisedImage] = ()) -> Collection:
    """Write a collection."""
    collection = open_collection(folder, create=True)
    for collected in dialogues:
        write_collected(collection.dialogues, collected)
    for picture in pictures:
        path = collection.image_path(picture.image_key, picture.media_type)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture.content)
    return collection


def say(collection: Collection, annotator: str, dialogue_id: str, *statements: Put | Drop | Done) -> None:
    """Append statements to an annotator's log."""
    for statement in statements:
        append_line(collection.labels(annotator, dialogue_id), as_line(statement))


def put(
    name: str, query: str, utterances: Sequence[int] = (), images: Sequence[int] = (), *, negative: bool = False
) -> Put:
    """Return a statement about a fragment."""
    return Put(fragment=name, query=query, utterance_ids=tuple(utterances), image_ids=tuple(images), negative=negative)
