"""The message rows that three formats share: a type code and a Chinese label, the quote named beside and baked into the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from mldr.annotation.chat import OWNER, SPOKEN, Member, MessageKind
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.echoes import quoted_words, split_echo, stand_in
from mldr.annotation.readers.jsonrows import (
    Row,
    Unreadable,
    clean,
    first_said,
    flag,
    identifier,
    instant,
    names_of,
    person,
    read_rows,
    rows_at,
    said,
    sender_for,
    whole,
    with_owner,
)
from mldr.annotation.readers.wechatkinds import (
    APP,
    base_and_subtype,
    is_known,
    is_reply,
    kind_of,
    kind_of_label,
    kind_of_notice,
)
from mldr.annotation.readers.wechatxml import image_stems_of_xml, quote_of_xml

_REPLY_LABELS = frozenset({"引用消息", "引用回复", "引用", "回复"})
_GROUPS = frozenset({"群聊", "group", "chatroom"})


def session_chat(
    export: Export,
    options: ReadOptions,
    tally: Tally,
    session: Row,
    listed: Iterable[Member],
    named: Callable[[Row], Row] = lambda row: row,
) -> RawChat:
    """Return the chat of a file with one session.

    Args:
        export: the file.
        options: what a person said.
        tally: counts rows.
        session: its `wxid`, `type` and names.
        listed: the members that the file lists.
        named: gives a row the fields `senderUsername`, `senderDisplayName` and so on, where it has others in their place.
    """
    chat_id = identifier(session.get("wxid")) or export.path.stem
    group = chat_id.endswith("@chatroom") or str(session.get("type")) in _GROUPS
    names = names_of(*(session.get(name) for name in ("displayName", "remark", "nickname")))
    owners: Counter[str] = Counter()

    def read(row: Row, place: str) -> RawMessage:
        row = named(row)
        sender = person(row.get("senderUsername"))
        if flag(row.get("isSend")):
            sender = sender or OWNER
            owners.update([sender] if kind_in(row) in SPOKEN else [])
        elif not sender:
            sender = person(row.get("senderDisplayName")) if group else chat_id
        return message_of(row, place, sender)

    messages = read_rows(rows_at(export, "messages", tally), tally, read)
    owner = options.owner_id or next((name for name, _ in owners.most_common() if name != OWNER), OWNER)
    messages = tuple(replace(m, sender=owner) if m.sender == OWNER else m for m in messages)
    peer = [] if group else [Member(chat_id, names)]
    members = with_owner([*peer, *listed], owner, messages)
    return RawChat(chat_id, next(iter(names), ""), "wechat", group, members, messages)


def message_of(row: Row, place: str, sender: str) -> RawMessage:
    """Return the message of a row.

    Raises:
        Unreadable: where its time, type or content is not what it should be, or nobody said it.
    """
    time, kind, content = instant(row.get("createTime")), kind_in(row), said(row, "content")
    if kind == "system":
        kind, sender = kind_of_notice(content), ""
    text, quote = _spoken(row, content) if kind == "text" else ("", None)
    pictures: tuple[PictureHint, ...] = ()
    if kind == "image":
        pictures, quote = (_hint(row, content),), _quote(row, "", "")
    return RawMessage(
        sender=sender_for(kind, sender),
        time=time,
        kind=kind,
        place=place,
        message_id=identifier(row.get("platformMessageId")) or identifier(row.get("localId")),
        names=names_of(row.get("senderDisplayName")) if sender else (),
        text=text,
        pictures=pictures,
        quote=quote,
    )


def kind_in(row: Row) -> MessageKind:
    """Return the kind of a row: by its type code, and by its label only where the code does not say.

    Raises:
        Unreadable: where it has neither, or the code is no number.
    """
    code, subtype = _codes(row)
    label = said(row, "type").strip()
    if code is None and not label:
        raise Unreadable("it has no type")
    if code is not None and is_known(code, subtype):
        return kind_of(code, subtype)
    return kind_of_label(label) or "other"


def _codes(row: Row) -> tuple[int | None, int]:
    """Return (type code, subtype), with None for no code; older rows have the code in the place of the label."""
    value = row.get("localType")
    if value in (None, ""):
        return whole(row.get("type")), 0
    code = whole(value)
    if code is None:
        raise Unreadable("its type is no number")
    base, subtype = base_and_subtype(code)
    return code, (whole(row.get("appMsgType")) or 0) if (base, subtype) == (APP, 0) else 0


def _spoken(row: Row, content: str) -> tuple[str, Quote | None]:
    """Return (own words, quote) of a text."""
    code, subtype = _codes(row)
    replies = (code is not None and is_reply(code, subtype)) or str(row.get("type")).strip() in _REPLY_LABELS
    if replies and (parsed := quote_of_xml(content)):
        return clean(parsed[0]), parsed[1]
    if replies and content.lstrip().startswith("<"):
        raise Unreadable("it is a reply whose XML cannot be read")
    if not replies and not any(row.get(name) for name in ("quotedContent", "quotedSender", "replyToMessageId")):
        return content, None
    exact = f"[引用 {first_said(row, 'quotedSender')}：{first_said(row, 'quotedContent')}]"
    if content.rstrip().endswith(exact):
        return content.rstrip()[: -len(exact)].strip(), _quote(row, "", "")
    own, sender, words = split_echo(content)
    return own, _quote(row, sender, words)


def _quote(row: Row, sender: str, words: str) -> Quote | None:
    """Return what the fields of a row say of the quoted message, else what its text said; None where nothing does."""
    message_id = identifier(row.get("replyToMessageId"))
    sender, words = first_said(row, "quotedSender").strip() or sender, first_said(row, "quotedContent") or words
    kind, text = quoted_words(words)
    return Quote(message_id, sender, None, text, kind or "") if message_id or sender or words.strip() else None


def _hint(row: Row, content: str) -> PictureHint:
    """Return where a picture may be; its content is a path, a stand-in for a picture that was not exported, or XML."""
    if content.lstrip().startswith("<"):
        content, stems = "", image_stems_of_xml(content)
    else:
        content, stems = "" if stand_in(content) else content.strip(), ()
    paths = (content, said(row, "mediaPath").strip())
    names = (*stems, said(row, "imageMd5").strip(), said(row, "mediaFileName").strip())
    return PictureHint(tuple(dict.fromkeys(filter(None, paths))), tuple(dict.fromkeys(filter(None, names))))
