from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.readers.contract import Quote
from mldr.annotation.readers.quotes import own_words, quote_told

TIME = datetime(2024, 10, 4, 11, 43)
WORDS = st.text(st.characters(blacklist_characters="[]", blacklist_categories=["Cs"]), max_size=30).map(str.strip)
NAMES = st.text(st.characters(whitelist_categories=["L", "N"]), min_size=1, max_size=10)


@pytest.mark.parametrize("gap", ["\n\n", "\n", "\r\n\r\n", " \n \n "])
def test_a_flattened_quote_is_taken_from_the_text(gap: str) -> None:
    text = f"这张好看{gap}[引用](2024-10-04 11:43:00)小林:爬到山顶了\n真累"
    assert own_words(text) == ("这张好看", Quote(sender="小林", time=TIME, text="爬到山顶了\n真累", kind="text"))


def test_a_time_that_a_spreadsheet_wrote_is_read_too() -> None:
    assert own_words("好\n\n[引用](2024/10/4 11:43)小林:嗯")[1] == Quote(
        sender="小林", time=TIME, text="嗯", kind="text"
    )
    assert own_words("好\n\n[引用]()小林:嗯")[1] == Quote(sender="小林", text="嗯", kind="text")


def test_from_the_first_mark_on_all_is_quote() -> None:
    text = "好\n\n[引用](2024-10-04 11:43:00)小林:不好\n\n[引用](2024-10-04 11:40:00)阿旭:走吗"
    own, quote = own_words(text)
    assert own == "好"
    assert quote is not None
    assert "走吗" in quote.text


def test_a_quote_without_words_of_the_sender_leaves_none() -> None:
    assert own_words("[引用](2024-10-04 11:43:00)小林:爬到山顶了")[0] == ""


def test_words_about_quoting_stay_words() -> None:
    for text in ("看 [引用](2024) 这种写法", "[引用 是什么", "引用：论文第三页", "a\n\n[引用]b"):
        assert own_words(text) == (text, None)


@pytest.mark.parametrize("colon", ["：", ":"])
def test_a_quote_that_stands_in_brackets_at_the_end_is_taken_from_the_text(colon: str) -> None:
    assert own_words(f"这张好看[引用 小林{colon}爬到[山顶]了]") == (
        "这张好看",
        Quote(sender="小林", text="爬到[山顶]了", kind="text"),
    )


def test_brackets_that_do_not_close_give_none_of_their_words_to_the_sender() -> None:
    assert own_words("好[引用 小林：爬到山顶")[0] == "好"


@pytest.mark.parametrize(
    ("told", "kind"),
    [("图片", "image"), ("[图片]", "image"), ("[动画表情]", "sticker"), ("[语音]", "voice"), ("[文件]", "file")],
)
def test_a_thing_that_is_quoted_has_a_kind_and_no_words(told: str, kind: str) -> None:
    quote = quote_told(f"小林：{told}")
    assert (quote.sender, quote.kind, quote.text) == ("小林", kind, "")


def test_a_word_that_is_also_a_label_stays_a_word() -> None:
    assert [quote_told(f"小林:{word}").text for word in ("文件", "位置", "文本", "转账", "[笑]")] == [
        "文件", "位置", "文本", "转账", "[笑]",
    ]  # fmt: skip


def test_a_quote_without_a_name_is_all_words() -> None:
    assert quote_told("爬到山顶了") == Quote(text="爬到山顶了", kind="text")


@given(own=WORDS, name=NAMES, quoted=WORDS)
def test_own_words_come_back_whatever_was_quoted(own: str, name: str, quoted: str) -> None:
    assert own_words(f"{own}\n\n[引用](2024-10-04 11:43:00){name}:{quoted}")[0] == own
    assert own_words(f"{own}[引用 {name}：{quoted}]")[0] == own


def test_a_hostile_text_of_a_megabyte_is_read_at_once() -> None:
    for text in ("[引用 " * 300_000, "\n" * 1_000_000, "[引用](" * 200_000, "\n\n[引用]()" * 100_000):
        own_words(text)
