"""What kind a WeChat message is, by its type code (both generations) or by the label that an export gives it."""

from __future__ import annotations

import re

from mldr.annotation.chat import MessageKind

APP = 49
"""The base type of app messages; their subtype says what they are."""
REPLY = 57
"""The subtype of a reply that quotes: a text, with a quote."""

_BASES: dict[int, MessageKind] = {
    1: "text",
    3: "image",
    6: "location",  # what is left of Android's -1879048186
    34: "voice",
    37: "system",
    40: "system",
    42: "contact",
    43: "video",
    47: "sticker",
    48: "location",
    50: "call",
    52: "call",
    53: "call",
    62: "video",
    66: "contact",
    9999: "system",
    10000: "system",
    10002: "recall",
}
_SUBTYPES: dict[int, MessageKind] = {
    1: "link",  # a text that another app handed over: not the sender's words
    3: "link",
    4: "link",
    5: "link",
    6: "file",
    8: "sticker",
    17: "location",
    19: "forward",
    24: "other",  # a note
    33: "link",
    36: "link",
    50: "link",
    51: "link",
    53: "other",  # a list that everybody adds to
    REPLY: "text",
    62: "poke",
    63: "link",
    74: "file",
    87: "system",
    88: "link",
    92: "link",
    2000: "money",
    2001: "money",
    2003: "money",
}
# Android's 32-bit codes: the low 16 bits are the base, and these of base 49 name their subtype by the whole number
_ANDROID = {822083633: REPLY, 436207665: 2001, 419430449: 2000, 1090519089: 6, 1048625: 8, 16777265: 5}


def base_and_subtype(code: int, subtype: int = 0) -> tuple[int, int]:
    """Return (base type, subtype) of a code of any generation.

    Args:
        code: a small type (3.x), a 64-bit one with the subtype in its upper half (4.x), or Android's 32-bit one.
        subtype: the subtype where the export has a column for it; 0 otherwise.
    """
    if code in _ANDROID:
        return APP, subtype or _ANDROID[code]
    if code >= 1 << 32:
        return code & 0xFFFFFFFF, code >> 32
    return code & 0xFFFF, subtype


def kind_of(type: int, subtype: int = 0) -> MessageKind:
    """Return the kind of a message by its type code, `other` where nobody knows it."""
    base, sub = base_and_subtype(type, subtype)
    return _SUBTYPES.get(sub, "other") if base == APP else _BASES.get(base, "other")


def is_known(type: int, subtype: int = 0) -> bool:
    """Return whether a type code says what a message is, as 49 without a subtype does not."""
    base, sub = base_and_subtype(type, subtype)
    return sub in _SUBTYPES if base == APP else base in _BASES


def is_reply(type: int, subtype: int = 0) -> bool:
    """Return whether a type code is that of a reply that quotes."""
    return base_and_subtype(type, subtype) == (APP, REPLY)


_LABELS: dict[MessageKind, str] = {
    "text": "文本消息 文本 文字 引用消息 引用回复 引用 回复 text quote reply",
    "image": "图片消息 图片 image photo picture",
    "sticker": "动画表情 表情 表情包 表情消息 用户上传的GIF表情 GIF表情 sticker emoji",
    "voice": "语音消息 语音 voice audio",
    "video": "视频消息 视频 短视频 小视频 video",
    "file": "文件消息 文件 file",
    "link": "链接消息 链接 卡片式链接 图文消息 音乐消息 音乐 音乐链接 小程序消息 小程序 小程序分享 粘贴的文本 文本链接 "
    "视频号 视频号消息 视频号视频 视频号直播 视频号直播卡片 视频号名片 视频号卡片 "
    "link share music mini_program miniprogram channels",
    "location": "位置消息 位置 位置共享 实时位置共享 共享实时位置 location",
    "call": "通话消息 通话 语音通话 视频通话 音视频通话 语音/视频通话 call voip",
    "contact": "名片消息 名片 个人名片 企业微信名片 推荐公众号 contact card",
    "forward": "聊天记录 聊天记录消息 合并转发 合并转发的聊天记录 聊天记录合并转发 合并转发聊天记录 转发 forward chat_history",
    "money": "转账消息 转账 转账卡片 红包 红包消息 红包卡片 红包封面 transfer red_packet redpacket",
    "poke": "拍一拍 拍一拍消息 poke pat",
    "recall": "消息撤回 撤回消息 撤回 recall revoke",
    "system": "系统消息 系统通知 群公告 邀请加群 好友验证 好友验证消息 好友推荐消息 system",
    "other": "其他消息 其他 未知 未知类型 接龙 笔记 推送邮件 note other unknown",
}
_KIND_OF_LABEL: dict[str, MessageKind] = {label: kind for kind, labels in _LABELS.items() for label in labels.split()}
_KIND_OF_LABEL = {label.casefold(): kind for label, kind in _KIND_OF_LABEL.items()}
_UNKNOWN = re.compile(r"未知(?:类型|消息)?[(（](-?\d{1,20})(?:[,，]\s*(\d{1,10}))?[)）]")
_PREFIX = re.compile(r"[(（]分享[)）]")


def kind_of_label(label: str) -> MessageKind | None:
    """Return the kind that a label of any export, Chinese or English, names; None for a label that nobody knows.

    `未知类型(n)` is judged by its n, `消息撤回7` and its like by the words; a reply that quotes is a text.
    """
    label = _PREFIX.sub("", label).strip().casefold()
    if unknown := _UNKNOWN.fullmatch(label):
        return kind_of(int(unknown[1]), int(unknown[2] or 0))
    return _KIND_OF_LABEL.get(label) or _KIND_OF_LABEL.get(label.rstrip("0123456789"))


_NOTICES: tuple[tuple[str, MessageKind], ...] = (
    (r"撤回了?.{0,20}消息|recalled a message", "recall"),
    (r"拍了拍|tickled", "poke"),
    (r"红包|转账|red packet", "money"),
)


def kind_of_notice(text: str) -> MessageKind:
    """Return what a system line (type 10000) tells of: `recall`, `poke` or `money`, `system` otherwise."""
    return next((kind for pattern, kind in _NOTICES if re.search(pattern, text[:1000])), "system")
