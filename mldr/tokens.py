"""Words for scripts that write spaces, character n-grams for those that do not; chosen by the characters themselves."""

from __future__ import annotations

import re
import unicodedata

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""The characters of Chinese, for a class of a pattern."""
_UNSPACED = (
    "\u3005\u3040-\u30ff"  # the repetition mark, kana
    f"{HAN}"
    "\u0e00-\u0e7f"  # Thai
)
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")


def tokens(text: str, sizes: tuple[int, ...] = (1, 2)) -> list[str]:
    """Return the tokens of `text` in reading order.

    Args:
        text: any text; it is compared in NFKC form and lower case.
        sizes: the lengths of the character n-grams for scripts without spaces (Chinese, Japanese, Thai).
    """
    found: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if _IS_UNSPACED.match(run):
            found.extend(ngrams(run, sizes))
        else:
            found.append(run)
    return found


def ngrams(run: str, sizes: tuple[int, ...]) -> list[str]:
    """Return the character n-grams of a run of characters; a run shorter than every size is kept whole."""
    grams = [run[start : start + size] for size in sizes for start in range(len(run) - size + 1)]
    return grams or [run]


def is_unspaced(token: str) -> bool:
    """Say whether a token is of a script that writes no spaces."""
    return _IS_UNSPACED.match(token) is not None
