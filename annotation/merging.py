"""Utterances of a chat: messages of one speaker in a row become one, and replies point from utterance to utterance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mldr.annotation.chat import SPOKEN, Chat, Message, Picture

TO_EVENT = "answer an event, which is no utterance"
TO_LATER = "answer a later message"
TO_NOTHING = "answer a message that is not in the chat"


@dataclass(slots=True)
class Draft:
    """An utterance on its way."""

    messages: list[Message]
    reply_to: int | None = None
    """The draft that this one answers, an earlier one."""

    @property
    def speaker(self) -> str:
        """Who said it."""
        return self.messages[0].sender

    @property
    def time(self) -> datetime:
        """When it began."""
        return self.messages[0].time

    @property
    def end(self) -> datetime:
        """When its last message came."""
        return self.messages[-1].time

    @property
    def text(self) -> str:
        """Its messages' words, a line each."""
        return "\n".join(message.text for message in self.messages if message.text)

    @property
    def pictures(self) -> list[Picture]:
        """Its messages' pictures."""
        return [picture for message in self.messages for picture in message.pictures]

    @property
    def present(self) -> int:
        """How many of its pictures are there."""
        return sum(1 for message in self.messages for picture in message.pictures if not picture.problem)


@dataclass(slots=True)
class Drafts:
    """All utterances of a chat, in its order."""

    drafts: list[Draft] = field(default_factory=list)
    messages: int = 0
    """Spoken ones: each is in exactly one draft."""
    events: int = 0
    replies_lost: Counter[str] = field(default_factory=Counter)
    """Reason -> replies that point to no utterance."""


def merged(chat: Chat, gap_s: float) -> Drafts:
    """Return the utterances of a chat.

    A message goes on with the utterance before it where the same person sent both, at most `gap_s` seconds apart, and nobody
    did anything in between. One that answers another, or is answered from elsewhere, begins an utterance, so that a reply
    points to the very message that it answers.

    Args:
        chat: in the order of its file.
        gap_s: 0 merges nothing.
    """
    answered = {message.reply_to for message in chat.messages if message.reply_to and message.kind in SPOKEN}
    made = Drafts()
    goes_on = False
    for message in chat.messages:
        if message.kind not in SPOKEN:
            made.events += 1
            goes_on = goes_on and not message.sender  # a system line that names nobody interrupts nobody
            continue
        made.messages += 1
        alone = bool(message.reply_to) or message.message_id in answered
        if goes_on and not alone and _follows(made.drafts[-1], message, gap_s):
            made.drafts[-1].messages.append(message)
        else:
            made.drafts.append(Draft([message]))
        goes_on = True
    _link(chat.messages, made)
    return made


def _follows(draft: Draft, message: Message, gap_s: float) -> bool:
    gap = abs((message.time - draft.end).total_seconds())
    return gap_s > 0 and draft.speaker == message.sender and gap <= gap_s


def _link(messages: Sequence[Message], made: Drafts) -> None:
    """Point each draft that answers something to the earlier draft that holds it; what cannot be is counted."""
    holder = {message.message_id: number for number, draft in enumerate(made.drafts) for message in draft.messages}
    events = {message.message_id for message in messages if message.kind not in SPOKEN}
    for number, draft in enumerate(made.drafts):
        wanted = draft.messages[0].reply_to
        if not wanted:
            continue
        target = holder.get(wanted)
        if target is not None and target < number:
            draft.reply_to = target
        elif target is not None:
            made.replies_lost[TO_LATER] += 1
        else:
            made.replies_lost[TO_EVENT if wanted in events else TO_NOTHING] += 1
