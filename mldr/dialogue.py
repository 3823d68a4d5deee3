"""The records that every part of mldr exchanges. They hold data and derive from it; reading and writing live elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["multimodal", "utterance", "image", "negative"]
Level = Literal["topic", "coarse", "fine", "free"]
LabelSource = Literal["rule", "model", "human", "release"]
NegativeType = Literal["", "unrelated", "near"]
Origin = Literal["stitched", "real"]
ImageStatus = Literal["present", "url_only", "withheld", "missing"]

LEVELS: tuple[Level, ...] = ("topic", "coarse", "fine", "free")


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message of one speaker. Its id is its position in the dialogue, 0-based."""

    speaker: str
    text: str
    """'' where the message has no text."""
    image_ids: tuple[int, ...] = ()
    """Running numbers into the dialogue's images."""
    time: datetime | None = None
    reply_to: int | None = None
    """The utterance id that this one answers."""


@dataclass(frozen=True, slots=True)
class DialogueImage:
    """A picture carried by an utterance. Its id is its position in `Dialogue.images`."""

    image_key: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """An ordered list of utterances, with the images that they carry."""

    dialogue_id: str
    language: str
    """Primary language subtag, `zh` or `en`."""
    origin: Origin
    cluster_id: str
    """What a split or a bootstrap must not tear apart."""
    utterances: tuple[Utterance, ...]
    images: tuple[DialogueImage, ...] = ()
    licence: str = ""
    attribution: str = ""
    meta: str = ""
    """A JSON object as a string, '' if none."""

    @property
    def n_utterances(self) -> int:
        """The number of utterances, textless ones included."""
        return len(self.utterances)

    @property
    def n_images(self) -> int:
        """The number of images: the size of the image universe."""
        return len(self.images)

    @property
    def carried_ids(self) -> tuple[int, ...]:
        """The image ids that its utterances carry, in order; of a sound dialogue 0 to n_images - 1."""
        return tuple(image_id for utterance in self.utterances for image_id in utterance.image_ids)

    @property
    def textless_ids(self) -> tuple[int, ...]:
        """The ids of utterances without text; they are outside the utterance universe."""
        return tuple(i for i, utterance in enumerate(self.utterances) if not utterance.text)


@dataclass(frozen=True, slots=True)
class Query:
    """A free text asked of one dialogue. Nothing about its answer."""

    query_id: str
    dialogue_id: str
    language: str
    text: str
    meta: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotator's own answer to a query, before adjudication."""

    annotator: str
    utterance_ids: tuple[int, ...] = ()
    image_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Gold:
    """The fragment that answers a query, and where that label comes from."""

    query_id: str
    fragment_id: str
    """'' for a negative."""
    level: Level
    utterance_ids: tuple[int, ...] = ()
    image_ids: tuple[int, ...] = ()
    label_source: LabelSource = "rule"
    label_model: str = ""
    verified: bool = False
    negative_type: NegativeType = ""
    annotations: tuple[Annotation, ...] = ()
    meta: str = ""

    @property
    def kind(self) -> Kind:
        """What the answer is made of, derived from its ids."""
        return kind_of(self.utterance_ids, self.image_ids)


@dataclass(frozen=True, slots=True)
class Fragment:
    """Utterances and images of one dialogue that share a topic or an event; not necessarily contiguous."""

    fragment_id: str
    dialogue_id: str
    level: Level
    topic: str
    source_id: str
    utterance_ids: tuple[int, ...] = ()
    image_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A picture as a dataset keeps it: once, under its key."""

    image_key: str
    """`sha256:<hex of the stored bytes>`, or `ref:<source>/<id>` for one without bytes."""
    status: ImageStatus
    content: bytes | None = None
    width: int | None = None
    height: int | None = None
    media_type: str = ""
    url: str = ""
    source: str = ""
    licence: str = ""
    attribution: str = ""
    meta: str = ""

    @property
    def file_name(self) -> str:
        """A name for the bytes, '' where there are none."""
        if self.content is None:
            return ""
        ending = {"image/jpeg": ".jpg", "image/png": ".png"}.get(self.media_type, "")
        return self.image_key.removeprefix("sha256:") + ending


def kind_of(utterance_ids: tuple[int, ...], image_ids: tuple[int, ...]) -> Kind:
    """Return the kind of a fragment: what it is made of."""
    if utterance_ids and image_ids:
        return "multimodal"
    if utterance_ids:
        return "utterance"
    return "image" if image_ids else "negative"
