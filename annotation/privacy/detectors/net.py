"""Addresses on the net and on the globe: e-mail, URL, IP and hardware addresses, pairs of coordinates."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

from mldr.annotation.privacy.detectors.rules import Rule, pattern, said

_LATIN = "A-Za-zÀ-ÖØ-öø-ÿ0-9"
_AT = r"(?: {0,2}(?:@|[(\[{<] ?at ?[)\]}>]|艾特) {0,2}| at )"
_DOT = r" {0,2}(?:\.|。|[(\[{<] ?dot ?[)\]}>]|点| dot ) {0,2}"
_ENDS = (
    "com|cn|net|org|io|co|cc|me|tv|top|xyz|app|dev|ai|edu|gov|info|biz|club|shop|site|online|link|vip|tech|ly|gg|be|uk|us|jp|hk|tw|"
    "kr|sg|my|au|ca|de|fr|it|es|nl|ru|eu|in|im|fm|la|pw|mobi|pro|store|live|fun|ink|ltd|wang|ren|cloud|space|website|page|art|news|work"
)
_WORDS = "me tv in it us my be es la im fm pro live fun page art news work store link space website co ai club"
_AMBIGUOUS = frozenset(_WORDS.split())
_HOSTS = "gmail|googlemail|outlook|hotmail|live|yahoo|icloud|proton|foxmail|qq|163|126|sina|sohu|aliyun"
_MAIL = pattern(rf" dot |[(\[]dot|(?:{_HOSTS})\.")
_PATH = r"(?:[/?#:][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%|]*)"
_SCHEME = r"(?<![A-Za-z0-9+.\-])[a-z][a-z0-9+.\-]{1,20}:/{2,3}"


def _spelled(match: re.Match[str]) -> float:
    """Spelled out, 'at' is a preposition more often; a full stop spelled out too, or a host of mail, tells."""
    if " at " not in match[0].lower():
        return 0.97 if "@" in match[0] else 0.75
    return 0.75 if _MAIL.search(match[0]) else 0.0


def _host(match: re.Match[str]) -> float:
    """Two words around a full stop may be two sentences: me, in, it, ... are words as well as domains."""
    short = match["end"].lower() in _AMBIGUOUS and not match["path"] and match[0].count(".") == 1
    return 0.5 if short else 0.85


def _ipv6(match: re.Match[str]) -> float:
    try:
        IPv6Address(match[0])
    except AddressValueError:
        return 0.0
    return 0.9 if len(re.findall(r"[0-9a-fA-F]+", match[0])) >= 3 else 0.0


def _on_globe(match: re.Match[str]) -> float:
    one, two = abs(float(match["one"])), abs(float(match["two"]))
    return 0.92 if min(one, two) <= 90 and max(one, two) <= 180 else 0.0


_PAIR = "坐标 经纬度 定位 gps coordinates"
_ONE = "北纬 南纬 东经 西经 纬度 经度 latitude longitude lat lng lon"
_DEGREES = r"[+\-]?\d{1,3}\.\d{3,15}"
NET = (
    Rule(
        "email",
        "email",
        pattern(
            rf"(?:(?<![{_LATIN}._%+\-])[{_LATIN}._%+\-]++|[{_LATIN}._%+\-]{{1,64}}){_AT}(?:[{_LATIN}\-]{{1,63}}{_DOT}){{1,6}}[A-Za-z]{{2,24}}(?![A-Za-z])"
        ),
        _spelled,
        "@ 艾特 at",
        digits=False,
    ),
    Rule("url", "url", pattern(_SCHEME + r"[!#-;=?-\[\]^_a-z|~]++"), 0.97, ":/", digits=False),
    Rule(
        "host",
        "url",
        pattern(
            rf"(?<![A-Za-z0-9.\-@])(?:[A-Za-z0-9\-]{{1,63}}\.){{1,6}}(?P<end>{_ENDS})(?![A-Za-z0-9\-]|\.[A-Za-z0-9])(?P<path>{_PATH})?"
        ),
        _host,
        ".",
        digits=False,
    ),
    Rule(
        "www",
        "url",
        pattern(r"(?<![A-Za-z0-9])www\.[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]++"),
        0.95,
        "www.",
        digits=False,
    ),
    Rule(
        "ipv4",
        "ip",
        pattern(
            r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?::\d{1,5})?(?![\d]|\.\d)"
        ),
        0.85,
    ),
    Rule(
        "ipv6",
        "ip",
        pattern(
            r"(?<![0-9A-Za-z])(?<![0-9A-Za-z:]:)(?:[0-9a-f]{1,4}:|::)(?:[0-9a-f]{0,4}:){1,6}[0-9a-f]{0,4}(?![0-9A-Za-z:])"
        ),
        _ipv6,
        ":",
        digits=False,
    ),
    Rule(
        "hardware",
        "ip",
        pattern(
            r"(?<![0-9A-Za-z])(?<![0-9A-Za-z][:\-])(?:[0-9a-f]{2}([:\-]))(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![0-9A-Za-z])"
        ),
        0.85,
        ": -",
        digits=False,
    ),
    Rule(
        "coordinates",
        "gps",
        pattern(
            rf"(?<![\d.])(?:[NSEW] ?)?(?P<one>{_DEGREES})[°度 ]{{0,2}}[NSEW]?(?:北纬|南纬)?"
            rf"[ ,;/、]{{1,3}}(?:lng|lon|经度|东经|西经|[NSEW])?[ :=]{{0,2}}(?P<two>{_DEGREES})(?!\d)"
            r"[°度]?(?: ?[NSEW](?![A-Za-z]))?"
        ),
        _on_globe,
        ".",
    ),
    Rule(
        "named-pair",
        "gps",
        pattern(said(_PAIR) + r"[:是为 ]{0,3}\(?(?P<x>-?\d{1,3}\.\d{1,15} ?[,/ ] ?-?\d{1,3}\.\d{1,15})(?!\d)"),
        0.85,
        _PAIR,
    ),
    Rule(
        "coordinate",
        "gps",
        pattern(rf"{said(_ONE)}[ :=是为]{{0,3}}(?P<x>{_DEGREES}[°度]?)"),
        0.9,
        _ONE,
    ),
    Rule(
        "degrees",
        "gps",
        pattern(
            r"(?<!\d)\d{1,3} ?[°度] ?\d{1,2} ?['′分] ?(?:\d{1,2}(?:\.\d{1,6})? ?(?:[\"″秒]|'')?)? ?(?:[NSEW](?![A-Za-z]))?"
        ),
        0.85,
        "° 度",
    ),
)
