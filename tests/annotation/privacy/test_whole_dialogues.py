"""A dialogue from its members to its masked texts, in both languages, as the privacy step does it."""

from __future__ import annotations

from mldr.annotation.chat import Member
from mldr.annotation.privacy.detectors import NameList, find_spans
from mldr.annotation.privacy.surrogates import Surrogates, mask
from tests.annotation.privacy.finding import found

ZH = [
    "@小林\u2005 周六去爬山吗？老张也去",
    "去啊，小林开车，车牌粤B12345，到我家楼下接：福田区莲花路18号3栋502",
    "张小林你手机换号了？打13800138000没人接",
    "换成一三九零零一三九零零零了",
    "微信还是xiaolin_zhang，别加错",
    "验证码我收到了，是482193，李雷你那边呢",
    "雷哥说他在2024年10月1日爬过，3小时，花了200块，比分3-2赢了我们",
    "路线在 https://example.com/route?id=7 ，邮箱zxl＠example.com也发一份",
]
ZH_MEMBERS = (
    Member("wxid_a", ("张小林", "小林🌲")),
    Member("wxid_b", ("李雷",)),
    Member("wxid_c", ("韩梅梅", "Meimei")),
)
EN = [
    "hey Kenneth, did Amy call? my new number is (565) 408-8995",
    "Amy Evans? no. ask kenneth morris, he's at 1159 Rodriguez Forge Suite 542",
    "the door code is 4821, don't tell Evans lol",
    "will do! may take 2 hours, costs $1,200",
    "mail me: kmorris@example.org or see www.example.org/a",
]
EN_MEMBERS = (Member("1", ("Kenneth Morris",)), Member("2", ("Amy Evans", "amy 🌵")), Member("3", ("Will May",)))


def treated(
    texts: list[str], members: tuple[Member, ...], language: str, salt: bytes = b"s"
) -> tuple[list[str], Surrogates]:
    names = NameList.of(members)
    told = Surrogates(salt, language, names, taken=texts)
    return [mask(text, find_spans(text, names, language), told).text for text in texts], told


def test_nothing_private_is_left_of_a_chinese_dialogue() -> None:
    out = "\n".join(treated(ZH, ZH_MEMBERS, "zh")[0])
    private = [
        "小林",
        "老张",
        "李雷",
        "雷哥",
        "粤B12345",
        "莲花路",
        "502",
        "138",
        "一三九",
        "xiaolin",
        "482193",
        "example",
        "zxl",
    ]
    assert [thing for thing in private if thing in out] == []


def test_what_is_nobodys_is_left_of_a_chinese_dialogue() -> None:
    out = "\n".join(treated(ZH, ZH_MEMBERS, "zh")[0])
    for harmless in ("周六去爬山吗", "2024年10月1日", "3小时", "200块", "3-2赢了我们", "别加错", "\u2005"):
        assert harmless in out


def test_a_person_has_one_name_through_the_whole_dialogue() -> None:
    out, told = treated(ZH, ZH_MEMBERS, "zh")
    full = told.of("name", "张小林")
    assert out[0].startswith(f"@{full[1:]}\u2005 周六")
    assert f"老{full[0]}也去" in out[0]
    assert f"去啊，{full[1:]}开车" in out[1]
    assert out[2].startswith(f"{full}你手机")


def test_tags_are_numbered_as_things_appear() -> None:
    out = "\n".join(treated(ZH, ZH_MEMBERS, "zh")[0])
    places = [
        out.index(tag)
        for tag in ("[车牌1]", "[地址1]", "[电话1]", "[电话2]", "[微信号1]", "[验证码1]", "[链接1]", "[邮箱1]")
    ]
    assert places == sorted(places)


def test_an_english_dialogue_is_treated_alike() -> None:
    out, told = treated(EN, EN_MEMBERS, "en")
    whole = "\n".join(out)
    private = ("kenneth", "amy", "evans", "morris", "565", "1159", "rodriguez", "4821", "example")
    assert [thing for thing in private if thing in whole.lower()] == []
    first = told.of("name", "Kenneth")
    assert out[0].startswith(f"hey {first}, did {told.of('name', 'amy')} call? my new number is [phone1]")
    assert out[3] == EN[3], "will and may are words there, and a price is nobody's"


def test_queries_and_captions_speak_of_the_same_people() -> None:
    _, told = treated(ZH, ZH_MEMBERS, "zh")
    query = told.apply("小林的车牌粤B12345是在哪说的？韩梅梅没来").text
    assert query == f"{told.of('name', '小林')}的车牌[车牌1]是在哪说的？{told.of('name', '韩梅梅')}没来"
    assert told.apply(query).text == query


def test_two_dialogues_of_one_chat_cannot_be_joined_by_their_names() -> None:
    one, two = treated(ZH, ZH_MEMBERS, "zh", b"one")[1], treated(ZH, ZH_MEMBERS, "zh", b"two")[1]
    names = ("张小林", "李雷", "韩梅梅", "Meimei")
    assert [one.of("name", name) for name in names] != [two.of("name", name) for name in names]


def test_no_detector_finds_a_surrogate_where_nothing_leads_to_one() -> None:
    _, told = treated(ZH, ZH_MEMBERS, "zh")
    names = NameList.of(ZH_MEMBERS)
    for raw in ("张小林", "小林", "老张", "李雷", "Meimei"):
        assert found(f"昨天{told.of('name', raw)}来了", names) == []
