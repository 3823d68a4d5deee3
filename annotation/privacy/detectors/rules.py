"""How a family of detectors says what it looks for: a pattern, a kind, and how sure it is of a match.

Every pattern takes time linear in the text: bounded repeats, possessive where two could trade characters. Neighbours are
excluded by look-arounds over digits or latin letters; a word boundary would fail next to Chinese, where all is `\\w`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mldr.annotation.spans import Span, SpanKind

Confidence = float | Callable[[re.Match[str]], float]

GAP = r"[ \-.·_/*~]{0,3}"
"""What people write between the groups of a number."""
LINK = (
    r"""(?:[ :;=,.()\[\]{}<>"'“”‘’【】「」《》#~>-]|是|为|叫|就|改成|换成|发|给|你|我|的|了|到|刚|号|码|"""
    r"""(?:is|was|to|my|your|the|number|no|num|id)(?![A-Za-z]))"""
)
"""What stands between a word such as 'password' and the thing itself."""
UNIT = (
    r"(?:元|块|圆|角|毛|刀|万|亿|千|百|人|个|次|倍|岁|年|月|日|天|点|分|秒|时|小时|分钟|周|米|公里|千米|厘米|毫米|平|斤|公斤|克|吨|升|度|票|张|本|页|字|件|"
    r"条|份|台|只|位|名|集|期|届|路|级|分之|美元|美金|港币|日元|欧元|韩元|人民币|粉丝|播放|赞|步|像素|"
    r"(?:km|kg|cm|mm|ml|gb|mb|kb|tb|m|g|k|w|usd|cny|rmb|eur|gbp|jpy|hkd|dollars?|bucks|yuan|euros?|pounds?|people|users?|"
    r"times|views|likes|steps|points?|votes?|followers|words|lines|years?|days?|hours?|min(?:ute)?s?|sec(?:ond)?s?|am|pm|px|"
    r"hz|mhz|ghz|mah|fps|kcal|cal|percent)(?![A-Za-z]))|[%‰℃°]"
)
"""What follows a number that counts or measures."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern; its group `x` is the private thing, the whole match where it has none."""

    detector: str
    kind: SpanKind
    pattern: re.Pattern[str]
    confidence: Confidence
    """0 for a match that is nothing after all."""


def scan(text: str, rules: Iterable[Rule]) -> Iterator[Span]:
    """Yield what the rules find in a normal text, rule by rule; spans of different rules may overlap."""
    for rule in rules:
        group: int | str = "x" if "x" in rule.pattern.groupindex else 0
        for match in rule.pattern.finditer(text):
            confidence = rule.confidence if isinstance(rule.confidence, float) else rule.confidence(match)
            if confidence > 0 and match.end(group) > match.start(group):
                yield Span(match.start(group), match.end(group), rule.kind, confidence, rule.detector)


def pattern(source: str) -> re.Pattern[str]:
    """Return a pattern that does not mind the case."""
    return re.compile(source, re.IGNORECASE)


def digits_of(text: str) -> str:
    """Return the digits of a match, without what stands between them."""
    return "".join(c for c in text if c.isdigit())
