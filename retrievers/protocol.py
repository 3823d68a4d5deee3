"""What a retriever is, and all that it is shown: a view of one dialogue and the queries asked of it. Never an answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from mldr.dialogue import Dialogue, Query, StoredImage
from mldr.eval.prediction import Prediction
from mldr.markup import Sees, anonymous_speakers


@dataclass(frozen=True, slots=True)
class ViewUtterance:
    """One message. Its id is its position in the view."""

    speaker: str
    """`user1`, `user2`, ... by first appearance."""
    text: str
    image_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewImage:
    """One image, as far as the system may see it. Its id is its position in the view."""

    caption: str = ""
    """'' unless the system sees `captions`."""
    content: bytes | None = None
    """The encoded picture; None unless the system sees `pixels` and the dataset has them."""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class DialogueView:
    """A dialogue as a system sees it: no topics, no sources, no labels, no way back to the dataset."""

    language: str
    utterances: tuple[ViewUtterance, ...]
    images: tuple[ViewImage, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """One query."""

    query_id: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Gold:
    """The two id sets of an answer and nothing else; only `fit` is shown them, of validation."""

    utterance_ids: frozenset[int]
    image_ids: frozenset[int]


Example = tuple[DialogueView, list[Ask], list[Gold]]
"""A dialogue with its queries and their answers, parallel."""


class Retriever(Protocol):
    """A system that answers queries with fragments."""

    @property
    def sees(self) -> Collection[Sees]:
        """What it is shown: `text`, and `captions` and `pixels` where it asks for them."""
        ...

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        """Yield a prediction for each query of one dialogue, in any order."""
        ...


@runtime_checkable
class Fittable(Protocol):
    """A retriever with values that are tuned on validation.

    Where it has an attribute `fitted`, a dictionary of the tuned values, predictions record it.
    """

    def fit(self, examples: Iterable[Example]) -> None:
        """Tune on validation; called once, before the first `retrieve`."""
        ...


def view_of(dialogue: Dialogue, sees: Collection[Sees], image: Callable[[str], StoredImage]) -> DialogueView:
    """Return what a system sees of a dialogue.

    Args:
        dialogue: the dialogue.
        sees: what the system declares.
        image: image_key -> stored image; called only for systems that see pixels.
    """
    names = anonymous_speakers(dialogue.utterances)
    images = []
    for held in dialogue.images:
        stored = image(held.image_key) if "pixels" in sees else None
        images.append(
            ViewImage(
                caption=held.caption if "captions" in sees else "",
                content=None if stored is None else stored.content,
                media_type="" if stored is None else stored.media_type,
            )
        )
    utterances = (ViewUtterance(names[u.speaker], u.text, u.image_ids) for u in dialogue.utterances)
    return DialogueView(dialogue.language, tuple(utterances), tuple(images))


def ask_of(query: Query) -> Ask:
    """Return what a system sees of a query."""
    return Ask(query.query_id, query.text, query.language)
