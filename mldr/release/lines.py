"""Dialogue lines to utterances: those of the authors, unescaped and read with tolerance, and our own, read exactly.

<|utt_id_start|>N<|utt_id_end|> speaker: text <|img_id_start|>K<|img_id_end|><image>
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mldr.dialogue import Utterance
from mldr.markup import IMAGE_SLOT, parse, unescape
from mldr.release.findings import Findings, ReadDialogue, ReadImage, Unusable
from mldr.release.words import clean

LINE_START = re.compile(r"^[ \t]*<\|utt_id_start\|>[ \t]*(\d{1,9})[ \t]*<\|utt_id_end\|>[ \t]?", re.MULTILINE)
_SPEAKER = re.compile(r"([^:：\n]{0,200}?)[ \t]*[:：][ \t]?")
_NUMBERED = re.compile(r"user\d+", re.IGNORECASE)
# No run of white space before the tag: it would be tried from each of its characters.
_IMAGE = re.compile(
    r"<\|img_id_start\|>\s{0,9}(\d{1,9})\s{0,9}<\|img_id_end\|>[ \t]{0,9}(<image>|\[image(?:: [^\n\]]{0,999})?\])?"
)
_OWN_IMAGE = re.compile(r" <\|img_id_start\|>(\d{1,9})<\|img_id_end\|>(?:(<image>)|\[image(?:: (.*?))?\](?=$| <\|))")


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance as it was written."""

    shown_id: int
    speaker: str
    text: str
    image_ids: tuple[int, ...] = ()
    """As written."""
    images: tuple[ReadImage | None, ...] = ()
    """Parallel; None for an image that the record's list of paths gives."""


def own_lines(text: str, findings: Findings) -> list[Line]:
    """Return the lines that `mldr.markup.render` wrote.

    Raises:
        Unusable: for anything else.
    """
    try:
        rows = parse(text)
    except ValueError as error:
        raise Unusable(f"not a dialogue as mldr writes it ({error})") from error
    lines = []
    for row, raw in zip(rows, text.split("\n"), strict=True):
        marks = list(_OWN_IMAGE.finditer(raw))
        images = tuple(None if mark[2] else ReadImage("", clean(unescape(mark[3] or ""), findings)) for mark in marks)
        lines.append(Line(row.utterance_id, row.speaker, clean(row.text, findings), row.image_ids, images))
    return lines


def release_lines(text: str, findings: Findings) -> list[Line]:
    """Return the lines of a dialogue as the authors write it: text as it is, continued on lines without a tag."""
    starts = list(LINE_START.finditer(text))
    ends = [*(start.start() for start in starts[1:]), len(text)][: len(starts)]
    lines = []
    for start, end in zip(starts, ends, strict=True):
        body = text[start.end() : end]
        if end < len(text):
            body = body.removesuffix("\n")
        lines.append(_line(int(start[1]), body, findings))
    return lines


def _line(shown_id: int, body: str, findings: Findings) -> Line:
    speaker = _SPEAKER.match(body)
    if speaker is None:
        findings.note("utterances without a speaker")
    rest = body if speaker is None else body[speaker.end() :]
    pieces, image_ids, position = list[str](), list[int](), 0
    for mark in _IMAGE.finditer(rest):
        pieces.append(rest[position : mark.start()])
        image_ids.append(int(mark[1]))
        position = mark.end()
        if mark[2] != IMAGE_SLOT:
            findings.note("image ids without <image> behind them: taken as images")
    pieces.append(rest[position:])
    told = [piece for piece in pieces if piece.strip()]
    if len(told) > 1:
        findings.note("utterances with text on both sides of an image: joined by a space")
    elif image_ids and told and not pieces[0].strip():
        findings.note("utterances whose image stands before the text: the image now stands behind it")
    said = " ".join(piece.strip(" \t") for piece in told) if image_ids else rest
    if IMAGE_SLOT in said:
        findings.note("texts with <image> and no image id: kept as text")
    if "<|" in said:
        findings.note("texts with a tag inside: kept as text")
    return Line(
        shown_id, named("" if speaker is None else speaker[1], findings), clean(said, findings), tuple(image_ids)
    )


def named(speaker: str, findings: Findings) -> str:
    """Return a speaker's name; `User1` is `user1`."""
    if _NUMBERED.fullmatch(speaker) and speaker != speaker.lower():
        findings.note("speakers written with a capital: lower case now")
        return speaker.lower()
    return clean(speaker, findings)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A dialogue with ids by position, and how the release's ids lead there."""

    dialogue: ReadDialogue
    utterance_ids: dict[int, int]
    """As written -> position, of the utterances that are kept."""
    image_ids: dict[int, int]


def numbered(
    release_id: str, lines: Sequence[Line], paths: Sequence[ReadImage], own: bool, findings: Findings
) -> Numbered:
    """Return a dialogue whose utterance and image ids run from 0 in order of appearance.

    Args:
        release_id: the release's dialogue_id.
        lines: in their order.
        paths: the record's images; an image id is a position in them, or one more where ids start at 1.
        own: whether image slots take the paths one after another (our own exports), not by id.
        findings: the dialogue's own; takes what is odd.
    """
    _note_ids([line.shown_id for line in lines], "utterance", findings)
    written = [image_id for line in lines for image_id in line.image_ids]
    _note_ids(written, "image", findings)
    base = 1 if written and min(written) == 1 and max(written) == len(paths) else 0
    utterances: list[Utterance] = []
    images: list[ReadImage] = []
    utterance_ids: dict[int, int] = {}
    image_ids: dict[int, int] = {}
    slots, listed = 0, set[int]()
    for line in lines:
        if not line.text and not line.image_ids:
            findings.note("utterances without text and image: left out, later ids move up")
            continue
        utterance_ids.setdefault(line.shown_id, len(utterances))
        first = len(images)
        for position, image_id in enumerate(line.image_ids):
            image_ids.setdefault(image_id, len(images))
            shown = line.images[position] if line.images else None
            if shown is None:
                listed.add(slots if own else image_id - base)
                shown = _listed(paths, slots if own else image_id - base, findings)
                slots += 1
            images.append(shown)
        utterances.append(Utterance(line.speaker, line.text, tuple(range(first, len(images)))))
    findings.note("images listed and never shown: left out", len(set(range(len(paths))) - listed))
    kept = tuple(line.shown_id for line in lines if line.text or line.image_ids)
    dialogue = ReadDialogue(release_id, tuple(utterances), tuple(images), kept, findings.oddities)
    return Numbered(dialogue, utterance_ids, image_ids)


def _listed(paths: Sequence[ReadImage], position: int, findings: Findings) -> ReadImage:
    if 0 <= position < len(paths):
        return paths[position]
    findings.note("images shown and not listed: without a picture")
    return ReadImage("")


def _note_ids(ids: Sequence[int], what: str, findings: Findings) -> None:
    """Count what is odd about the ids of one dialogue; they are renumbered by position all the same."""
    if not ids or list(ids) == list(range(len(ids))):
        return
    if len(set(ids)) < len(ids):
        findings.note(f"dialogues in which an {what} id stands twice: gold means the first")
    elif list(ids) == list(range(1, len(ids) + 1)):
        findings.note(f"dialogues whose {what} ids start at 1: moved to 0")
    elif sorted(ids) == list(ids):
        findings.note(f"dialogues with gaps in their {what} ids: renumbered")
    else:
        findings.note(f"dialogues whose {what} ids are out of order: renumbered by position")


def mapped(ids: Sequence[int], positions: dict[int, int], what: str, findings: Findings) -> tuple[int, ...]:
    """Return gold ids as positions, ascending; ids of nothing and repeats are left out, counted."""
    known = [positions[identifier] for identifier in ids if identifier in positions]
    findings.note(f"gold {what} ids outside their dialogue: left out", len(ids) - len(known))
    findings.note(f"gold {what} ids named twice: once now", len(known) - len(set(known)))
    return tuple(sorted(set(known)))
