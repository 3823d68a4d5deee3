"""Numbers of a person's papers: resident ids, passports, permits of Hong Kong, Macau and Taiwan, number plates."""

from __future__ import annotations

import re

from mldr.annotation.privacy.detectors.checksums import birthday, hong_kong_id, resident_id
from mldr.annotation.privacy.detectors.rules import Rule, digits_of, pattern, said

_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9[01])"
_PAPERS = "身份证 证件 id_card"
_PERMITS = "通行证 回乡证 台胞证 居住证 居留证 签证 驾驶证 驾证 permit visa"
_PLATES = "车牌 车牌号 license_plate licence_plate plate_number"
_PLATE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"


def _id18(match: re.Match[str]) -> float:
    """Both checks failed leaves a number that somebody calls an id at best; it is masked for a person to look at."""
    number = digits_of(match[0][:-1]) + (match[0][-1] if match[0][-1].isdigit() else "X")
    if not birthday(number[6:14]):
        return 0.5
    return 0.98 if resident_id(number) else 0.65


def _id15(match: re.Match[str]) -> float:
    """The old ids have no check digit; the day of birth is the only check."""
    return 0.75 if birthday("19" + digits_of(match[0])[6:12]) else 0.0


def _hong_kong(match: re.Match[str]) -> float:
    return 0.95 if hong_kong_id(match["letters"].upper(), match["digits"], match["check"].upper()) else 0.6


def _plate(match: re.Match[str]) -> float:
    tail = match["tail"]
    if sum(c.isdigit() for c in tail) < 3:
        return 0.5 if tail.isupper() and any(c.isdigit() for c in tail) else 0.0
    return 0.9 if match[0].upper() == match[0] else 0.72


IDENTITIES = (
    Rule(
        "resident-id",
        "resident_id",
        pattern(rf"(?<!\d){_PROVINCE}(?:[ \-_]{{0,2}}\d){{15}}[ \-_]{{0,2}}[\dx×х*](?!\d)"),
        _id18,
    ),
    Rule("old-resident-id", "resident_id", pattern(rf"(?<!\d){_PROVINCE}(?:[ \-_]{{0,2}}\d){{13}}(?!\d)"), _id15),
    Rule(
        "named-id",
        "resident_id",
        pattern(said(_PAPERS) + r"[^\d\n]{0,8}(?P<x>\d(?:[ \-_]{0,2}[\d*]){4,16}[ \-_]{0,2}[\dx])(?!\d)"),
        0.85,
        _PAPERS,
    ),
    Rule("social-security", "resident_id", pattern(r"(?<!\d)\d{3}[- ]\d{2}[- ]\d{4}(?!\d)"), 0.8),
    Rule(
        "named-passport",
        "passport",
        pattern(
            said("护照 passport")
            + r"[^A-Za-z0-9\n]{0,8}(?:(?:no|number|num|is|号)[^A-Za-z0-9\n]{0,4}){0,3}(?P<x>[A-Z]{0,2} ?\d{6,9})(?!\d)"
        ),
        0.95,
        "护照 passport",
    ),
    Rule(
        "passport", "passport", pattern(r"(?<![A-Za-z0-9])(?:[EGDSP]\d{8}|E[A-Z]\d{7}|[A-Z]\d{8})(?![A-Za-z0-9])"), 0.75
    ),
    Rule(
        "named-permit",
        "permit",
        pattern(said(_PERMITS) + r"[^A-Za-z0-9\n]{0,8}(?P<x>[A-Z]{0,2}\d{7,12})(?!\d)"),
        0.95,
        _PERMITS,
    ),
    Rule(
        "permit",
        "permit",
        pattern(r"(?<![A-Za-z0-9])(?:[HM]\d{8}(?:\d{2})?|[CWTL]\d{8}|C[A-Z]\d{7})(?![A-Za-z0-9])"),
        0.78,
    ),
    Rule(
        "hong-kong-id",
        "permit",
        pattern(r"(?<![A-Za-z0-9])(?P<letters>[A-Z]{1,2})(?P<digits>\d{6}) ?\((?P<check>[\dA])\)"),
        _hong_kong,
    ),
    Rule(
        "named-plate",
        "plate",
        pattern(
            said(_PLATES) + r"[:是 ]{0,3}(?:is )?(?P<x>(?=[A-Z]{0,4}\d)[A-Z0-9]{1,3}[ -]?[A-Z0-9]{3,5})(?![A-Z0-9])"
        ),
        0.8,
        _PLATES,
    ),
    Rule(
        "plate",
        "plate",
        pattern(
            rf"[{_PLATE}] ?[A-Z][ \-.·•・]{{0,2}}"
            r"(?P<tail>[A-HJK][A-HJ-NP-Z0-9]\d{4}|\d{5}[A-HJK]|[A-Z0-9]{4}[A-Z0-9挂学警港澳领])(?!\d)"
        ),
        _plate,
    ),
)
