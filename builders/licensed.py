"""Which source dialogues a recipe's `licences` admit. What the terms mean for the whole set is the card's business."""

from __future__ import annotations

import re
from collections.abc import Collection

from mldr.builders.sources.record import SourceDialogue
from mldr.licences import UNKNOWN

_ALL, _ANY = re.compile(r"\s+and\s+|\s*;\s*", re.IGNORECASE), re.compile(r"\s+or\s+", re.IGNORECASE)


def allowed(dialogue: SourceDialogue, licences: Collection[str]) -> str:
    """Return '' where the dialogue and all of its images may be used, else the reason, in words to count by.

    Args:
        dialogue: as its source yields it.
        licences: SPDX identifiers, in any case; `unknown` admits what states none. Empty: everything is admitted.
    """
    if not licences:
        return ""
    named = {licence.strip().casefold() for licence in licences}
    if not _admits(dialogue.licence, named):
        return f"dialogue licence {dialogue.licence.strip() or UNKNOWN}"
    for image in dialogue.images:
        if not _admits(image.licence, named):
            return f"image licence {image.licence.strip() or UNKNOWN}"
    return ""


def _admits(licence: str, named: Collection[str]) -> bool:
    """Say whether a licence is named; of `A AND B` (or `A; B`) both must be, of `A OR B` one (SPDX, annex D)."""
    text = licence.strip().casefold()
    if not text:
        return UNKNOWN in named
    if text in named:
        return True
    if "(" in text:  # a nested expression is admitted only if it is named as it stands
        return False
    return any(all(part in named for part in _ALL.split(choice)) for choice in _ANY.split(text))
