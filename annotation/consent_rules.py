"""What may be released of a dialogue: every speaker's consent must be alive for what is planned, else they go, or it does.

A reading of the rule that one person cannot consent for another; no legal advice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mldr.annotation.consents import SCOPES, Consent, Scope
from mldr.annotation.records import Collected
from mldr.annotation.renumbering import Moved, without_utterances
from mldr.errors import MldrError

Mode = Literal["drop_dialogue", "drop_speaker"]
LEAST_SPEAKERS = 2
"""One person's messages alone are no dialogue: they are not released as what is left of one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be released of a dialogue."""

    release: bool
    """Whether any of it may be."""
    removed: frozenset[str]
    """Speakers whose messages must go first; all who were refused where nothing is released."""
    refused: Mapping[str, str]
    """Speaker -> why their consent does not hold, in the order of the speakers' labels."""
    images: bool
    """Whether pictures may be shown: every speaker, removed ones too, agreed to pictures. Nobody can tell whom a picture shows."""
    reason: str = ""
    """Why nothing is released, '' where something is."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why consents do not hold, one for each speaker refused; no speaker is named."""
        return tuple(self.refused.values())


def why_not(consent: Consent | None, scopes: Collection[Scope], today: dt.date) -> str:
    """Return why a consent does not hold for all scopes on a day, '' where it does."""
    if consent is None:
        return "no consent on record"
    if not consent.adult:
        return "not known to be an adult"
    if consent.withdrawn is not None:
        return "consent withdrawn"
    if consent.date > today:
        return "consent dated in the future"
    if consent.expires is not None and today > consent.expires:
        return "consent expired"
    lacking = [scope for scope in SCOPES if scope in scopes and not consent.alive(scope, today)]
    return f"no consent to {', '.join(lacking)}" if lacking else ""


def releasable(
    collected: Collected, consents: Mapping[str, Consent], scopes: Collection[Scope], today: dt.date, mode: Mode | str
) -> Verdict:
    """Return what may be released of a dialogue.

    Args:
        collected: a de-identified dialogue; a speaker of it whose subject is not known is refused.
        consents: subject key -> the newest statement.
        scopes: that each speaker must have agreed to; `images` need not be among them, and decides about pictures alone.
        today: the day on which consents must be alive.
        mode: `drop_dialogue` lets the dialogue go where one speaker is refused; `drop_speaker` their messages, the links of
            replies to them, and all pictures.

    Raises:
        MldrError: for no scope at all, or an unknown one or mode: nothing is released by a slip.
    """
    wanted = _checked(scopes, mode)
    speakers = sorted({utterance.speaker for utterance in collected.dialogue.utterances}, key=_place)
    refused, pictures = {}, bool(speakers)
    for speaker in speakers:
        consent = consents.get(collected.subjects.get(speaker, ""))
        if reason := why_not(consent, wanted - {"images"}, today):
            refused[speaker] = reason
        pictures = pictures and not why_not(consent, wanted | {"images"}, today)
    left = len(speakers) - len(refused)
    reason = ""
    if not speakers:
        reason = "no speaker"
    elif refused and mode == "drop_dialogue":
        reason = "a speaker's consent does not hold"
    elif refused and left < LEAST_SPEAKERS:
        reason = "fewer than two speakers whose consent holds"
    return Verdict(not reason, frozenset(refused), refused, pictures and not reason, reason)


def _checked(scopes: Collection[Scope], mode: str) -> set[Scope]:
    unknown = sorted(set(scopes) - set(SCOPES))
    if not set(scopes) - {"images"} or unknown:
        given = f"unknown scopes {', '.join(unknown)}" if unknown else "no scope beside pictures"
        raise MldrError(f"{given}: say what the release is for; one or more of {', '.join(SCOPES)}")
    if mode not in ("drop_dialogue", "drop_speaker"):
        raise MldrError(f"mode {mode!r}: drop_dialogue or drop_speaker is expected")
    return set(scopes)


def _place(speaker: str) -> tuple[int, str]:
    """S2 comes before S10."""
    return len(speaker), speaker


def without_speakers(collected: Collected, speakers: Collection[str]) -> tuple[Collected, Moved, Moved]:
    """Return a dialogue without the messages and pictures of some speakers, and where its utterance and image ids went.

    Who is left keeps their label: notes of annotators speak of it.
    """
    dialogue = collected.dialogue
    gone = {number for number, utterance in enumerate(dialogue.utterances) if utterance.speaker in speakers}
    if not gone:
        return collected, {i: i for i in range(dialogue.n_utterances)}, {i: i for i in range(dialogue.n_images)}
    left = without_utterances(dialogue, gone)
    images = sorted((new, old) for old, new in left.images.items() if new is not None)
    masks = []
    for mask in collected.masks:
        new = left.utterances.get(mask.utterance_id)
        if new is not None:
            masks.append(replace(mask, utterance_id=new))
    shown = replace(
        collected,
        dialogue=left.dialogue,
        subjects={label: subject for label, subject in collected.subjects.items() if label not in speakers},
        images=tuple(collected.images[old] for _, old in images),
        masks=tuple(masks),
    )
    return shown, left.utterances, left.images


def scopes_of_all(collecteds: Iterable[Collected], consents: Mapping[str, Consent], today: dt.date) -> list[Scope]:
    """Return the scopes that every speaker of every dialogue gave and that hold today, in the order of `SCOPES`; none for none.

    Args:
        collecteds: as they are released, speakers without consent already gone.
        consents: subject key -> the newest statement.
        today: the day.
    """
    common: set[Scope] | None = None
    for collected in collecteds:
        for speaker in sorted({utterance.speaker for utterance in collected.dialogue.utterances}):
            consent = consents.get(collected.subjects.get(speaker, ""))
            alive = {scope for scope in SCOPES if consent is not None and consent.alive(scope, today)}
            common = alive if common is None else common & alive
    return [scope for scope in SCOPES if scope in (common or set())]
