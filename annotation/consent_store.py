"""Writing the consent record: a person's consent, and its end. Lines are only ever added."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

from mldr.annotation.consents import Consent, read_consents
from mldr.annotation.store import append_line, logged
from mldr.errors import MldrError, fault


def give(path: Path, consent: Consent) -> bool:
    """Add what a person said to a consent record; return whether it was news.

    Raises:
        InputError: for one that cannot be: nothing is agreed to, or its end comes before it; and for a consent dated before
            the same person's withdrawal: an old sheet does not undo it.
    """
    newest = read_consents(path).get(consent.subject_key)
    check_given(consent, newest)
    if newest == consent:
        return False
    append_line(path, consent.model_dump(mode="json"))
    return True


def check_given(consent: Consent, newest: Consent | None) -> None:
    """Check that a consent can be entered after the newest statement of the same person.

    Raises:
        InputError: as `give`.
    """
    place = f"consent of {consent.subject_key[:8]}"
    if consent.withdrawn is not None:
        raise fault(
            place, "is withdrawn already; a withdrawal is recorded by `withdraw`, which also removes what was given"
        )
    if not consent.scopes or len(set(consent.scopes)) < len(consent.scopes):
        raise fault(place, "scopes: at least one, and none twice, is expected")
    if consent.expires is not None and consent.expires < consent.date:
        raise fault(place, f"expires on {consent.expires}, before it was given on {consent.date}")
    if newest is not None and newest.withdrawn is not None and consent.date < newest.withdrawn:
        words = (
            f"was withdrawn on {newest.withdrawn}; only a consent given since then counts, not one of {consent.date}"
        )
        raise fault(place, words)


def end(path: Path, subject_key: str, today: dt.date) -> bool:
    """Add to a consent record that a person takes their consent back; return whether it was news.

    Raises:
        MldrError: if the person never consented here.
    """
    newest = read_consents(path).get(subject_key)
    if newest is None:
        raise MldrError(f"{path}: holds no consent of {subject_key[:8]}...")
    if newest.withdrawn is not None:
        return False
    append_line(path, newest.model_copy(update={"withdrawn": today}).model_dump(mode="json"))
    return True


def carried(source: Path, target: Path, subjects: Collection[str]) -> int:
    """Enter into one consent record what is news in another; return how many statements that were.

    A statement that was carried before is none, so what was said in the target since then stands; nor is one that is older than
    what stands there. The end of a consent always is.

    Args:
        source: a private store's record.
        target: a collection's record.
        subjects: the keys of who speaks there; nobody else is carried.

    Raises:
        InputError: with every malformed line of the two.
    """
    standing, count = read_consents(target), 0
    known = [Consent.model_validate(record) for _, record in logged(target)]
    for subject, consent in sorted(read_consents(source).items()):
        held = standing.get(subject)
        if subject not in subjects or consent in known or (held is None and consent.withdrawn is not None):
            continue
        if consent.withdrawn is not None:
            count += held is not None and held.date <= consent.withdrawn and end(target, subject, consent.withdrawn)
        elif held is None or consent.date >= (held.withdrawn or held.date):
            count += give(target, consent)
    return count
