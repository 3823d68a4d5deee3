"""Names that no member list knows: @-mentions, and words that stand where a name is said. Doubtful, so for review."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mldr.annotation.privacy.normal import MENTION_END, Normal, folded
from mldr.annotation.privacy.words import COMMON_SURNAMES, COMPOUND_SURNAMES, EVERYBODY, LONG_TITLES, SURNAMES
from mldr.annotation.spans import Span

_DOUBLE = "|".join(sorted(COMPOUND_SURNAMES))
_ANY = f"(?:{_DOUBLE}|[{''.join(sorted(SURNAMES))}])"
_COMMON = f"(?:{_DOUBLE}|[{''.join(sorted(COMMON_SURNAMES))}])"
_GIVEN = r"(?:[\u4e00-\u9fff]{1,2}?(?![\u4e00-\u9fff])|[\u4e00-\u9fff]{1,2}?(?=[的是在和今吧呢啊呀了就也跟说来去，])|[\u4e00-\u9fff]{1,2})"
_SENT = re.compile(rf"@(?P<x>[^@\n{MENTION_END}]{{1,40}}){MENTION_END}")
_END = r"(?=[\s,，.。!！?？:：;；、]|$)"
_MENTION = re.compile(
    rf"(?<![A-Za-z0-9._%+\-])@(?P<x>[\w.\-]{{1,4}}{_END}|{_ANY}[\u4e00-\u9fff]{{1,2}}|[A-Za-z0-9_.\-]{{2,32}}(?<!\.)|[\w.\-]{{1,20}}{_END}"
    r"|[\u4e00-\u9fff]{2,4})"
)
_SAID = (
    (re.compile(rf"(?:我叫|名叫|叫做|名字(?:是|叫)|姓名[:是 ]{{0,2}}|真名[:是叫 ]{{0,2}}|本名[:是叫 ]{{0,2}}|(?:联系|收件|收货|负责)人[:是 ]{{0,2}}|户名[:是 ]{{0,2}})(?P<x>{_ANY}{_GIVEN})"), 0.5),
    (re.compile(rf"(?:叫|我是|这是|那是|找|姓名)(?P<x>{_COMMON}{_GIVEN})"), 0.35),
    (re.compile(rf"(?:免贵|(?<![贵老百同])姓)(?:姓)?(?P<x>{_COMMON})(?![\u4e00-\u9fff]{{0,1}}名)"), 0.4),
    (re.compile(rf"(?<![\u4e00-\u9fff])(?P<x>{_COMMON}(?:{'|'.join(LONG_TITLES)}))|(?:[和跟问找给叫让是请])(?P<y>{_COMMON}(?:{'|'.join(LONG_TITLES)}))"), 0.4),
    (re.compile(r"(?i:my name is|name's|name is|call me|named|her name is|his name is|(?:this|it) is) (?P<x>[A-Z][a-z'’]{1,20}(?: [A-Z][a-z'’]{1,20}){0,2})"), 0.5),
    (re.compile(r"(?<![A-Za-z])(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Uncle|Aunt|Auntie|Sir|Madam)\.? (?P<x>[A-Z][a-z'’]{1,20}(?: [A-Z][a-z'’]{1,20})?)"), 0.5),
)  # fmt: skip


def hints(view: Normal) -> Iterator[Span]:
    """Yield mentions of people and names that a context gives away. A mention that WeChat itself wrote is sure."""
    for match in _SENT.finditer(view.text):
        if folded(match["x"]).strip() not in EVERYBODY:
            yield Span(*match.span("x"), "name", 0.9, "mention")
    for match in _MENTION.finditer(view.text):
        if folded(match["x"]) not in EVERYBODY:
            yield Span(*match.span("x"), "name", 0.5, "mention")
    for said, confidence in _SAID:
        for match in said.finditer(view.text):
            group = "x" if match.start("x") >= 0 else "y"
            yield Span(*match.span(group), "name", confidence, "hint")
