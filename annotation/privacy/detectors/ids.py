"""Accounts by which a person is found: WeChat, QQ, and names on other platforms where a word says so."""

from __future__ import annotations

import re

from mldr.annotation.privacy.detectors.rules import LINK, Rule, pattern, said

_WECHAT = """
微信 威信 薇信 徽信 微x 微_x v信 v_信 加微 加薇 加我微 加v 加我v 加我_v +v ➕v 薇: 薇❤ 微: 卫星号 卫星: vx wx weixin
wechat we_chat
"""
_QQ = "扣扣 企鹅 q号 球球号 q群 群号 加q qq"
_OTHER = """
抖音 快手 小红书 微博 支付宝 陌陌 钉钉 b站 淘宝 闲鱼 知乎 豆瓣 用户名 账户名 昵称 steam telegram tg instagram
insta ig ins twitter facebook fb discord skype line_id snapchat snap tiktok github linkedin username user_name
user_id handle uid login
"""
_TOKEN = r"(?P<x>@?[A-Za-z][A-Za-z0-9_\-]{4,29}(?<![\-]))(?![A-Za-z0-9_])"


def _account(match: re.Match[str]) -> float:
    """A word of letters alone right after 'WeChat' may be any word; a colon, 'id' or a digit tells."""
    between = match[0][: match.start("x") - match.start()]
    said = re.search(r"[:=]|号|是|为|叫|(?<![a-z])(?:id|is)(?![a-z])|加", between, re.IGNORECASE)
    return 0.88 if said or re.search(r"[\d_]", match["x"]) else 0.45


def _handle(match: re.Match[str]) -> float:
    between = match[0][: match.start("x") - match.start()]
    said_so = re.search(r"[:=@]|号|是|(?<![a-z])id(?![a-z])", between + match["x"][:1], re.IGNORECASE)
    return 0.75 if said_so or re.search(r"[\d_]", match["x"]) else 0.0


IDS = (
    Rule("wxid", "wechat_id", pattern(r"wxid_[A-Za-z0-9_\-]{4,}+"), 0.98, "wxid", digits=False),
    Rule("official-account", "wechat_id", pattern(r"(?<![A-Za-z0-9])gh_[0-9a-f]{8,}+"), 0.98, "gh", digits=False),
    Rule("room", "wechat_id", pattern(r"(?<!\d)\d{4,}+@(?:chatroom|openim|im\.wxwork)"), 0.98, "@"),
    Rule("wechat", "wechat_id", pattern(rf"{said(_WECHAT)}{LINK}{{0,8}}{_TOKEN}"), _account, _WECHAT, digits=False),
    Rule(
        "wechat-number",
        "wechat_id",
        pattern(rf"{said(_WECHAT)}{LINK}{{0,8}}(?P<x>\d{{5,19}})(?!\d)"),
        0.8,
        _WECHAT,
    ),
    Rule(
        "qq",
        "qq",
        pattern(rf"{said(_QQ)}(?:{LINK}|群|(?<=[q号群])加){{0,8}}(?P<x>[1-9](?:[ \-]?\d){{4,10}})(?!\d)"),
        0.92,
        _QQ,
    ),
    Rule(
        "qq-before",
        "qq",
        pattern(
            r"(?<!\d)(?P<x>[1-9]\d{4,10}) ?[(,]{0,2} ?(?:这?个?就?是|is) ?(?:我|他|她|my|his|her)?[的 ]?"
            r"(?:新|老|new)? ?(?:qq|扣扣|企鹅)"
        ),
        0.9,
        "qq 扣扣 企鹅",
    ),
    Rule(
        "account",
        "wechat_id",
        pattern(rf"{said(_OTHER)}{LINK}{{0,8}}(?P<x>@?[A-Za-z0-9_][A-Za-z0-9_.\-]{{2,29}}(?<![.\-]))(?![A-Za-z0-9_])"),
        _handle,
        _OTHER,
        digits=False,
    ),
)
