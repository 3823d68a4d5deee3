from __future__ import annotations

import pytest

from mldr.annotation.spans import SURE
from tests.annotation.privacy.finding import found, only


@pytest.mark.parametrize(
    "account", ["wxid_abc123def456gh", "wxid_k3j4h5g6f7d8s9a0p1o2i3", "gh_0123456789ab", "12345678901@chatroom"]
)
def test_ids_of_wechat_are_found_whatever_their_length(account: str) -> None:
    assert found(f"他是{account}呀") == [("wechat_id", account)]


@pytest.mark.parametrize(
    "frame",
    [
        "微信号{}",
        "我的微信是{}哦",
        "微信：{}",
        "微信搜{}就能找到",
        "加微{}备注",
        "加我 V：{}",
        "薇❤{}",
        "➕V {}",
        "加我微信{}",
        "v信{}",
        "V信：{}",
        "vx:{}",
        "VX {}",
        "wx：{}，加我",
        "WeChat: {}",
        "my wechat id is {}",
        "wechat {}",
    ],
)
def test_an_account_is_found_behind_the_words_for_it(frame: str) -> None:
    assert found(frame.format("lilei_2024")) == [("wechat_id", "lilei_2024")]


def test_a_word_of_letters_alone_needs_a_colon_to_be_sure() -> None:
    assert only("微信号：kittycat").confidence >= SURE
    assert only("微信 kittycat").confidence < SURE


@pytest.mark.parametrize("text", ["微信支付", "用微信聊", "wechat pay", "QQ音乐", "加微信聊", "QQ 2024版本"])
def test_the_words_alone_are_no_account(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "frame",
    [
        "我QQ{}",
        "qq号是{}",
        "加我扣扣{}",
        "QQ：{}",
        "{}是我QQ",
        "企鹅号 {}",
        "QQ群{}欢迎",
        "加q{}",
        "qq {}",
        "{}是我的新QQ号",
        "my qq is {}",
    ],
)
def test_a_qq_number_is_found_in_its_context(frame: str) -> None:
    assert found(frame.format("123456")) == [("qq", "123456")]


def test_five_digits_without_context_are_nobodys() -> None:
    assert found("来了12345人") == found("有54321") == []


def test_accounts_of_other_platforms_are_found_where_a_word_says_so() -> None:
    assert [thing for _, thing in found("telegram: @lilei_tg，ins：lilei.photo")] == ["@lilei_tg", "lilei.photo"]
    assert found("instagram is fun") == []
