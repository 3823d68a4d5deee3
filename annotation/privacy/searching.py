"""Looking for thousands of fixed strings in megabytes of text: one form for both, in a time that does not grow with them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator

_IDEOGRAPHS = "\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts that set no spaces: a word of theirs may stand between any two characters."""
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_BLANK = re.compile(r"\s+")
_BETWEEN = re.compile(f"(?<=[{_IDEOGRAPHS}])[ ·•・]+(?=[{_IDEOGRAPHS}])")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_WORD = re.compile(rf"[^\W_{_IDEOGRAPHS}]+")
"""A run of letters and digits of scripts that set spaces."""
_RUN = re.compile(r"[0-9]+")
_GROUPED = re.compile(r"(?<![0-9])[0-9]{3,}(?:[ \-][0-9]{3,})+(?![0-9])")
_GROUPS = 6
_SCATTERED = re.compile(r"(?<![0-9])[0-9]{1,6}(?:[ .\-_/\u2010-\u2015]{1,2}[0-9]{1,6})+(?![0-9])")
_ABROAD = re.compile(r"(?<![0-9])(?:00)?86([0-9]{9,11})(?![0-9])")
_SPELT = re.compile("[0-9〇零一二三四五六七八九幺]{9,}")
_DIGITS = str.maketrans("〇零一二三四五六七八九幺", "001234567891")
LEAST_SCATTERED = 9
"""So many digits in loose groups are one number; fewer may be a date, a version or two counts."""


def plain(text: str) -> str:
    """Return a text as it is searched: NFKC, no case, no invisible characters, one blank for several and none amid ideographs."""
    if text.isascii():
        return _BLANK.sub(" ", text.lower())
    folded = _INVISIBLE.sub("", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold())
    folded = _OTHER_DIGIT.sub(lambda found: str(unicodedata.decimal(found[0], 0)), folded)
    return _BETWEEN.sub("", _BLANK.sub(" ", folded))


def numbers(text: str, *, alone: bool) -> Iterator[str]:
    """Yield the runs of digits of a plain text, and those whose groups (of three and more) blanks or dashes set apart, joined.

    Args:
        text: plain.
        alone: leave runs out that hang together with letters, as in a hash.
    """
    for found in _RUN.finditer(text):
        before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        if not alone or not (_WORD.match(before) or _WORD.match(after)):
            yield found[0]
    for found in _GROUPED.finditer(text):
        before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        if not alone or not (_WORD.match(before) or _WORD.match(after)):
            groups = _RUN.findall(found[0])
            for first in range(len(groups)):
                for past in range(first + 2, min(first + _GROUPS, len(groups)) + 1):
                    yield "".join(groups[first:past])


def written_otherwise(text: str) -> Iterator[str]:
    """Yield the numbers of a plain text that are set in groups of any size (137.12.345678), spelt in Chinese digits, or behind 86.

    For finding numbers that are known; as secrets they would be too many.
    """
    for found in _SCATTERED.finditer(text):
        groups = _RUN.findall(found[0])
        for first in range(len(groups)):
            joined = groups[first]
            for group in groups[first + 1 : first + 2 * _GROUPS]:
                joined += group
                if len(joined) >= LEAST_SCATTERED:
                    yield joined
    for found in _ABROAD.finditer(text):
        yield found[1]
    for found in _SPELT.finditer(text):
        if not found[0].isascii():
            yield found[0].translate(_DIGITS)


class Strings:
    """Plain strings that are looked for; one that begins or ends with a letter or digit is found as whole words only."""

    def __init__(self, strings: Iterable[str]) -> None:
        self._strings = {string for string in strings if string}
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        first = set()
        for string in self._strings:
            word = _WORD.match(string)
            lengths[word[0] if word else string[:2]].add(len(string))
            if word is None:
                first.add(string[0])
        self._lengths = {head: sorted(found, reverse=True) for head, found in lengths.items()}
        self._first = re.compile(f"[{''.join(map(re.escape, sorted(first)))}]") if first else None

    def __len__(self) -> int:
        return len(self._strings)

    def find(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield where a string begins in a plain text, and the string; those that overlap too."""
        for word in _WORD.finditer(text):
            if word[0] in self._lengths:
                yield from self._at(text, word.start(), word[0])
        for found in self._first.finditer(text) if self._first else ():
            for head in {text[found.start() : found.start() + 2], found[0]}:
                yield from self._at(text, found.start(), head)

    def _at(self, text: str, start: int, head: str) -> Iterator[tuple[int, str]]:
        for length in self._lengths.get(head, ()):
            string = text[start : start + length]
            if string in self._strings and not (
                _WORD.match(string[-1]) and _WORD.match(text[start + length : start + length + 1])
            ):
                yield start, string
