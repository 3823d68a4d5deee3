"""Consents as a person enters, lists and withdraws them, in a private store or in a collection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mldr.annotation.collection import MARK as COLLECTION_MARK
from mldr.annotation.collection import open_collection
from mldr.annotation.consent_rules import why_not
from mldr.annotation.consent_store import give
from mldr.annotation.consents import SUBJECT, Consent, read_consents
from mldr.annotation.records import read_cut
from mldr.annotation.store import Store, open_store
from mldr.errors import MldrError


def enter(place: Path, platform: str, person: str, told: Mapping[str, Any]) -> str:
    """Enter a consent; return the subject key under which it stands.

    Args:
        place: a private store or a collection.
        platform: of the export that the person is in; a store alone asks.
        person: the id in the export, which a store turns into a subject key; in a collection the subject key.
        told: the other fields of a `Consent`.

    Raises:
        InputError: with every field that is wrong.
        MldrError: if the place is neither, a collection is given no subject key, or nobody in a store's chats has the id: a
            consent under a mistyped id would count for nobody.
    """
    from mldr.configuration import model_faults

    path, subject = _record(place, platform, person)
    if not (place / COLLECTION_MARK).exists():
        _check_known(open_store(place), subject, platform, person)
    try:
        consent = Consent.model_validate({**told, "subject_key": subject})
    except ValidationError as error:
        raise model_faults(error, "consent") from error
    give(path, consent)
    return subject


def _check_known(store: Store, subject: str, platform: str, person: str) -> None:
    from mldr.annotation.chatfile import read_chat

    for path in sorted(store.chats.glob("*/chat.jsonl")):
        chat = read_chat(path)
        people = {member.person for member in chat.members} | {message.sender for message in chat.messages}
        if any(store.subject_key(chat.platform, one) == subject for one in people if one):
            return
    raise MldrError(
        f"{store.folder}: nobody in its chats has the id {person!r} (--platform {platform}); "
        "`mldr annotate consent list` shows who does"
    )


def listed(place: Path, today: dt.date) -> Iterator[list[str]]:
    """Yield a row for each subject: key, who it is, scopes that hold, why not all do, notice, date, method.

    Who it is, only a private store tells: the person's id in the export and a name. There, people who said nothing yet are
    listed, too.
    """
    people: dict[str, str] = {}
    if (place / COLLECTION_MARK).exists():
        path = open_collection(place).consents
    else:
        store = open_store(place)
        path, people = store.consents, _people(store)
    consents = read_consents(path)
    for subject in sorted({*people, *consents}):
        consent = consents.get(subject)
        who = people.get(subject, "")
        if consent is None:
            yield [subject, who, "", why_not(None, (), today), "", "", ""]
            continue
        holds = ", ".join(scope for scope in consent.scopes if consent.alive(scope, today))
        reason = why_not(consent, consent.scopes, today)
        yield [subject, who, holds, reason, consent.notice_version, consent.date.isoformat(), consent.method]


def _people(store: Store) -> dict[str, str]:
    """Return subject key -> id and first name of everybody who speaks in a cut dialogue of a store."""
    found = {}
    for path in sorted(store.dialogues.glob("*.json")):
        cut = read_cut(path)
        speakers = {utterance.speaker for utterance in cut.dialogue.utterances}
        for member in cut.members:
            if member.person in speakers:
                name = next(iter(member.names), "")
                found[store.subject_key(cut.platform, member.person)] = f"{member.person} {name}".strip()
    return found


def withdraw_from(place: Path, platform: str, person: str, today: dt.date) -> list[str]:
    """Take a person out of a store or a collection; return what was done and what others may still hold, line by line.

    Raises:
        MldrError: if the place is neither, or knows nothing of the person.
    """
    from mldr.annotation.forgetting import withdraw_from_store
    from mldr.annotation.withdrawing import withdraw

    _, subject = _record(place, platform, person)
    if (place / COLLECTION_MARK).exists():
        return list(withdraw(open_collection(place), subject, today).lines())
    return list(withdraw_from_store(open_store(place), subject, today).lines())


def _record(place: Path, platform: str, person: str) -> tuple[Path, str]:
    """Return the consent record of a place, and the subject key of a person in it."""
    if (place / COLLECTION_MARK).exists():
        if not SUBJECT.fullmatch(person):
            raise MldrError(
                "a collection knows people by their subject keys, 32 hex digits; see `mldr annotate consent list`"
            )
        return open_collection(place).consents, person
    store = open_store(place)
    return store.consents, person if SUBJECT.fullmatch(person) else store.subject_key(platform, person)
