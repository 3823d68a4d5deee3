"""Bank cards and accounts: 12 to 19 digits, together or in the groups that cards show, and IBANs."""

from __future__ import annotations

import re

from mldr.annotation.privacy.detectors.checksums import luhn, mod97
from mldr.annotation.privacy.detectors.rules import Rule, digits_of, pattern, said

_NAMED = "卡号 银行卡 储蓄卡 信用卡 账号 帐号 账户 对公 card account acct"
_COUNTRIES = """
AD AE AL AT AZ BA BE BG BH BR CH CR CY CZ DE DK DO EE ES FI FO FR GB GE GI GL GR GT HR HU IE IL IS IT JO KW KZ LB LI LT LU LV MC
MD ME MK MR MT MU NL NO PK PL PS PT QA RO RS SA SE SI SK SM TN TR UA VG XK
"""
_LAST = "尾号 末四位 后四位 last_4 last_four ending"


def _card(match: re.Match[str]) -> float:
    digits = digits_of(match[0])
    if not luhn(digits):
        return 0.72 if len(digits) >= 16 and match["a"] else 0.6  # the groups of a card tell, too
    return 0.95 if digits[0] in "23456" else 0.8


def _iban(match: re.Match[str]) -> float:
    account = match[0].replace(" ", "").replace("-", "").upper()
    if not 15 <= len(account) <= 34 or account[:2] not in _COUNTRIES:
        return 0.0
    return 0.96 if mod97(account) else 0.6 if match[0].isupper() else 0.0


CARDS = (
    Rule(
        "card",
        "bank_card",
        pattern(
            r"(?<!\d)(?:\d{12,19}|\d{4}(?P<a>[ \-._/]{1,2})\d{4}(?:(?P=a)\d{4}){1,2}(?:(?P=a)\d{1,4})?"
            r"|\d{4}[ -]\d{6}[ -]\d{4,5}|\d{6}[ -]\d{6,13})(?!\d)"
        ),
        _card,
    ),
    Rule(
        "named-card",
        "bank_card",
        pattern(rf"{said(_NAMED)}[^\d\n]{{0,8}}(?P<x>\d(?:[ \-]{{0,2}}\d){{7,22}})(?!\d)"),
        0.85,
        _NAMED,
    ),
    Rule(
        "card-end",
        "bank_card",
        pattern(said(_LAST) + r"(?: digits| in)?[^\d\n]{0,4}(?P<x>\d{3,6})(?!\d)"),
        0.8,
        _LAST,
    ),
    Rule("starred-card", "bank_card", pattern(r"(?<!\d)\d{4,6}[ \-]?(?:\*{2,8}[ \-]?){1,3}\d{3,4}(?!\d)"), 0.8),
    Rule(
        "iban",
        "bank_card",
        pattern(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"),
        _iban,
    ),
)
