"""A text as the detectors read it: one width, no invisible characters, digits as 0-9, and the way back to the text as given."""

from __future__ import annotations

import re
import unicodedata
from array import array
from dataclasses import dataclass, replace

BLANK = "\uffff"
"""Stands where nothing is to be looked for; a noncharacter, so no rule names it."""
MENTION_END = "\u2005"
"""The space that WeChat writes after an @-mention; the only space that is kept apart from the common one."""

_ALIKE = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20} | dict.fromkeys(range(0x2010, 0x2016), 0x2D)
"""Full-width forms and dashes: one character for one."""
_PLAIN = re.compile(
    "[\n\t\x20-\x7e\xc0-\xff\u0410-\u044f\u2010-\u2015\u2018-\u201f\u3000-\u3003\u3008-\u3011\u3041-\u3096\u30a1-\u30fa"
    "\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e\U0001f300-\U0001faff]+"
)
"""Characters that are their own normal form, or `_ALIKE`, which is most of any chat."""
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u3164\uffa0" + BLANK)
_CIRCLED = re.compile("[\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea\u24f5-\u24ff\u2776-\u2793]|[0-9]\ufe0f?\u20e3")
_NEAR, _BULLET = 2, "\u2022"
"""Circled digits so near to one another spell a number."""
_MARKS = 30
"""Most combining marks that are composed at once (the limit of Unicode's stream-safe format); more would cost quadratic time."""
_NUMERALS = dict(zip("零〇○洞一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖", "0000123456789121234567" + "89", strict=True))
_NUMERAL = "".join(_NUMERALS)
_SPOKEN = re.compile(rf"[{_NUMERAL}0-9](?:[ \-.,、]?[{_NUMERAL}0-9])*+")
_SAID, _MOBILE = 4, 11
"""So many Chinese numerals in a row are digits read out; so are fewer that fill a mobile number up."""


@dataclass(frozen=True, slots=True)
class Normal:
    """Three readings of a text, character for character alike in length, and where each character stands in the text as given."""

    text: str
    """NFKC, every dash as '-', every digit as 0-9, without invisible characters."""
    digits: str
    """`text` with Chinese numerals as digits where they are read out one by one (一三八 for 138)."""
    folded: str
    """`text` in lower case."""
    starts: array[int]
    ends: array[int]
    length: int
    """Of the text as given."""

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return where text[start:end] (not empty) stands in the text as given, with what nobody sees behind it."""
        return self.starts[start], max(self.ends[end - 1], self.starts[end] if end < len(self.starts) else self.length)

    def without(self, pattern: re.Pattern[str]) -> Normal:
        """Return the same with blanks wherever the pattern is found in `text`."""
        places = [match.span() for match in pattern.finditer(self.text)]
        text, digits, low = (blanked(view, places) for view in (self.text, self.digits, self.folded))
        return replace(self, text=text, digits=digits, folded=low)


def blanked(text: str, places: list[tuple[int, int]]) -> str:
    """Return the text with blanks at the places, which are in order and apart; its length stays."""
    parts, last = [], 0
    for start, end in places:
        parts += [text[last:start], BLANK * (end - start)]
        last = end
    return "".join([*parts, text[last:]])


def normal(text: str) -> Normal:
    """Return the text as the detectors read it. Takes time linear in its length."""
    text = _without_bullets(text)
    parts: list[str] = []
    starts, ends = array("q"), array("q")
    known: dict[str, str] = {}
    position = 0
    while position < len(text):
        plain = _PLAIN.match(text, position)
        stop = plain.end() if plain else position
        if stop < len(text) and stop > position and _extends(text[stop]):
            stop -= 1  # the last one belongs to the mark that follows
        if stop > position:
            parts.append(text[position:stop].translate(_ALIKE))
            starts.extend(range(position, stop))
            ends.extend(range(position + 1, stop + 1))
            position = stop
            continue
        stop = _cluster_end(text, position)
        cluster = text[position:stop]
        if cluster not in known:
            known[cluster] = _normal_cluster(cluster)
        parts.append(known[cluster])
        starts.extend([position] * len(known[cluster]))
        ends.extend([stop] * len(known[cluster]))
        position = stop
    whole = "".join(parts)
    return Normal(whole, _SPOKEN.sub(_said, whole), folded(whole), starts, ends, len(text))


def _without_bullets(text: str) -> str:
    """Return the text with a bullet for each circled digit that stands alone: it numbers a list and hides no digit."""
    found = list(_CIRCLED.finditer(text))
    parts, last = [], 0
    for at, match in enumerate(found):
        near_before = at > 0 and match.start() - found[at - 1].end() <= _NEAR
        near_after = at + 1 < len(found) and found[at + 1].start() - match.end() <= _NEAR
        if not (near_before or near_after):
            parts += [text[last : match.start()], _BULLET]
            last = match.start() + 1
    return "".join([*parts, text[last:]]) if parts else text


def folded(text: str) -> str:
    """Return the text in lower case, character for character."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _extends(character: str) -> bool:
    return (
        unicodedata.combining(character) != 0
        or unicodedata.category(character) == "Me"
        or "\u1160" <= character <= "\u11ff"
    )


def _cluster_end(text: str, start: int) -> int:
    stop = start + 1
    while stop < len(text) and stop - start <= _MARKS and _extends(text[stop]):
        stop += 1
    return stop


def _normal_cluster(cluster: str) -> str:
    if len(cluster) == 1:
        digit = unicodedata.digit(cluster, None)
        if digit is not None:
            return str(digit)
        if cluster == MENTION_END:
            return cluster
    shown = "".join(c for c in unicodedata.normalize("NFKC", cluster) if not _hidden(c))
    return "".join("-" if unicodedata.category(c) == "Pd" or c == "\u2212" else _ascii_digit(c) for c in shown)


def _hidden(character: str) -> bool:
    if unicodedata.category(character) in ("Cf", "Me", "Cc"):
        return character not in "\n\t"
    return character in _FILLERS or "\ufe00" <= character <= "\ufe0f"


def _ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _said(match: re.Match[str]) -> str:
    run = match[0]
    numerals = sum(c in _NUMERALS for c in run)
    count = sum(c in _NUMERALS or c.isdigit() for c in run)
    if numerals < _SAID and not (numerals and count == _MOBILE):
        return run
    return "".join(_NUMERALS.get(c, c) for c in run)
