"""Names that no member list knows: @-mentions, and words that stand where a name is said. Doubtful, so for review."""

from __future__ import annotations

import re
from collections.abc import Callable

from mldr.annotation.privacy.detectors.rules import Rule, said
from mldr.annotation.privacy.normal import BLANK, MENTION_END, folded
from mldr.annotation.privacy.words import (
    COMMON_SURNAMES,
    COMMON_WORDS,
    COMPOUND_SURNAMES,
    EVERYBODY,
    LONG_TITLES,
    SURNAMES,
)

_DOUBLE = "|".join(sorted(COMPOUND_SURNAMES))
_ANY = f"(?:{_DOUBLE}|[{''.join(sorted(SURNAMES))}])"
_COMMON = f"(?:{_DOUBLE}|[{''.join(sorted(COMMON_SURNAMES))}])"
_HAN = r"[\u4e00-\u9fff]"
_GIVEN = (
    rf"(?:{_HAN}{{1,2}}?(?=[吧呢啊呀吗了嘛哦哈])|{_HAN}{{1,2}}?(?!{_HAN})|"
    rf"{_HAN}{{1,2}}?(?=[的是在和今就也跟说来去])|{_HAN}{{1,2}})"
)
_RATHER_WORDS = "车时任经应家和能"
"""Surnames that are something else nearly always behind a word such as 'called'."""
_END = r"(?=[\s,，.。!！?？:：;；、]|$)"
_FULL_SAID = "我叫 名叫 叫做 名字是 名字叫 姓名 真名 本名 联系人 收件人 收货人 负责人 户名"
_TITLED = "|".join(LONG_TITLES)
_CAPITALS = r"[A-Z][a-z'’]{1,20}"


def _mention(confidence: float) -> Callable[[re.Match[str]], float]:
    return lambda match: 0.0 if folded(match["x"]).strip() in EVERYBODY else confidence


def _hint(source: str, confidence: float, words: str) -> Rule:
    def sure(match: re.Match[str]) -> float:
        first = folded(match["x"]).split(" ")[0]
        return 0.0 if first in COMMON_WORDS or first[0] in _RATHER_WORDS else confidence

    return Rule("hint", "name", re.compile(source), sure, words, digits=False)


HINTS = (
    Rule(
        "mention",
        "name",
        re.compile(rf"@(?P<x>[^@\n{BLANK}{MENTION_END}]{{1,40}}){MENTION_END}"),
        _mention(0.9),
        "@",
        digits=False,
    ),
    Rule(
        "mention",
        "name",
        re.compile(
            rf"(?<![A-Za-z0-9._%+\-{BLANK}])@(?P<x>[\w.\-]{{1,4}}{_END}|{_ANY}[\u4e00-\u9fff]{{1,2}}|[A-Za-z0-9_.\-]{{2,32}}(?<!\.)"
            rf"|[\w.\-]{{1,20}}{_END}|[\u4e00-\u9fff]{{2,4}})"
        ),
        _mention(0.5),
        "@",
        digits=False,
    ),
    _hint(rf"{said(_FULL_SAID)}[:是叫 ]{{0,2}}(?P<x>{_ANY}{_GIVEN}|[小阿老]{_HAN})", 0.5, _FULL_SAID),
    _hint(rf"(?:叫|我是|这是|那是|找)(?P<x>{_COMMON}{_GIVEN})", 0.35, "叫 我是 这是 那是 找"),
    _hint(rf"(?:免贵姓?|(?<![贵老百同])姓)(?P<x>{_COMMON})(?![\u4e00-\u9fff]?名)", 0.4, "姓 免贵"),
    _hint(
        rf"(?:(?<![\u4e00-\u9fff{BLANK}])|(?<=[和跟问找给叫让是请]))(?P<x>{_COMMON}(?:{_TITLED}))",
        0.4,
        " ".join(LONG_TITLES),
    ),
    _hint(
        rf"(?i:(?:my|her|his) name is|name's|name is|call me|named|this is) (?P<x>{_CAPITALS}(?: {_CAPITALS}){{0,2}})",
        0.5,
        "name_is name's call_me named this_is",
    ),
    _hint(
        rf"(?i:(?<![a-z])(?:name|contact|recipient|attn)): ?(?P<x>{_CAPITALS}(?: {_CAPITALS}){{0,2}})",
        0.5,
        "name contact recipient attn",
    ),
    _hint(
        rf"(?<![A-Za-z])(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Uncle|Aunt|Auntie|Sir|Madam)\.? (?P<x>{_CAPITALS}(?: {_CAPITALS})?)",
        0.5,
        "mr mrs ms miss dr prof uncle aunt sir madam",
    ),
)
"""A mention that the messenger itself wrote is sure."""
