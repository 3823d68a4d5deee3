"""Places where somebody lives or works: Chinese chains from province to room, street addresses in English. For review."""

from __future__ import annotations

import re

from mldr.annotation.privacy.detectors.rules import Rule, pattern

_HAN = "(?![我你您他她它们的了吗呢吧啊在是说])[\u4e00-\u9fff]"
_ADMIN = (
    r"(?:省|自治区|特别行政区|自治州|自治县|(?<![超城门上股夜黑集菜])市|盟|新区|开发区|(?<![小社市景校郊禁误专时])区|"
    r"县|旗|街道|镇|(?<![下家老])乡|(?<![农乡])村|屯)(?![路街巷])"
)
_STREET = (
    r"(?:大道|大街|胡同|公路|(?<![一半走思线铁公网问带迷出同上])路|(?<![逛上])街|(?<![知味频通报难轨渠管赛说])道|巷|弄)"
)
_ESTATE = r"(?:小区|花园|公寓|大厦|广场|家园|佳园|新村|公馆|中心|大楼|宿舍|苑|产业园|科技园|园区|校区)"
_ENDINGS = """
省 自治 行政区 市 盟 区 县 旗 街 镇 乡 村 屯 道 胡同 路 巷 弄 花园 公寓 大厦 广场 家园 佳园 公馆 中心 大楼 宿舍
苑 栋 幢 座 单元 室 户 号楼 号院
"""
_COUNT = r"[0-9零〇一二三四五六七八九十百]{1,5}"
_NUMBERED = (
    rf"(?:[A-Za-z]?{_COUNT}[A-Za-z]?(?:-\d{{1,4}})?(?:号楼|号院|号|栋|幢|座|单元|层|楼|室|户|门|弄|组|#)|"
    r"[A-Za-z](?:座|栋|幢|区|单元))"
)
_UNIT = rf"(?:(?:{_HAN}){{1,8}}?(?:{_ADMIN}|{_STREET}|{_ESTATE})|{_NUMBERED})"
_CHAIN = re.compile(
    rf"(?:{_UNIT}[ ,、\-]?){{2,}}+(?:[A-Za-z]?\d{{1,5}}(?:-\d{{1,5}}){{0,3}}(?!\d|[.:%年月日元块点]))?(?: ?\d{{6}}(?!\d))?"
)
_NAMED_ADMIN = re.compile(rf"(?:{_HAN}){{2,8}}?{_ADMIN}")
_ROOM = re.compile(rf"{_COUNT}[A-Za-z]?(?:号楼|号院|栋|幢|座|单元|室|户)|[A-Za-z](?:座|栋|幢|单元)")
_PLACE = re.compile(rf"(?:{_HAN}){{1,8}}?(?:{_ADMIN}|{_STREET}|{_ESTATE})")
_NUMBER = re.compile(rf"(?:{_COUNT}|[A-Za-z](?=座|栋|幢|区|单元))")


def _chain(match: re.Match[str]) -> float:
    """A place with a number is an address; two numbers are one only if a room, a unit or a building is among them."""
    text = match[0]
    if _PLACE.search(text):
        if _NUMBER.search(text):
            return 0.65
        return 0.5 if len(_NAMED_ADMIN.findall(text)) >= 2 else 0.0
    return 0.55 if _ROOM.search(text) else 0.0


_KINDS = """
street st avenue ave road rd boulevard blvd drive dr lane ln court ct circle cir place pl square sq terrace ter
trail trl parkway pkwy highway hwy way alley aly bend bluff branch bridge brook brooks burg bypass camp canyon
cape causeway center centers circles cliff cliffs club common corner corners course courts cove coves creek
crescent crest crossing crossroad curve dale dam divide drives estate estates expressway extension extensions
fall falls ferry field fields flat flats ford fords forest forge forges fork forks fort freeway garden gardens
gateway glen glens green greens grove groves harbor harbors haven heights hill hills hollow inlet island islands
isle junction junctions key keys knoll knolls lake lakes land landing light lights loaf lock locks lodge loop
mall manor manors meadow meadows mews mill mills mission motorway mount mountain mountains neck orchard oval
overpass park parks parkways pass passage path pike pine pines plain plains plaza point points port ports
prairie radial ramp ranch rapid rapids rest ridge ridges river roads route row rue run shoal shoals shore shores
skyway spring springs spur spurs squares station stravenue stream streets summit throughway trace track
trafficway trails tunnel turnpike underpass union unions valley valleys via viaduct view views village villages
ville vista walk walks wall ways well wells
"""
"""Street suffixes of the United States Postal Service (Publication 28, appendix C1)."""
_SURE_KINDS = frozenset(_KINDS.split()[:34])
_WORD = r"[A-Z][A-Za-z'.\-]{0,24}"
_FLAT = r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Room|Rm|Flat|Floor|Fl|#)\.? ?#?[A-Za-z]?\d{0,5}[A-Za-z]?)?"
_TOWN = rf"(?:[,\n ]{{1,2}}{_WORD}(?: {_WORD}){{0,3}},? (?:[A-Z]{{2}}|{_WORD})\.? \d{{5}}(?:-\d{{4}})?(?!\d))?"
_STREETS = re.compile(
    rf"(?<![A-Za-z0-9.:])\d{{1,6}}[A-Za-z]? (?:{_WORD} ){{1,4}}?(?P<kind>(?i:{'|'.join(sorted(_KINDS.split())[::-1])})s?)"
    rf"(?![A-Za-z])\.?{_FLAT}{_TOWN}"
)


def _street(match: re.Match[str]) -> float:
    more = match.end() > match.end("kind") + 1
    return 0.68 if more or match["kind"].lower() in _SURE_KINDS else 0.5


_HOME = "住 家在 地址 寄到 送到"
ADDRESSES = (
    Rule(
        "home",
        "address",
        re.compile(
            r"(?:住在?|家在|地址[:是 ]?|寄到|送到)(?P<x>[\u4e00-\u9fff]{2,12}\d{1,5}(?:号楼|号|栋|幢|单元|室|楼|层))"
        ),
        0.45,
        _HOME,
    ),
    Rule("chain", "address", _CHAIN, _chain, _ENDINGS, digits=False),
    Rule("street", "address", _STREETS, _street),
    Rule(
        "lower-street",
        "address",
        pattern(
            r"(?<![A-Za-z0-9.:])\d{1,6} (?:[a-z]{2,20} ){1,3}?(?:street|avenue|road|boulevard|blvd|lane|ave|rd)(?![a-z])"
        ),
        0.55,
    ),
    Rule(
        "town",
        "address",
        re.compile(rf"(?<![A-Za-z0-9]){_WORD}(?: {_WORD}){{0,2}}, [A-Z]{{2}} \d{{5}}(?:-\d{{4}})?(?!\d)"),
        0.65,
    ),
    Rule(
        "box",
        "address",
        pattern(
            r"(?<![a-z])(?:p\.?o\.? ?box|(?:psc|cmr|unit) \d{1,6},? box|邮政?信箱) ?\d{1,6}"
            r"(?:[\n ][AFD]PO (?:AA|AE|AP) \d{5})?"
        ),
        0.65,
        "box 信箱",
    ),
    Rule(
        "military",
        "address",
        re.compile(
            r"(?<![A-Za-z])(?:US[A-Z]{1,3} [A-Z][a-z]{1,20}[\n ,]{1,2})?[AFD]PO,? A[AEP] \d{5}(?:-\d{4})?(?!\d)"
        ),
        0.65,
    ),
)
