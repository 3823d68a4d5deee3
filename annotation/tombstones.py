"""What a withdrawal leaves behind: tombstones, and what is told to the person who carried it out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from mldr.annotation.collection import Collection
from mldr.annotation.consent_store import end
from mldr.annotation.consents import read_consents
from mldr.annotation.store import append_line, logged
from mldr.errors import Faults, MldrError

SUBJECT = re.compile(r"[0-9a-f]{32}")
BACKUPS = "copies elsewhere (backups, other machines, annotators' own) are not reached from here; delete them by hand"


class Tombstone(BaseModel):
    """A dialogue that is gone because one of its speakers withdrew."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dialogue_id: str
    subject_key: str
    date: dt.date
    version: int
    """Of the collection: it begins at 1, and each withdrawal makes the next; a release made since then needs this one or later."""


class ReleaseRecord(BaseModel):
    """A release that was made of a collection, as a line of its `releases.jsonl`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    version: int
    date: dt.date
    gold_hash: str
    dialogues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal did, and what it could not do."""

    subject_key: str
    date: dt.date
    version: int
    """Of the collection from now on; 0 for a private store, which is never released."""
    dialogues: tuple[str, ...]
    """Whole ones that are gone, those of an earlier, interrupted run included; their labels, verdicts, queries and reviews too."""
    messages: int = 0
    """Removed from imported chats."""
    files: int = 0
    """Removed in this run."""
    releases: tuple[ReleaseRecord, ...] = ()
    """That hold such a dialogue: who downloaded one may have it still."""
    notes: tuple[str, ...] = ()
    """What a person still has to do, or should know."""

    def lines(self) -> list[str]:
        """Return what is told to a person, a line each; nobody is named."""
        told = [f"withdrawn on {self.date}: {len(self.dialogues):,} dialogues and {self.messages:,} messages are gone"]
        if self.version:
            told.append(f"the collection is now at version {self.version}")
        for one in self.releases:
            told.append(
                f"{one.name}, version {one.version}, of {one.date} (gold {one.gold_hash[:16]}) holds some of them: "
                "whoever downloaded it may have them still"
            )
        return [*told, *self.notes]


def collection_version(collection: Collection) -> int:
    """Return the version of a collection: 1, and one more for each withdrawal."""
    return max((stone.version for stone in read_tombstones(collection.tombstones)), default=1)


def read_tombstones(path: Path) -> list[Tombstone]:
    """Return what was withdrawn, in the order it was; nothing where there is no file.

    Raises:
        InputError: with every malformed line.
    """
    return _records(path, Tombstone)


def read_releases(collection: Collection) -> list[ReleaseRecord]:
    """Return the releases that were made of a collection, in their order.

    Raises:
        InputError: with every malformed line.
    """
    return _records(collection.folder / "releases.jsonl", ReleaseRecord)


_Record = TypeVar("_Record", bound=BaseModel)


def _records(path: Path, kind: type[_Record]) -> list[_Record]:
    from mldr.configuration import model_faults

    found, faults = [], Faults()
    for number, record in logged(path):
        try:
            found.append(kind.model_validate(record))
        except ValidationError as error:
            faults.extend(model_faults(error, f"{path}, line {number}").faults)
    faults.check()
    return found


def ended(path: Path, subject_key: str, today: dt.date) -> bool:
    """End a consent, and return whether there ever was one."""
    if not SUBJECT.fullmatch(subject_key):
        raise MldrError(f"subject key {subject_key[:40]!r}: 32 hex digits are expected")
    if subject_key not in read_consents(path):
        return False
    end(path, subject_key, today)
    return True


def entombed(
    path: Path, stones: Sequence[Tombstone], dialogues: Iterable[str], subject_key: str, today: dt.date
) -> list[Tombstone]:
    """Append a tombstone for each dialogue that has none of this person yet, all of one version, and return them."""
    known = {stone.dialogue_id for stone in stones if stone.subject_key == subject_key}
    begun = [stone.version for stone in stones if stone.subject_key == subject_key and stone.date == today]
    version = begun[-1] if begun else max((stone.version for stone in stones), default=1) + 1
    made = [
        Tombstone(dialogue_id=name, subject_key=subject_key, date=today, version=version)
        for name in sorted(set(dialogues) - known)
    ]
    for stone in made:
        append_line(path, stone.model_dump(mode="json"))
    return made


def removed(paths: Iterable[Path]) -> int:
    """Remove files and their locks, and return how many there were."""
    count = 0
    for path in paths:
        count += path.is_file()
        path.unlink(missing_ok=True)
        path.with_name(f".{path.name}.lock").unlink(missing_ok=True)
    return count
