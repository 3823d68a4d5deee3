from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.readers.contract import Quote
from mldr.annotation.readers.wechatxml import LIMIT, image_stems_of_xml, quote_of_xml


def reply(
    title: str = "这张好看", type: int = 1, content: str = "爬到山顶了", fromusr: str = "wxid_b", chatusr: str = ""
) -> str:
    return (
        f"<msg><appmsg><title>{escape(title)}</title><type>57</type><refermsg><type>{type}</type>"
        f"<svrid>6116895530414915131</svrid><fromusr>{fromusr}</fromusr><chatusr>{chatusr}</chatusr>"
        f"<displayname>阿旭</displayname><content>{escape(content)}</content><createtime>1738713500</createtime>"
        "</refermsg></appmsg></msg>"
    )


def test_a_reply_is_the_senders_words_and_a_quote() -> None:
    assert quote_of_xml(reply()) == (
        "这张好看",
        Quote("6116895530414915131", "wxid_b", datetime.fromtimestamp(1738713500, UTC), "爬到山顶了", "text"),
    )


def test_the_room_is_never_taken_for_the_sender_of_what_is_quoted() -> None:
    for pair in (("1@chatroom", "wxid_b"), ("wxid_b", "1@chatroom")):
        found = quote_of_xml(reply(fromusr=pair[0], chatusr=pair[1]))
        assert found is not None
        assert found[1].sender == "wxid_b"
    named = quote_of_xml(reply(fromusr="1@chatroom"))
    assert named is not None
    assert named[1].sender == "阿旭"


def test_a_quoted_picture_leaves_its_xml_behind() -> None:
    found = quote_of_xml(reply(type=3, content='<msg><img md5="0" aeskey="secret"/></msg>'))
    assert found is not None
    assert (found[1].kind, found[1].text) == ("image", "")


def test_a_quoted_reply_shows_its_words_and_a_quoted_card_only_its_kind() -> None:
    quoted_reply = quote_of_xml(reply(type=49, content=reply("第一句")))
    card = quote_of_xml(reply(type=49, content="<msg><appmsg><title>秘密</title><type>5</type></appmsg></msg>"))
    assert quoted_reply is not None
    assert (quoted_reply[1].kind, quoted_reply[1].text) == ("text", "第一句")
    assert card is not None
    assert (card[1].kind, card[1].text) == ("link", "")
    broken = quote_of_xml(reply(type=49, content="没有"))
    assert broken is not None
    assert (broken[1].kind, broken[1].text) == ("other", "")


def test_a_senders_id_before_the_xml_and_a_declaration_do_not_matter() -> None:
    assert quote_of_xml("wxid_a:\n" + reply()) == quote_of_xml(reply())
    assert quote_of_xml('<?xml version="1.0" encoding="gb2312"?>\n' + reply()) == quote_of_xml(reply())


def test_what_is_no_reply_is_none() -> None:
    for text in ("", "好的", "1 < 2", "<msg/>", "<msg><appmsg><type>5</type></appmsg></msg>", reply()[:-4], "<a/>"):
        assert quote_of_xml(text) is None
    assert quote_of_xml(reply().replace("<type>57</type>", "<type>5</type>")) is None


@pytest.mark.parametrize(
    "start",
    [
        '<!DOCTYPE msg [<!ENTITY a "aaaa">]>',
        "<!doctype msg>",
        '< !ENTITY a "b">',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
    ],
)
def test_a_document_type_or_an_entity_is_refused(start: str) -> None:
    assert quote_of_xml(start + reply()) is None


def test_xml_beyond_the_limit_or_nested_without_end_is_not_followed() -> None:
    assert quote_of_xml(reply(content="长" * LIMIT)) is None
    assert quote_of_xml("<msg>" + "<a>" * 100_000 + "</a>" * 100_000 + "</msg>") is None
    assert quote_of_xml("<a>" * 100_000) is None


@pytest.mark.parametrize(("svrid", "createtime"), [("0", "0"), ("", ""), ("x", "99999999999999999999"), ("0", "-5")])
def test_numbers_that_mean_nothing_are_left_out(svrid: str, createtime: str) -> None:
    found = quote_of_xml(reply().replace("6116895530414915131", svrid).replace("1738713500", createtime))
    assert found is not None
    assert found[1].time is None
    assert found[1].message_id == (svrid if svrid == "x" else "")


@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=40))
def test_the_words_of_a_reply_come_back(title: str) -> None:
    found = quote_of_xml(reply(title))
    assert found is not None
    assert found[0] == title.strip()


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert quote_of_xml(text) is None
    assert image_stems_of_xml(text) == ()


def test_a_picture_is_known_by_its_hashes() -> None:
    xml = (
        '<?xml version="1.0"?>\n<msg>\n\t<img aeskey="00112233445566778899aabbccddeeff" length="3" '
        'md5="0F3C0F3C0F3C0F3C0F3C0F3C0F3C0F3C" originsourcemd5="11111111111111111111111111111111">\n\t</img></msg>'
    )
    assert image_stems_of_xml(xml) == ("0f3c" * 8, "1" * 32)
    assert image_stems_of_xml('<msg><emoji md5="0f3c0f3c0f3c0f3c0f3c0f3c0f3c0f3c"/></msg>') == ()
