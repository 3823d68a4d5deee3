"""Where a giver stands in the donation walk, told from the private store alone: a reload, or another day, goes on from there."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from mldr.annotation.bundle import LEAST
from mldr.annotation.chat import Chat
from mldr.annotation.chatfile import read_chat
from mldr.annotation.consent_rules import why_not
from mldr.annotation.consents import Consent, read_consents
from mldr.annotation.donating import donations
from mldr.annotation.importing import chat_path
from mldr.annotation.importreport import REPORT, read_report
from mldr.annotation.privacy.protect import cuts, reviewed_of
from mldr.annotation.records import cut_path, read_cut
from mldr.annotation.store import Store, append_line, logged

Stage = Literal["export", "people", "read", "consent", "sealed"]
"""What comes next: choose an export; say whether it was understood, and cut it; read it; enter consents and seal; nothing more."""


def stage_of(store: Store) -> Stage:
    """Return what comes next in a store."""
    if not chat_keys(store):
        return "export"
    found = cuts(store)
    if not found:
        return "people"
    reviews = [reviewed_of(store, dialogue_id) for dialogue_id in found]
    if not all(reviewed.read or reviewed.left_out for reviewed in reviews):
        return "read"
    return "sealed" if last_donation(store) else "consent"


def chat_keys(store: Store) -> list[str]:
    """Return the chats that were imported whole."""
    return sorted(path.parent.name for path in store.chats.glob(f"*/{REPORT}"))


def last_donation(store: Store) -> dict[str, Any] | None:
    """Return what was sealed last, None where that bundle is no more."""
    made = donations(store)
    return made[-1] if made and Path(made[-1]["bundle"]).is_file() else None


def note_export(store: Store, path: Path) -> None:
    """Keep where an export lies: the giver is told at the end, because it is as private as the store."""
    if str(path) not in exports(store):
        append_line(store.folder / "exports.jsonl", {"export": str(path)})
        (store.folder / "exports.jsonl").chmod(0o600)


def exports(store: Store) -> list[str]:
    """Return where the exports lie that were imported in the walk."""
    return [str(record["export"]) for _, record in logged(store.folder / "exports.jsonl")]


def standing(store: Store, out: Path, today: dt.date) -> dict[str, Any]:
    """Return all that the page shows of a store: it is the giver's own machine, so names are in it."""
    reviews = {dialogue_id: reviewed_of(store, dialogue_id) for dialogue_id in cuts(store)}
    return {
        "stage": stage_of(store),
        "store": str(store.folder.resolve()),
        "out": str(out.resolve()),
        "exports": exports(store),
        "chats": [chat_standing(store, chat_key) for chat_key in chat_keys(store)],
        "dialogues": len(reviews),
        "done": sum(reviewed.read or reviewed.left_out for reviewed in reviews.values()),
        "reviewed": sum(reviewed.lines > 0 for reviewed in reviews.values()),
        "left_out": sum(reviewed.left_out for reviewed in reviews.values()),
        "speakers": speakers(store, today),
        "sealed": last_donation(store),
    }


def chat_standing(store: Store, chat_key: str) -> dict[str, Any]:
    """Return what became of a chat's rows, and who is in it."""
    path = chat_path(store, chat_key)
    return _chat_standing(path, path.stat().st_mtime_ns)


@lru_cache(64)
def _chat_standing(path: Path, _changed: int) -> dict[str, Any]:
    """A long chat is read once, not at every click."""
    chat, report = read_chat(path), read_report(path.parent)
    said = Counter(message.sender for message in chat.messages)
    times = [message.time for message in chat.messages]
    people = [
        {"person": one.person, "names": list(one.names), "owner": one.owner, "messages": said[one.person]}
        for one in sorted(chat.members, key=lambda one: (not one.owner, -said[one.person]))
    ]
    told = report.model_dump(mode="json", exclude={"format", "people"})
    head = {"name": chat.name, "platform": chat.platform, "group": chat.group, "clock": _clock(chat)}
    span = {"first": min(times).date().isoformat(), "last": max(times).date().isoformat()} if times else {}
    return {**told, **head, **span, "people": people}


def _clock(chat: Chat) -> str:
    """Return the time of the first message as the zone shows it: by that a giver sees whether the zone is right."""
    from mldr.annotation.clocks import local_zone

    if not chat.messages:
        return ""
    return chat.messages[0].time.astimezone(local_zone(chat.zone)).strftime("%Y-%m-%d %H:%M")


def speakers(store: Store, today: dt.date) -> list[dict[str, Any]]:
    """Return everybody of whom a message is left, with their consent; who says most comes first."""
    consents = read_consents(store.consents)
    found: dict[str, dict[str, Any]] = {}
    for dialogue_id in cuts(store):
        reviewed = reviewed_of(store, dialogue_id)
        if reviewed.left_out:
            continue
        cut = read_cut(cut_path(store.dialogues, dialogue_id))
        members = {member.person: member for member in cut.members}
        for index, utterance in enumerate(cut.dialogue.utterances):
            if index in reviewed.removed:
                continue
            subject = store.subject_key(cut.platform, utterance.speaker)
            member = members.get(utterance.speaker)
            names = list(member.names) if member else []
            fresh = {"subject": subject, "names": names or [utterance.speaker], "owner": False, "messages": 0}
            one = found.setdefault(subject, fresh)
            one["owner"] |= member is not None and member.owner
            one["messages"] += 1
    for subject, one in found.items():
        one["consent"] = _as_json(consents.get(subject))
        one["why_not"] = why_not(consents.get(subject), LEAST, today)
    return sorted(found.values(), key=lambda one: (not one["owner"], -one["messages"], one["subject"]))


def _as_json(consent: Consent | None) -> dict[str, Any] | None:
    return None if consent is None else consent.model_dump(mode="json")
