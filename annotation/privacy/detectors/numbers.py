"""What no other detector explains: runs of seven digits and more, unless they are a date, a time, a price or a count."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mldr.annotation.privacy.normal import BLANK, blanked
from mldr.annotation.spans import Span

LEAST = 7
"""So many digits may be somebody's."""
_SURE_FROM = 9
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:19|20)\d{2}"
_CLOCK = r"(?:[T ,]{0,2}[0-2]?\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?!\d))"
_COUNTED = (
    r"(?:元|块|万|亿|人|个|次|美元|美金|港币|日元|欧元|韩元|人民币|粉丝|播放|(?:usd|cny|rmb|eur|gbp|jpy|hkd|dollars?|yuan|euros?|pounds?|"
    r"people|users?|views|likes|votes?|followers|subscribers|downloads|copies|km|kg|mb|gb)(?![A-Za-z]))"
)
"""What follows a long number that counts; 点, 天 and the like may follow anybody's number by chance."""
_RANGE = r"(?: ?[\-~至到] ?)"
_HARMLESS = re.compile(
    rf"(?<!\d)(?:{_YEAR}[\-./年 ]{{1,2}}{_MONTH}[\-./月 ]{{1,2}}{_DAY}[日号]?(?!\d){_CLOCK}?"
    rf"|{_DAY}[/.\-]{_DAY}[/.\-]{_YEAR}(?!\d){_CLOCK}?"
    rf"|{_YEAR}{_RANGE}{_YEAR}(?!\d)|{_CLOCK}(?:{_RANGE}{_CLOCK})?"
    r"|\d{1,3}(?:,\d{3})+(?:\.\d{1,4})?(?![\d,])|(?:\d\.\d{1,17}|\d{1,6}\.\d{1,6})(?![\d.])"
    rf"|\d{{1,10}}(?:\.\d{{1,4}})?(?:{_RANGE}\d{{1,10}}(?:\.\d{{1,4}})?)? ?{_COUNTED})"
    rf"|[$¥£€] ?\d{{1,10}}(?:\.\d{{1,4}})?(?!\d)(?:{_RANGE}[$¥£€]? ?\d{{1,10}}(?!\d))?",
    re.IGNORECASE,
)
_RUN = re.compile(r"(?<![\dA-Za-z])[A-Za-z]{0,8}\+?\(?\d(?:[ \-._/()·*~]{0,3}\d){6,}+[A-Za-z0-9]{0,24}+|(?<!\d)\d{7,}+")
"""With the letters that it hangs together with: they belong to the same number."""


def numbers(text: str, covered: bytearray) -> Iterator[Span]:
    """Yield the digit runs of a normal text that lie outside of what was found already (1 in `covered`)."""
    open_text = "".join(BLANK if seen else c for c, seen in zip(text, covered, strict=True)) if any(covered) else text
    if _RUN.search(open_text) is None:
        return
    open_text = blanked(open_text, [match.span() for match in _HARMLESS.finditer(open_text)])
    for match in _RUN.finditer(open_text):
        groups = re.findall(r"\d+", match[0])
        count = sum(map(len, groups))
        if count < 2 * len(groups) and len(set(re.findall(r"[^\d]+", match[0]))) > 1:
            continue  # scores: 3-2 2-1 1-1 0-0
        sure = count >= _SURE_FROM and len(groups) <= count / 3
        yield Span(match.start(), match.end(), "number", 0.8 if sure else 0.55, "digits")
