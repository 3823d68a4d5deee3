"""The tags that stand for numbers, addresses and the like in a masked text: [电话1], [phone1]."""

from __future__ import annotations

import re

from mldr.annotation.spans import SpanKind

ZH: dict[SpanKind, str] = {
    "name": "人名",
    "mobile": "电话",
    "landline": "电话",
    "resident_id": "身份证",
    "bank_card": "银行卡",
    "passport": "护照",
    "permit": "证件",
    "plate": "车牌",
    "email": "邮箱",
    "url": "链接",
    "ip": "IP",
    "gps": "位置",
    "wechat_id": "微信号",
    "qq": "QQ号",
    "code": "验证码",
    "order_number": "单号",
    "address": "地址",
    "number": "号码",
    "other": "隐私",
}
EN: dict[SpanKind, str] = {
    "name": "person",
    "mobile": "phone",
    "landline": "phone",
    "resident_id": "id",
    "bank_card": "card",
    "passport": "passport",
    "permit": "permit",
    "plate": "plate",
    "email": "email",
    "url": "link",
    "ip": "ip",
    "gps": "location",
    "wechat_id": "wechat",
    "qq": "qq",
    "code": "code",
    "order_number": "order",
    "address": "address",
    "number": "number",
    "other": "private",
}
_WORDS = sorted({*ZH.values(), *EN.values()}, key=lambda word: (-len(word), word))
TAG = re.compile(rf"\[(?:{'|'.join(_WORDS)})[1-9]\d{{0,3}}\]")
"""A tag in a text: four digits at most, so that it hides no number."""


def tag(kind: SpanKind, number: int, language: str) -> str:
    """Return the tag of the n-th thing of a kind, in Chinese where the dialogue is, else in English."""
    return f"[{(ZH if language == 'zh' else EN)[kind]}{number}]"
