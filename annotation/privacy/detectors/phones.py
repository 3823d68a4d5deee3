"""Telephone numbers: Chinese mobile and fixed lines in every grouping, service numbers, international and North American ones."""

from __future__ import annotations

import re

from mldr.annotation.privacy.detectors.rules import GAP, Rule, digits_of, pattern, said

_EXTENSION = r"(?:[ ,]{0,2}(?:转|分机|ext\.?|extension|x|#)[ :]{0,2}\d{1,6})?"
_CALLED = "座机 固话 电话 手机 热线 号码 联系方式 传真 tel phone call fax mobile cell whatsapp"
_CHINA = r"(?:(?:\+|00)? ?\(?\+?86\)?[ \-.·]{0,2}|0)?"


def _spread(match: re.Match[str]) -> float:
    """Single digits far apart may be a list; anything else of this form is a number to call."""
    return 0.97 if len(re.findall(r"\d+", match[0])) < 8 else 0.88


def _bare(match: re.Match[str]) -> float:
    return 0.9 if re.search(r"[^\d]", match[0]) else 0.72


def _abroad(match: re.Match[str]) -> float:
    return 0.92 if 7 <= len(digits_of(match[0])) <= 17 else 0.0


MOBILES = (
    Rule("starred", "mobile", pattern(r"(?<!\d)1[3-9]\d ?\*{2,8} ?\d{2,4}(?!\d)"), 0.8),
    Rule("mobile", "mobile", pattern(rf"(?<!\d){_CHINA}1{GAP}[3-9](?:{GAP}\d){{9}}(?!\d)"), _spread),
    Rule(
        "mobile",
        "mobile",
        pattern(rf"(?<!\d){_CHINA}1[3-9]\d[,、;| \n]{{1,2}}\d{{4}}[,、;| \n]{{1,2}}\d{{4}}(?!\d)"),
        0.9,
    ),
    Rule(
        "international",
        "mobile",
        pattern(rf"(?<![\d+])(?:\+|00 ?|011[ -])[ (]{{0,2}}[1-9](?:[ \-.()/]{{0,3}}\d){{6,15}}{_EXTENSION}(?!\d)"),
        _abroad,
    ),
    Rule(
        "north-american",
        "mobile",
        pattern(
            r"(?<!\d)(?<!\d\.)(?:(?:\+|00)?1[\-. ]{0,2})?\(?\d{3}\)?[\-. ]{0,2}\d{3}[\-. ]{0,2}\d{4}"
            rf"{_EXTENSION}(?!\d)(?! ?(?:元|块|人|次|美元))"
        ),
        _bare,
    ),
)
FIXED = (
    Rule(
        "landline",
        "landline",
        pattern(
            r"(?<!\d)(?:(?:\+|00)?86[ -]{0,2})?\(?0\d{2,3}\)?[ \-_/.·]{0,3}"
            rf"[1-9]\d{{2,3}}[ -]?\d{{4}}{_EXTENSION}(?:-\d{{1,5}})?(?!\d)"
        ),
        0.93,
    ),
    Rule("service", "landline", pattern(rf"(?<!\d)[48]00(?:[ -]{{0,2}}\d){{7}}{_EXTENSION}(?!\d)"), 0.9),
    Rule(
        "called",
        "landline",
        pattern(
            said(_CALLED)
            + rf"[^\d\n]{{0,8}}(?P<x>\+?\d(?:[ \-.()]{{0,2}}\d){{5,14}}{_EXTENSION})(?!\d)(?! ?(?:元|块|万|年|月|人))"
        ),
        0.85,
        _CALLED,
    ),
)
PHONES = (*MOBILES, *FIXED)
