"""How a family of detectors says what it looks for: a pattern, a kind, and how sure it is of a match.

Every pattern takes time linear in the text: bounded repeats, possessive where two could trade characters. Neighbours are
excluded by look-arounds over digits or latin letters; a word boundary would fail next to Chinese, where all is `\\w`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mldr.annotation.privacy.normal import folded
from mldr.annotation.spans import Span, SpanKind

_REACH, _APART = 80, 160
"""A find begins and ends at most so far from a digit in it; digits farther apart are looked at apart."""
_DIGITS = re.compile(rf"\d(?:[^\d]{{0,{_APART}}}+\d)*+")

_LATIN = re.compile("[a-z]")

Confidence = float | Callable[[re.Match[str]], float]

GAP = r"[ \-.·_/*~]{0,3}"
"""What people write between the groups of a number."""
LINK = (
    r"""(?:[ :;=,.()\[\]{}<>"'“”‘’【】「」《》#~>❤♥-]|是|为|叫|就|改成|换成|还是|搜索?|加|发|给|你|我|的|了|到|刚|号|码|"""
    r"""(?:is|was|to|my|your|the|number|no|num|id)(?![A-Za-z]))"""
)
"""What stands between a word such as 'password' and the thing itself."""
UNIT = (
    r"(?:元|块|个|人|次|岁|年|月|日|天|小时|分钟|公里|斤|美元|美金|"
    r"(?:km|kg|cm|mm|ml|gb|mb|usd|cny|rmb|eur|dollars?|bucks|yuan|euros?|people|users?|times|views|likes|steps|points|votes|"
    r"words|lines|pages|years?|days?|hours?|minutes?|seconds?|am|pm|px|hz|mhz|ghz|mah|fps|cal)(?![A-Za-z])|[%‰℃°])"
)
"""What follows a number that counts or measures; no character that is a surname (张, 万, 平), as a name may follow a code."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern; its group `x` is the private thing, the whole match where it has none."""

    detector: str
    kind: SpanKind
    pattern: re.Pattern[str]
    confidence: Confidence
    """0 for a match that is nothing after all."""
    words: str = ""
    """One of these must stand in the text, as in `said`; '' where nothing need."""
    digits: bool = True
    """Whether a find holds a digit; it is looked for only where there are some."""


def scan(text: str, rules: Iterable[Rule]) -> Iterator[Span]:
    """Yield what the rules find in a normal text, rule by rule; spans of different rules may overlap."""
    low = folded(text)
    around = [(max(0, m.start() - _REACH), m.end() + _REACH) for m in _DIGITS.finditer(text)]
    for rule in rules:
        if rule.words and not any(word in low for word in _listed(rule.words)):
            continue
        for start, end in around if rule.digits else [(0, len(text))]:
            for match in rule.pattern.finditer(text, start, end):
                yield from _span(rule, match)


def _span(rule: Rule, match: re.Match[str]) -> Iterator[Span]:
    group: int | str = "x" if "x" in rule.pattern.groupindex else 0
    confidence = rule.confidence if isinstance(rule.confidence, float) else rule.confidence(match)
    if confidence > 0 and match.end(group) > match.start(group):
        yield Span(match.start(group), match.end(group), rule.kind, confidence, rule.detector)


def said(words: str) -> str:
    """Return a pattern for one of the words, which are apart by spaces and hold `_` for a space.

    A latin word stands apart from other latin letters; a Chinese one may stand anywhere.
    """
    groups: dict[str, list[str]] = {}
    for word in sorted(_listed(words), key=lambda word: (-len(word), word)):
        before, after = ("(?<![a-z])" if _LATIN.match(word) else ""), ("(?![a-z])" if _LATIN.match(word[-1]) else "")
        groups.setdefault(f"{before}(?:@){after}", []).append(re.escape(word))
    return f"(?:{'|'.join(frame.replace('@', '|'.join(found)) for frame, found in groups.items())})"


def _listed(words: str) -> list[str]:
    return [word.replace("_", " ") for word in words.split()]


def pattern(source: str) -> re.Pattern[str]:
    """Return a pattern that does not mind the case."""
    return re.compile(source, re.IGNORECASE)


def digits_of(text: str) -> str:
    """Return the digits of a match, without what stands between them."""
    return "".join(c for c in text if c.isdigit())
