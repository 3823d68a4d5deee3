"""What a person decided in the privacy pass: an append-only log over one dialogue, and the state that replaying it gives.

The same statements serve the giver's pass over raw text in the private store and a later one over the collection, where the
text is already masked and what was masked cannot be brought back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mldr.annotation.spans import SpanKind
from mldr.annotation.store import logged
from mldr.errors import Faults

_STRICT = ConfigDict(extra="forbid", frozen=True)
Choice = Literal["mask", "keep", "edit"]


class SpanReview(BaseModel):
    """A stretch of an utterance's text: mask it, keep it as it is, or put other words there."""

    model_config = _STRICT

    event: Literal["span"] = "span"
    utterance_id: int = Field(ge=0)
    start: int = Field(ge=0)
    """In code points of the text that the reviewer sees: the raw one in a store, the collected one in a collection."""
    end: int = Field(ge=1)
    kind: SpanKind = "other"
    choice: Choice
    """`keep` in a collection says that nothing more need be done; it never brings raw text back."""
    text: str = Field(default="", max_length=2_000)
    """The other words of an `edit`; '' takes the stretch out."""


class ImageReview(BaseModel):
    """A picture: may it be released?"""

    model_config = _STRICT

    event: Literal["image"] = "image"
    image_id: int = Field(ge=0)
    choice: Literal["yes", "no"]


class Remove(BaseModel):
    """A message that its people do not want to give; `removed` false takes that back."""

    model_config = _STRICT

    event: Literal["remove"] = "remove"
    utterance_id: int = Field(ge=0)
    removed: bool = True


class Whole(BaseModel):
    """The dialogue as a whole."""

    model_config = _STRICT

    event: Literal["whole"] = "whole"
    read: bool | None = None
    """Somebody read all of it, undecided findings included."""
    left_out: bool | None = None


Review = SpanReview | ImageReview | Remove | Whole
REVIEW: TypeAdapter[Review] = TypeAdapter(Annotated[Review, Field(discriminator="event")])


@dataclass(slots=True)
class Reviewed:
    """Where a log stands."""

    spans: dict[tuple[int, int, int], SpanReview] = field(default_factory=dict)
    """(utterance id, start, end) -> the newest statement."""
    images: dict[int, Literal["yes", "no"]] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    read: bool = False
    left_out: bool = False
    lines: int = 0

    def take(self, statement: Review) -> None:
        """Move on by one statement."""
        self.lines += 1
        if isinstance(statement, SpanReview):
            self.spans[statement.utterance_id, statement.start, statement.end] = statement
        elif isinstance(statement, ImageReview):
            self.images[statement.image_id] = statement.choice
        elif isinstance(statement, Remove):
            (self.removed.add if statement.removed else self.removed.discard)(statement.utterance_id)
        else:
            self.read = self.read if statement.read is None else statement.read
            self.left_out = self.left_out if statement.left_out is None else statement.left_out


def read_reviews(path: Path) -> Reviewed:
    """Return where a log stands; nothing decided where there is none.

    Raises:
        InputError: with every malformed line.
    """
    from mldr.configuration import model_faults

    reviewed, faults = Reviewed(), Faults()
    for number, record in logged(path):
        try:
            reviewed.take(REVIEW.validate_python(record))
        except ValidationError as error:
            faults.extend(model_faults(error, f"{path}, line {number}").faults)
    faults.check()
    return reviewed
