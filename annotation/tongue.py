"""Which language a dialogue is in, by the script of its characters."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['\u2019][A-Za-z]+)?")


def language_of(texts: Iterable[str]) -> str:
    """Return `zh` where Chinese characters outnumber words in Latin letters, else `en`."""
    chinese = latin = 0
    for text in texts:
        chinese += len(_CHINESE.findall(text))
        latin += len(_LATIN.findall(text))
    return "zh" if chinese > latin else "en"
