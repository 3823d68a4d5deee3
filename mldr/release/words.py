"""Texts of a release as a dataset may hold them, and the language that their script tells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mldr.release.findings import Findings
from mldr.tokens import HAN

_HAN = re.compile(f"[{HAN}]")
_LETTER = re.compile(r"[^\W\d_]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def clean(text: str, findings: Findings) -> str:
    """Return a text without what no dataset may hold: NUL, carriage returns, halves of surrogate pairs."""
    if "\0" in text:
        findings.note("texts with NUL: left out of them")
        text = text.replace("\0", "")
    if "\r" in text:
        findings.note("texts with carriage returns: stored as newlines")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _SURROGATE.search(text):
        findings.note("texts with half a surrogate pair: U+FFFD instead")
        text = _SURROGATE.sub("\ufffd", text)
    return text


def script_language(texts: Iterable[str], otherwise: str = "en") -> str:
    """Return `zh` where Han characters outnumber all other letters, else `en`; `otherwise` for texts without letters."""
    han = letters = 0
    for text in texts:
        han += len(_HAN.findall(text))
        letters += len(_LETTER.findall(text))
    if not letters:
        return otherwise
    return "zh" if 2 * han > letters else "en"
