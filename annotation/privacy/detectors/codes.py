"""Secrets that open something: verification codes, pick-up codes, passwords, PINs, before or after the word that names them."""

from __future__ import annotations

import re

from mldr.annotation.privacy.detectors.rules import LINK, UNIT, Rule, pattern, said

_KEY = """
验证码 校验码 动态码 识别码 确认码 取件码 取货码 提货码 取餐码 取票码 核销码 兑换码 邀请码 激活码 提取码 访问码
授权码 注册码 开门码 开锁码 解锁码 安全码 门禁 门锁 密码 口令 暗号 密钥 会议号 会议码 会议id 房间号 券码 邮编 请凭 凭
password passcode passwd pwd passphrase pass_phrase passkey code pin otp 2fa cvv cvc token zip
"""
_PASSWORD = "密码 口令 密钥 password passcode passwd pwd passphrase pass_phrase pw psw"
_GROUPS = (
    r"[A-Z]{0,2}\d{0,6}(?:-[A-Z]?\d{1,5}){1,4}|\d(?: \d){3,11}|\d{2,3}(?: \d{2,4}){1,4}|"
    r"[A-Z0-9]{4,12}(?: \d{3,4}(?!\d))?"
)
_TOKEN = rf"(?=[A-Z\-]{{0,11}}\d)(?P<x>(?:{_GROUPS}))(?![A-Z0-9])(?! ?{UNIT})"


def _code(match: re.Match[str]) -> float:
    digits = sum(c.isdigit() for c in match["x"])
    return 0.88 if digits > 3 else 0.72


def _password(match: re.Match[str]) -> float:
    if not re.fullmatch(r"[a-z]+", match["x"]):
        return 0.85
    return 0.65 if ":" in match[0] or "=" in match[0] else 0.4


CODES = (
    Rule("code", "code", pattern(rf"{said(_KEY)}{LINK}{{0,10}}{_TOKEN}"), _code, _KEY),
    Rule(
        "code-letters",
        "code",
        pattern(rf"{said(_KEY)} ?[:=] ?(?P<x>[A-Z]{{4,12}})(?![A-Z0-9])"),
        0.6,
        _KEY,
        digits=False,
    ),
    Rule(
        "code-further",
        "code",
        pattern(
            rf"{said(_KEY)}[^\d\n。!?\uffff]{{1,24}}?(?<![A-Za-z])(?P<x>[A-Z]{{0,2}}\d{{4,10}})(?![A-Z0-9])(?! ?{UNIT})"
        ),
        0.7,
        _KEY,
    ),
    Rule(
        "code-before",
        "code",
        pattern(
            rf"(?<![A-Z0-9\-])(?P<x>[A-Z0-9]{{1,4}}-\d{{3,8}}|\d{{2,4}}[ -]\d{{2,4}}|(?=[A-Z]{{0,11}}\d)[A-Z0-9]{{4,12}})"
            rf"[)\]\"'”】」]?[ ,:=\-(\[]{{0,3}}(?:就?是|为|作为|is|as|,|\(|:)[^\d\n。!?\uffff]{{0,40}}?{said(_KEY)}"
        ),
        0.82,
        _KEY,
    ),
    Rule(
        "used",
        "code",
        pattern(r"(?<![a-z])(?:use|enter) (?P<x>\d{4,8}) (?:to|as|for|at|within)(?![a-z])"),
        0.75,
        "use enter",
    ),
    Rule(
        "password",
        "code",
        pattern(
            rf"{said(_PASSWORD)}(?: {{0,2}}(?:是|为|改成了?|换成了?|就是|:|=|is |was |to )){{1,2}}"
            r" {0,2}[\"'“‘]?(?P<x>[!-~]{4,64}(?<![.,;!?)\"']))"
        ),
        _password,
        _PASSWORD,
        digits=False,
    ),
)
