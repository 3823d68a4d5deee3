"""Somebody withdraws from a private store: their messages and pictures go from its chats, and the dialogues cut with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Set
from dataclasses import replace
from pathlib import Path

from mldr.annotation.chat import Chat
from mldr.annotation.records import cut_path, read_cut
from mldr.annotation.store import Store, locked, logged
from mldr.annotation.tombstones import BACKUPS, Withdrawal, ended, entombed, read_tombstones, removed
from mldr.errors import MldrError

_MASKED = "the person's names stay in the list of a chat's members, because others mention them and they must be masked"
_AGAIN = "cut the chats again (`mldr annotate cut`): the dialogues that they were in are gone"


def withdraw_from_store(store: Store, subject_key: str, today: dt.date) -> Withdrawal:
    """Take a person out of a private store: their messages and pictures, links of replies to them, and the dialogues cut with them.

    A cut dialogue's id stands for its words, and reviews speak of stretches of them, so one that they are in goes as a whole,
    with its review; cutting again makes one without them.

    Raises:
        MldrError: for a key of nobody here.
        InputError: if something there is malformed.
    """
    consented = ended(store.consents, subject_key, today)
    tombstones, files, messages, met = store.folder / "tombstones.jsonl", 0, 0, consented
    with locked(store.folder / "withdrawal"), locked(store.dialogues):
        held = []
        for cut in (read_cut(path) for path in sorted(store.dialogues.glob("*.json"))):
            people = {utterance.speaker for utterance in cut.dialogue.utterances}
            if any(store.subject_key(cut.platform, person) == subject_key for person in people):
                held.append(cut.dialogue.dialogue_id)
        stones = read_tombstones(tombstones)
        stones += entombed(tombstones, stones, held, subject_key, today)
        for dialogue_id in held:
            files += removed([_review(store, dialogue_id), cut_path(store.dialogues, dialogue_id)])
        for folder in sorted(entry.parent for entry in store.chats.glob("*/chat.jsonl")):
            found = _forgotten(store, folder, subject_key)
            if found is not None:
                met, messages, files = True, messages + found[0], files + found[1]
    gone = tuple(sorted({stone.dialogue_id for stone in stones if stone.subject_key == subject_key}))
    if not met and not gone:
        raise MldrError(f"{store.folder}: nobody here has the key {subject_key[:8]}...")
    elsewhere = (
        f"take them out of each collection too: `mldr annotate consent withdraw COLLECTION --person {subject_key}`"
    )
    notes = (BACKUPS, _MASKED, elsewhere, *((_AGAIN,) if gone else ()), *_given(store, gone))
    return Withdrawal(subject_key, today, 0, gone, messages, files, notes=notes)


def _given(store: Store, gone: Collection[str]) -> list[str]:
    """Return a line for each sealed bundle that holds a dialogue that is gone."""
    held = {
        record["seal"]: record["date"]
        for _, record in logged(store.folder / "donations.jsonl")
        if set(gone) & set(record["dialogue_ids"])
    }
    return [f"the bundle sealed as {seal} on {date} holds them; tell whoever has it" for seal, date in held.items()]


def _review(store: Store, dialogue_id: str) -> Path:
    return store.reviews / f"{dialogue_id}.jsonl"


def _forgotten(store: Store, folder: Path, subject_key: str) -> tuple[int, int] | None:
    """Take a person out of an imported chat; return messages and pictures removed, None if they are not in it."""
    from mldr.annotation.chatfile import read_chat, write_chat

    chat = read_chat(folder / "chat.jsonl")
    people = {member.person for member in chat.members} | {message.sender for message in chat.messages}
    gone = {person for person in people if person and store.subject_key(chat.platform, person) == subject_key}
    if not gone:
        return None
    left = without_people(chat, gone)
    messages = len(chat.messages) - len(left.messages)
    if messages:
        write_chat(folder / "chat.jsonl", left)
        (folder / "chat.jsonl").chmod(0o600)
    shown = {picture.image_key.removeprefix("sha256:") for message in left.messages for picture in message.pictures}
    images = sorted(path for path in (folder / "images").glob("*") if path.stem not in shown)
    return messages, removed(images)


def without_people(chat: Chat, people: Set[str]) -> Chat:
    """Return a chat without the messages of some people; an answer to one of them answers nothing any more."""
    gone = {message.message_id for message in chat.messages if message.sender in people}
    left = [message for message in chat.messages if message.sender not in people]
    return replace(
        chat,
        messages=tuple(
            replace(message, reply_to="", reply_method="") if message.reply_to in gone else message for message in left
        ),
    )
