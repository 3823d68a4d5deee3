"""Somebody withdraws from a collection: the record says so first, then everything of theirs goes.

It may be interrupted anywhere: run again, it goes on. What is only in backups, or on other machines, it cannot reach.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from mldr.annotation.collection import Collection
from mldr.annotation.records import cut_path
from mldr.annotation.store import locked
from mldr.annotation.tombstones import BACKUPS, Withdrawal, ended, entombed, read_releases, read_tombstones, removed
from mldr.errors import MldrError

_RELEASE = (
    "make a new release of this version, take the older ones offline, and tell whoever downloaded one to delete it: "
    "the terms of use oblige them to"
)


def withdraw(collection: Collection, subject_key: str, today: dt.date) -> Withdrawal:
    """Take a person out of a collection: each dialogue in which they speak goes as a whole, with all that was said of it.

    What others answered them would make no sense without them, and labels are sets of ids of the whole. The consent record ends
    first, so that no release can be made in between; the dialogue's own file goes last, so that a run that was cut short is
    carried to its end by the next.

    Raises:
        MldrError: for a key of nobody here.
        InputError: if the record or a dialogue is malformed; the consent is ended by then where the record could be read.
    """
    consented = ended(collection.consents, subject_key, today)
    with locked(collection.folder / "withdrawal"):
        held = {}
        shown: dict[str, set[str]] = {}
        for collected in collection:
            paths = {
                str(collection.image_path(image.image_key, image.media_type))
                for image in collected.images
                if image.status == "present"
            }
            shown[collected.dialogue.dialogue_id] = paths
            if subject_key in collected.subjects.values():
                held[collected.dialogue.dialogue_id] = paths
        stones = read_tombstones(collection.tombstones)
        if not consented and not held and not any(stone.subject_key == subject_key for stone in stones):
            raise MldrError(f"{collection.folder}: nobody here has the key {subject_key[:8]}...")
        stones += entombed(collection.tombstones, stones, held, subject_key, today)
        kept = set[str]().union(*(paths for name, paths in shown.items() if name not in held))
        files = 0
        for dialogue_id, paths in held.items():
            files += removed(_said_of(collection, dialogue_id))
            files += removed([Path(path) for path in sorted(paths - kept)])
            files += removed([cut_path(collection.dialogues, dialogue_id)])
        for stone in stones:  # what somebody's open page still wrote after an earlier withdrawal
            if not cut_path(collection.dialogues, stone.dialogue_id).exists():
                files += removed(_said_of(collection, stone.dialogue_id))
    gone = tuple(sorted({stone.dialogue_id for stone in stones if stone.subject_key == subject_key}))
    releases = tuple(one for one in read_releases(collection) if set(gone) & set(one.dialogues))
    version = max((stone.version for stone in stones), default=1)
    notes = (BACKUPS, *((_RELEASE,) if releases else ()))
    return Withdrawal(subject_key, today, version, gone, files=files, releases=releases, notes=notes)


def _said_of(collection: Collection, dialogue_id: str) -> list[Path]:
    """Return the files of everything that was said of a dialogue."""
    logs = [collection.queries(dialogue_id), collection.adjudicated(dialogue_id), collection.reviews(dialogue_id)]
    return [*logs, *(collection.labels(name, dialogue_id) for name in collection.annotators())]
