import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.readers.echoes import quoted_words, split_echo, stand_in

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="[]：:"), min_size=1, max_size=8)


@given(WORDS, WORDS, st.text(max_size=12))
def test_what_was_baked_together_comes_apart(own: str, sender: str, quoted: str) -> None:
    assert split_echo(f"{own}[引用 {sender}：{quoted}]") == (own, sender, quoted.strip())


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("好的", ("好的", "", "")),
        ("好的 [引用 小林：走吗]  ", ("好的", "小林", "走吗")),
        ("好的[引用 小林:走吗]", ("好的", "小林", "走吗")),
        ("好的[引用 走吗]", ("好的", "", "走吗")),
        ("好的\n第二行[引用 小林：一\n二]", ("好的\n第二行", "小林", "一\n二")),
        ("好的[引用 小林：哈]哈]", ("好的", "小林", "哈]哈")),
        ("好的[引用 小林：[图片]]", ("好的", "小林", "[图片]")),
        ("好的[引用 小林：行[引用 阿旭：走]]", ("好的", "小林", "行[引用 阿旭：走]")),
        ("[引用 小林：走吗]", ("", "小林", "走吗")),
        ("[引用 小林：[图片]走吗]\n好的", ("好的", "小林", "[图片]走吗")),
        ("好的[引用 小林：走", ("好的", "小林", "走")),
        ("好的[引用 小林：走]吗", ("好的", "小林", "走]吗")),
        ("[引用 小林：走", ("", "小林", "走")),
    ],
)
def test_the_senders_own_words_never_hold_those_that_are_quoted(content: str, parts: tuple[str, str, str]) -> None:
    assert split_echo(content) == parts


@given(st.text(), st.text())
def test_nothing_after_the_start_of_an_echo_counts_as_own_where_own_words_stand_before_it(own: str, echo: str) -> None:
    found, _, _ = split_echo(f"甲{own.replace('[', '')}[引用 {echo}")
    assert found == f"甲{own.replace('[', '')}".strip()


def test_a_stand_in_is_known_and_an_emoji_is_none() -> None:
    assert [stand_in(text) for text in ("[图片]", " [图片] ", "[动画表情]", "[语音]", "<图片>", "[image]")] == [
        "image",
        "image",
        "sticker",
        "voice",
        "image",
        "image",
    ]
    assert [stand_in(text) for text in ("[微笑]", "图片", "[图片]好", "[文本]", "", "[]")] == [None] * 6


def test_quoted_words_are_a_replys_own_and_those_of_a_stand_in_or_xml_are_none() -> None:
    assert quoted_words("行[引用 阿旭：走]") == (None, "行")
    assert quoted_words("[图片]") == ("image", "")
    assert quoted_words("<msg><img md5='1'/></msg>") == ("image", "")
    assert quoted_words("<msg><appmsg/></msg>") == (None, "")
    assert quoted_words("走吗") == (None, "走吗")
