"""What WeChat's own XML says of a quote or a picture. It comes from strangers: no document type, no entities, a size limit."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

from mldr.annotation.chat import MessageKind
from mldr.annotation.readers.contract import Quote
from mldr.annotation.readers.wechatkinds import APP, REPLY, kind_of

LIMIT = 1024 * 1024
"""Longer XML is not looked at (characters)."""

_DECLARATION = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_IMAGE = re.compile(r"<img\b[^<>]{0,8192}>")
_MD5 = re.compile(r"\b(?:md5|originsourcemd5)\s*=\s*[\"']([0-9A-Fa-f]{32})[\"']")


def quote_of_xml(xml: str) -> tuple[str, Quote] | None:
    """Return (the sender's own words, the quote) of a reply's XML; None where it is no reply or not sound XML."""
    message = _parsed(xml)
    appmsg = None if message is None else message.find("appmsg")
    refer = None if appmsg is None else appmsg.find("refermsg")
    if appmsg is None or refer is None or _number(_said(appmsg, "type")) != REPLY:
        return None
    content = _said(refer, "content")
    kind, text = _quoted(_number(_said(refer, "type")), content)
    senders = [_said(refer, name) for name in ("fromusr", "chatusr", "displayname")]
    quote = Quote(
        message_id=_meaningful(_said(refer, "svrid")),
        sender=next((sender for sender in senders if sender and not sender.endswith("@chatroom")), ""),
        time=_instant(_number(_said(refer, "createtime"))),
        text=text,
        kind=kind,
    )
    return _said(appmsg, "title"), quote


def image_stems_of_xml(xml: str) -> tuple[str, ...]:
    """Return the md5 hashes, in lower case, by which a picture's XML knows its file; none where it is not a picture's."""
    found = [stem.lower() for image in _IMAGE.findall(xml[:LIMIT]) for stem in _MD5.findall(image)]
    return tuple(dict.fromkeys(found))


def _parsed(xml: str) -> ElementTree.Element | None:
    """Return the root of a `msg`, without the `wxid_x:` that stands before it in groups."""
    start = xml.find("<")
    if start < 0 or len(xml) > LIMIT or _DECLARATION.search(xml):
        return None
    try:
        root = ElementTree.fromstring(xml[start:].strip())
    except (ElementTree.ParseError, ValueError):
        return None
    return root if root.tag == "msg" else root.find("msg")


def _quoted(code: int, content: str) -> tuple[MessageKind, str]:
    """Return the kind and the words of what is quoted; an app message that is quoted is XML in its turn."""
    if code != APP:
        return kind_of(code), content if code == 1 else ""
    inner = _parsed(content)
    appmsg = None if inner is None else inner.find("appmsg")
    if appmsg is None:
        return "other", ""
    subtype = _number(_said(appmsg, "type"))
    return kind_of(APP, subtype), _said(appmsg, "title") if subtype == REPLY else ""


def _said(element: ElementTree.Element, name: str) -> str:
    return (element.findtext(name) or "").strip()


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,19}", text) else 0


def _meaningful(message_id: str) -> str:
    return "" if message_id == "0" else message_id


def _instant(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if 946_684_800 <= seconds < 4_102_444_800 else None
