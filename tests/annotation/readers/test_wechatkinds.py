import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.chat import KINDS
from mldr.annotation.readers.wechatkinds import base_and_subtype, is_reply, kind_of, kind_of_label, kind_of_notice


@pytest.mark.parametrize(
    ("code", "parts", "kind"),
    [
        (244813135921, (49, 57), "text"),
        (25769803825, (49, 6), "file"),
        (21474836529, (49, 5), "link"),
        (81604378673, (49, 19), "forward"),
        (141733920817, (49, 33), "link"),
        (8589934592049, (49, 2000), "money"),
        (8594229559345, (49, 2001), "money"),
        (266287972401, (49, 62), "poke"),
        (34359738417, (49, 8), "sticker"),
        (103079215153, (49, 24), "other"),
    ],
)
def test_a_64_bit_code_holds_its_subtype_in_the_upper_half(code: int, parts: tuple[int, int], kind: str) -> None:
    assert base_and_subtype(code) == parts
    assert kind_of(code) == kind == kind_of(*parts)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (822083633, "text"),
        (436207665, "money"),
        (419430449, "money"),
        (1090519089, "file"),
        (1048625, "sticker"),
        (16777265, "link"),
        (-1879048186, "location"),
        (-1879048186 + (1 << 32), "location"),
        (268445456, "system"),
    ],
)
def test_a_32_bit_code_is_told_by_its_low_half(code: int, kind: str) -> None:
    assert kind_of(code) == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, "text"),
        (3, "image"),
        (34, "voice"),
        *((code, "other") for code in (35, 11000, 0)),
        *((code, "system") for code in (37, 40, 9999, 10000)),
        *((code, "contact") for code in (42, 66)),
        *((code, "video") for code in (43, 62)),
        (47, "sticker"),
        (48, "location"),
        *((code, "call") for code in (50, 52, 53)),
        (10002, "recall"),
    ],
)
def test_a_small_code_is_a_base_type(code: int, kind: str) -> None:
    assert kind_of(code) == kind


@pytest.mark.parametrize(
    ("subtype", "kind"),
    [
        (57, "text"),
        *((code, "link") for code in (1, 3, 92, 4, 5, 33, 36, 50, 51, 63, 88)),
        *((code, "file") for code in (6, 74)),
        (8, "sticker"),
        (17, "location"),
        (19, "forward"),
        *((code, "other") for code in (24, 53, 0, 4711)),
        (62, "poke"),
        (87, "system"),
        *((code, "money") for code in (2000, 2001, 2003)),
    ],
)
def test_an_app_message_is_told_by_its_subtype(subtype: int, kind: str) -> None:
    assert kind_of(49, subtype) == kind


def test_only_a_quoting_reply_is_a_reply() -> None:
    assert is_reply(49, 57)
    assert is_reply(244813135921)
    assert is_reply(822083633)
    assert not is_reply(1, 57)
    assert not is_reply(49, 5)


@given(st.integers(), st.integers(-5, 1 << 40))
def test_any_number_has_a_kind(code: int, subtype: int) -> None:
    assert kind_of(code, subtype) in KINDS


@given(st.integers(1, 1 << 31), st.integers(0, 65535))
def test_both_ways_to_write_a_code_give_one_kind(subtype: int, base: int) -> None:
    assert kind_of((subtype << 32) | base) == kind_of(base, subtype)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ("文本消息 文本 引用消息 引用回复 text", "text"),
        ("图片消息 图片 image", "image"),
        ("动画表情 sticker", "sticker"),
        ("语音消息 语音 voice", "voice"),
        ("视频消息 视频 video", "video"),
        ("文件消息 文件 file", "file"),
        ("链接消息 卡片式链接 (分享)卡片式链接 图文消息 音乐消息 小程序消息 小程序分享 视频号直播卡片", "link"),
        ("位置消息 位置 location", "location"),
        ("通话消息 语音通话", "call"),
        ("名片消息", "contact"),
        ("聊天记录 聊天记录合并转发 合并转发的聊天记录", "forward"),
        ("转账消息 转账 转账卡片 红包卡片", "money"),
        ("拍一拍 拍一拍消息", "poke"),
        ("消息撤回 消息撤回1 消息撤回22", "recall"),
        ("系统消息 系统通知 群公告 邀请加群", "system"),
        ("其他消息 未知 接龙 未知类型(4711)", "other"),
        ("未知类型(3) 未知类型（3）", "image"),
        ("未知类型(244813135921) 未知类型(49,57)", "text"),
    ],
)
def test_a_label_of_any_export_names_its_kind(labels: str, kind: str) -> None:
    assert {label: kind_of_label(label) for label in labels.split()} == dict.fromkeys(labels.split(), kind)


def test_a_label_is_read_without_regard_to_case_and_space_and_an_unknown_one_is_no_kind() -> None:
    assert kind_of_label(" Image ") == "image"
    assert kind_of_label("全新消息") is None
    assert kind_of_label("") is None
    assert kind_of_label("77") is None


@given(st.text())
def test_any_label_is_judged(label: str) -> None:
    assert kind_of_label(label) in {*KINDS, None}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('"小林" 撤回了一条消息', "recall"),
        ("You recalled a message", "recall"),
        ('"小林" 拍了拍我', "poke"),
        ("小林领取了你的红包", "money"),
        ("小林邀请阿旭加入了群聊", "system"),
        ("", "system"),
    ],
)
def test_a_system_line_tells_what_happened(text: str, kind: str) -> None:
    assert kind_of_notice(text) == kind
