"""The lines of mldr's own chat format as people write it: what each may say. Described in docs/chat.md."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from mldr.annotation.chat import SPOKEN, MessageKind

Text = Annotated[str, Field(max_length=1_000_000)]
Id = Annotated[str, Field(max_length=1_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Header(_Strict):
    """The first line: the chat."""

    format: Literal["mldr/chat@1"]
    """The format of this file."""
    chat_id: Annotated[str, Field(min_length=1, max_length=1_000)]
    """What tells this chat from the others of the same platform."""
    name: Text = ""
    """What the chat is called; private."""
    platform: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = "other"
    """`wechat`, `qq`, `telegram`, `whatsapp`, `discord` or another word in lower case."""
    group: bool = True
    """Whether it is a group's."""
    zone: str = ""
    """The IANA name of the zone of times without an offset; '' leaves it to `--tz`."""

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        if zone:
            try:
                ZoneInfo(zone)
            except (OSError, ValueError, LookupError) as error:
                raise ValueError("no zone is called so; an IANA name like Asia/Shanghai is expected") from error
        return zone


class Person(_Strict):
    """Somebody in the chat."""

    person: Annotated[str, Field(min_length=1, max_length=1_000)]
    """The id by which messages name their sender."""
    names: tuple[Text, ...] = ()
    """Every name that this person is called by; all are masked."""
    owner: bool = False
    """Whether it is the person whose chat this is."""


class PictureFile(_Strict):
    """Where a picture is: one of the two."""

    path: Text = ""
    """Relative to this file, with forward slashes."""
    stem: Text = ""
    """The name of a file, with or without its ending, anywhere in the folder of this file."""

    @model_validator(mode="after")
    def _one(self) -> PictureFile:
        if bool(self.path) == bool(self.stem):
            raise ValueError("either `path` or `stem` is expected")
        return self


class Said(_Strict):
    """A message."""

    time: str | int | float
    """ISO 8601 with an offset or without, or seconds (or milliseconds) since 1970."""
    sender: Id = ""
    """A person's id, or a name where there are no ids; '' for an event of nobody."""
    message_id: Id = ""
    """What `reply_to` names; unique in the chat."""
    kind: MessageKind | None = None
    """`image` where there are pictures, else `text`, unless another kind is given; all others are events."""
    text: Text = ""
    """The sender's own words, without what is quoted; '' for an event."""
    pictures: tuple[PictureFile, ...] = ()
    """The pictures that it carries."""
    reply_to: Id = ""
    """The message_id of an earlier message that this one answers."""

    @model_validator(mode="after")
    def _whole(self) -> Said:
        kind = self.true_kind
        if kind not in SPOKEN and (self.text or self.pictures or self.reply_to):
            raise ValueError(f"an event ({kind}) has no text, pictures or reply_to; leave them out")
        if kind == "text" and self.pictures:
            raise ValueError("a message with pictures is of kind image")
        if kind == "image" and not self.pictures:
            raise ValueError("a message of kind image has pictures")
        if kind == "text" and not self.text.strip():
            raise ValueError("has neither text nor pictures; an event needs its kind")
        if kind in SPOKEN and not self.sender:
            raise ValueError("`sender` is missing; only an event has none")
        return self

    @property
    def true_kind(self) -> MessageKind:
        """The kind, worked out where it is not given."""
        return self.kind or ("image" if self.pictures else "text")


class PersonLine(_Strict):
    """A line for somebody in the chat."""

    member: Person


class MessageLine(_Strict):
    """A line for a message."""

    message: Said


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of one line of a file."""
    schema = TypeAdapter(Header | PersonLine | MessageLine).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "a line of mldr/chat@1", **schema}
