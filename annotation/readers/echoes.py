"""What a reply's text repeats of the message that it answers, and the stand-ins for what is no text."""

from __future__ import annotations

import re

from mldr.annotation.chat import MessageKind
from mldr.annotation.readers.wechatkinds import kind_of_label

_START = "[引用 "
_STAND_IN = re.compile(r"[\[【<]([^\[\]【】<>]{1,12})[\]】>]")


def stand_in(text: str) -> MessageKind | None:
    """Return the kind of what a stand-in like `[图片]` stands for, None where the text is none."""
    match = _STAND_IN.fullmatch(text.strip())
    kind = kind_of_label(match[1]) if match else None
    return None if kind == "text" else kind


def split_echo(content: str) -> tuple[str, str, str]:
    """Return (own words, quoted sender, quoted words) of `own words[引用 sender：quoted words]`; what is quoted may hold brackets.

    Where the brackets do not close, all that follows counts as quoted: a quoted word must never pass for the sender's.
    """
    own, start, echo = content.partition(_START)
    if not start:
        return content, "", ""
    echo, after = _closed(echo, leading=not own.strip())
    sender, colon, words = _split_colon(echo)
    return (own + after).strip(), (sender if colon else "").strip(), (words if colon else echo).strip()


def quoted_words(content: str) -> tuple[MessageKind | None, str]:
    """Return (kind, words) of what is quoted: of a reply only its own words, of a stand-in or of XML no words."""
    content = content.strip()
    if content.startswith("<"):
        return ("image" if "<img" in content[:2000] else None), ""
    if kind := stand_in(content):
        return kind, ""
    return None, split_echo(content)[0]


def _closed(echo: str, leading: bool) -> tuple[str, str]:
    """Return (the echo without its closing bracket, what follows it)."""
    if echo.rstrip().endswith("]"):
        return echo.rstrip()[:-1], ""
    if not leading:
        return echo, ""
    depth = 1
    for at, character in enumerate(echo):
        depth += {"[": 1, "]": -1}.get(character, 0)
        if depth == 0:
            return echo[:at], echo[at + 1 :]
    return echo, ""


def _split_colon(echo: str) -> tuple[str, str, str]:
    match = re.search("[：:]", echo)
    return (echo[: match.start()], match[0], echo[match.end() :]) if match else (echo, "", "")
