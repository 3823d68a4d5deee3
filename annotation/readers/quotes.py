"""Quotes that an export wrote out as `name:text`, on their own or at the end of what the sender wrote."""

from __future__ import annotations

import re
from datetime import datetime

from mldr.annotation.readers.clocks import moment_of
from mldr.annotation.readers.contract import DateOrder, Quote
from mldr.annotation.readers.wechatkinds import kind_of_label

_FLAT = re.compile(r"\[引用\]\(([^()\n]{0,40})\)")
_BAKED = "[引用 "
_PLACEHOLDER = re.compile(r"\[(.{1,12})\]")
_BARE = frozenset({"image", "video", "voice", "sticker"})
"""Kinds whose bare label stands for a thing quoted; `文件` or `位置` may be a word that somebody wrote."""


def own_words(text: str, order: DateOrder = "") -> tuple[str, Quote | None]:
    """Return (what the sender wrote, the quote); from the first mark of a quote on, all is quote.

    Args:
        text: a message, perhaps with `[引用](time)name:text` behind a line's end, or `[引用 name:text]` at its end.
        order: of the quote's date, where a spreadsheet wrote it with the year last.
    """
    for flat in _FLAT.finditer(text):
        before = text[: flat.start()]
        if not before.strip() or "\n" in before[len(before.rstrip()) :]:
            return before.strip(), quote_told(text[flat.end() :], moment_of(flat[1], order))
    start = text.find(_BAKED)
    if start >= 0 and re.search("[:：]", text[start:]):
        return text[:start].strip(), quote_told(text[start + len(_BAKED) :].rstrip().removesuffix("]"))
    return text, None


def quote_told(told: str, time: datetime | None = None) -> Quote:
    """Return the quote that `name:text` tells; a name with a colon in it cannot be told from its text."""
    parts = re.split("[:：]", told, maxsplit=1)
    name, text = parts[0].strip() if len(parts) == 2 else "", parts[-1].strip()
    placeholder = _PLACEHOLDER.fullmatch(text)
    kind = kind_of_label(placeholder[1] if placeholder else text) or "text"
    if kind not in ("text", "other") and (placeholder or kind in _BARE):
        return Quote(sender=name, time=time, kind=kind)
    return Quote(sender=name, time=time, text=text, kind="" if text.startswith("<") else "text")
