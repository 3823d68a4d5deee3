"""De-identified dialogues and a collection of them, as the privacy step leaves them: what consent and labels are tried on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.consents import Consent
from mldr.annotation.records import Collected, CollectedImage, CollectedMask, write_collected
from mldr.annotation.spans import Mask
from mldr.dialogue import Dialogue, DialogueImage, Utterance
from mldr.images import normalise
from tests.conftest import picture

TODAY = dt.date(2026, 5, 1)


def subject(number: int) -> str:
    """The key of a person."""
    return f"{number:032x}"


def consent(number: int, *scopes: str, **changes: Any) -> Consent:
    """What a person said, once, before today."""
    fields = {
        "subject_key": subject(number),
        "scopes": scopes or ("research", "public", "images", "third_party_model", "cross_border"),
        "notice_version": "1",
        "date": "2026-01-02",
        "method": "signed",
        "adult": True,
    }
    return Consent.model_validate({**fields, **changes})


def collected(
    turns: str, number: int = 1, images: Sequence[int] = (), replies: dict[int, int] | None = None, colour: str = "red"
) -> Collected:
    """A dialogue whose turns are speakers' numbers ("1221"); some utterances carry a picture, some answer another one."""
    key = normalise(picture(colour)).image_key
    utterances = tuple(
        Utterance(
            f"S{speaker}",
            f"word{place} of S{speaker}",
            (list(images).index(place),) if place in images else (),
            dt.datetime(2020, 1, 1, 12, place),
            (replies or {}).get(place),
        )
        for place, speaker in enumerate(turns)
    )
    shown = tuple(CollectedImage(key, "present", 40, 30, "image/png", {"faces": 0, "codes": 0}, "yes") for _ in images)
    masks = tuple(
        CollectedMask(place, Mask(0, 4, "name", "word", 0.9, "member")) for place in range(len(turns)) if place % 2
    )
    return Collected(
        Dialogue(f"{number:016x}", "en", "real", "c1", utterances, tuple(DialogueImage(key) for _ in images)),
        {f"S{speaker}": subject(int(speaker)) for speaker in sorted(set(turns))},
        shown,
        masks,
        {"read": True},
    )


def collection_of(folder: Path, *dialogues: Collected, colour: str = "red") -> Collection:
    """A collection with the pictures that its dialogues show."""
    collection = open_collection(folder, create=True)
    for one in dialogues:
        write_collected(collection.dialogues, one)
        for image in one.images:
            path = collection.image_path(image.image_key, image.media_type)
            path.parent.mkdir(exist_ok=True)
            for tint in (colour, "red", "blue"):
                if normalise(picture(tint)).image_key == image.image_key:
                    path.write_bytes(normalise(picture(tint)).content)
    return collection
