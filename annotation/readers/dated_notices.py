"""What the dated text of a chat says that nobody typed: attachments, things left out, deletions, calls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from mldr.annotation.chat import MessageKind
from mldr.annotation.readers.clocks import seen
from mldr.annotation.readers.dated_words import (
    ATTACHED,
    DELETED,
    EDITED,
    EVENTS,
    OMITTED_AFTER,
    OMITTED_BEFORE,
    OMITTED_WHOLE,
    THINGS,
)

_SUFFIXES: dict[MessageKind, str] = {
    "image": "jpg jpeg png heic heif bmp",
    "sticker": "webp was",
    "voice": "opus ogg m4a mp3 aac amr wav",
    "video": "mp4 3gp mov mkv avi webm gif",
    "contact": "vcf",
}
_KIND_OF_SUFFIX = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_NAMES: tuple[tuple[MessageKind, str], ...] = (
    ("image", "IMG|PHOTO|IMAGE|图片|照片|圖片|相片"),
    ("sticker", "STK|STICKER"),
    ("file", "DOC|DOCUMENT"),
)
"""What the word in the name of a picture says, whatever its suffix."""
_BRACKETS = re.compile(r"<[^<>:：]{1,40}[:：] ?(?P<name>[^<>:：/\\]{1,200}\.\w{2,5})>$")
_BEHIND = re.compile(rf"(?P<name>[^<>()/\\]{{1,200}}\.\w{{2,5}}) ?[(（<](?:{ATTACHED})[)）>]", re.IGNORECASE)
_NAMED = re.compile(r"(?P<name>(?:IMG|VID|AUD|PTT|STK|DOC)-\d{8}-WA\d{3,6}\.\w{2,5}) ?[(（][^()（）]{1,40}[)）]")
_THING = "|".join(f"(?P<{kind}>{words})" for kind, words in THINGS.items())
_LEFT_OUT = (
    re.compile(rf"<?(?:{_THING}) ?(?:{OMITTED_AFTER})>?\.?", re.IGNORECASE),
    re.compile(rf"<?(?:{OMITTED_BEFORE}) ?(?:{_THING})>?", re.IGNORECASE),
    re.compile(rf"<(?P<other>{OMITTED_WHOLE})>", re.IGNORECASE),
)
_DELETED = re.compile(rf"(?:{DELETED})[.。]?", re.IGNORECASE)
_EDITED = re.compile(rf"\s*<[^<>]{{0,40}}(?:{EDITED})[^<>]{{0,20}}>$", re.IGNORECASE)
_EVENTS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in EVENTS)
_TAIL = 120


@dataclass(frozen=True, slots=True)
class Told:
    """What a line turned out to be."""

    kind: MessageKind
    text: str = ""
    name: str = ""
    """The attached file's."""


def told_by(line: str) -> Told | None:
    """Return what the first line of a message says that nobody typed; `text` are words that stand beside it. None for words."""
    plain = seen(line)
    for pattern in (_BEHIND, _NAMED):
        if found := pattern.fullmatch(plain):
            return Told(kind_of_name(found["name"]), name=found["name"].strip())
    if found := _BRACKETS.search(plain):
        kind = kind_of_name(found["name"])
        return Told(kind, plain[: found.start()].strip() if kind != "file" else "", found["name"].strip())
    if _DELETED.fullmatch(plain):
        return Told("recall")
    for pattern in _LEFT_OUT:
        if found := pattern.fullmatch(plain):
            return Told(next(kind for kind in THINGS if found.groupdict().get(kind)))
    return next((Told(kind) for kind, pattern in _EVENTS if pattern.fullmatch(plain)), None)


def kind_of_name(name: str) -> MessageKind:
    """Return the kind of a file by its suffix; a picture's by the word in its name too."""
    kind = _KIND_OF_SUFFIX.get(PurePosixPath(name).suffix.lower().removeprefix("."), "file")
    if kind not in ("image", "sticker"):
        return kind
    named = (kind for kind, words in _NAMES if re.match(rf"(?:\d{{1,10}}-)?(?:{words})[-_ ]", name, re.IGNORECASE))
    return next(named, kind)


def without_edit_mark(text: str) -> str:
    """Return a text without the mark at its end that says it was edited."""
    stripped = text.rstrip("\u200e\u200f ")
    before, tail = stripped[:-_TAIL], stripped[-_TAIL:]
    return (before + tail[: found.start()]).rstrip("\u200e\u200f ") if (found := _EDITED.search(tail)) else text
