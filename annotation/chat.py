"""The neutral record of a chat: what a reader makes of an export, and all that may go on from there (an allow-list).

What a message said that its sender did not write (a quote, a forward, a card, a system line) is never in its text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

MessageKind = Literal[
    "text",
    "image",
    "sticker",
    "voice",
    "video",
    "file",
    "link",
    "location",
    "call",
    "contact",
    "forward",
    "money",
    "poke",
    "recall",
    "system",
    "other",
]
KINDS: tuple[MessageKind, ...] = get_args(MessageKind)
SPOKEN: frozenset[MessageKind] = frozenset({"text", "image"})
"""The kinds that become utterances; every other is an event. A reply is a text or an image with `reply_to`."""

OWNER = "owner"
"""The person whose export it is, where the file gives that person no id."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a chat."""

    person: str
    """The id in the export, as a string; the name where a format has no ids."""
    names: tuple[str, ...] = ()
    """Every name the export calls this person by (account, remark, group card, alias), the shown one first. All are private."""
    owner: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a message, after it was looked for."""

    image_key: str
    """`sha256:<hex>` of the normalised bytes, '' where the picture is missing."""
    problem: str = ""
    """Why it is missing, '' where it is there."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, in the order of the file."""

    message_id: str
    """Unique in the chat."""
    sender: str
    """A `Member.person`; '' for a system line that names nobody."""
    time: datetime
    """An instant, with its zone."""
    kind: MessageKind
    text: str = ""
    """The sender's own words; '' for an event."""
    pictures: tuple[Picture, ...] = ()
    reply_to: str = ""
    """The message_id that this one answers, '' for none."""
    reply_method: Literal["", "id", "time", "text"] = ""
    """How the answered message was found."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat as the private store keeps it."""

    chat_id: str
    """The export's own id of the chat, or what stands for it. Private."""
    name: str
    platform: str
    """`wechat`, `qq`, `telegram`, `whatsapp`, `discord` or another word in lower case."""
    group: bool
    zone: str
    """The IANA name of the zone in which its clock is shown."""
    members: tuple[Member, ...]
    messages: tuple[Message, ...]
