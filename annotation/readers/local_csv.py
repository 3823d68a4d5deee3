"""A table of messages by local id, of one contact or of all; its app messages (replies, links, files) are mostly empty."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mldr.annotation.chat import OWNER, MessageKind
from mldr.annotation.readers.clocks import moment_of
from mldr.annotation.readers.contract import Export, PictureHint, Quote, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.sheets import flag_of, header_of, table_of
from mldr.annotation.readers.standins import members_of
from mldr.annotation.readers.wechatkinds import is_reply, kind_of, kind_of_notice
from mldr.annotation.readers.wechatxml import image_stems_of_xml, quote_of_xml

NAME = "local-csv"
SUMMARY = "CSV with the columns localId, TalkerId, Type, SubType, IsSender, CreateTime, StrContent, StrTime, Sender"

_COLUMNS = frozenset(
    ["localid", "talkerid", "type", "subtype", "issender", "createtime", "strcontent", "strtime", "sender"]
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A message with what stands beside it."""

    position: int
    talker: str
    label: tuple[str, ...]
    """Remark and NickName: of the sender in some exports, of the chat in others."""
    own: bool
    message: RawMessage


def matches(head: str, path: Path) -> bool:
    """Return whether the first line is this table's header."""
    return header_of(head)[0] >= _COLUMNS


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield a chat a TalkerId; a contact who has two of them (in two databases) is one chat.

    Raises:
        InputError: where the file is no CSV.
    """
    rows = []
    dropped: dict[str, Tally] = defaultdict(Tally)
    for position, (place, cells) in enumerate(table_of(export)):
        message = _message(place, cells, options)
        if isinstance(message, str):
            dropped[cells["talkerid"].strip()].rows += 1
            dropped[cells["talkerid"].strip()].drop(place, message)
            continue
        label = tuple(cells.get(name, "").strip() for name in ("remark", "nickname"))
        rows.append(_Row(position, cells["talkerid"].strip(), label, bool(flag_of(cells["issender"])), message))
    used: set[str] = set()
    for chat in _by_chat(rows):
        peers, standin = _peers(chat), f"{export.path.stem}/{chat[0].talker}"
        chat_id = peers[0] if len(peers) == 1 and peers[0] not in used else standin
        while chat_id in used:
            chat_id += "+"
        used.add(chat_id)
        tally.rows += len(chat)
        for talker in dict.fromkeys(row.talker for row in chat):
            tally.take(dropped.pop(talker, Tally()))
        yield _chat(chat_id, chat, export, options)
    for rest in dropped.values():
        tally.take(rest)


def _message(place: str, cells: Mapping[str, str], options: ReadOptions) -> RawMessage | str:
    """Return a row's message without names, or why there is none."""
    time = moment_of(cells["createtime"], options.date_order) or moment_of(cells["strtime"], options.date_order)
    if time is None:
        return "neither its CreateTime nor its StrTime is a time"
    codes = [cells[name].strip().removesuffix(".0") or "0" for name in ("type", "subtype")]
    if not all(re.fullmatch(r"-?[0-9]{1,20}", code) for code in codes):
        return "its Type and SubType are no numbers"
    code, subtype = map(int, codes)
    kind, content = kind_of(code, subtype), cells["strcontent"].replace("\r\n", "\n").replace("\0", "").strip()
    if kind == "system":
        kind = kind_of_notice(content)
    sender = "" if kind == "system" else _sender(cells, options)
    if sender is None:
        return "its IsSender is neither 0 nor 1"
    kind, text, quote = _words(kind, is_reply(code, subtype), content)
    pictures = (PictureHint(stems=image_stems_of_xml(content)),) if kind == "image" else ()
    return RawMessage(sender, time, kind, place, _id(cells), text=text, pictures=pictures, quote=quote)


def _id(cells: Mapping[str, str]) -> str:
    """Return the id of a row: local ids count anew for every talker of every database."""
    local = cells["localid"].strip()
    return f"{cells['talkerid'].strip()}/{local}" if local.isascii() and local.isdecimal() else ""


def _words(kind: MessageKind, reply: bool, content: str) -> tuple[MessageKind, str, Quote | None]:
    """Return (kind, own words, quote); a reply has words only where the compressed column was exported."""
    if kind != "text":
        return kind, "", None
    said, quote = (quote_of_xml(content) or ("", None)) if reply else (content, None)
    return ("text" if said else "other"), said, quote


def _sender(cells: Mapping[str, str], options: ReadOptions) -> str | None:
    own = flag_of(cells["issender"])
    if own is None:
        return None
    names = (cells["sender"], cells.get("remark", ""), cells.get("nickname", ""))
    return (options.owner_id or OWNER) if own else next((name.strip() for name in names if name.strip()), "")


def _by_chat(rows: list[_Row]) -> list[list[_Row]]:
    """Return the rows of each chat, in the order of the file."""
    talkers: dict[str, list[_Row]] = {}
    for row in rows:
        talkers.setdefault(row.talker, []).append(row)
    chats: dict[tuple[str, ...], list[_Row]] = {}
    for talker, held in talkers.items():
        labels: dict[tuple[str, ...], list[_Row]] = {}
        split = _label_names_chat(held)
        for row in held:
            labels.setdefault(row.label if split else (), []).append(row)
        for label, part in labels.items():
            peers = _peers(part)
            named = next((row.label for row in part if not row.own and row.message.sender), ())
            key = ("peer", *peers, *named) if len(peers) == 1 else ("talker", talker, *label)
            chats.setdefault(key, []).extend(part)
    return [sorted(chat, key=lambda row: row.position) for chat in chats.values()]


def _peers(rows: list[_Row]) -> list[str]:
    return sorted({row.message.sender for row in rows if not row.own and row.message.sender})


def _label_names_chat(rows: list[_Row]) -> bool:
    """Return whether Remark and NickName name the chat: the owner's rows then hold what the others' rows hold."""
    spoken = [row for row in rows if row.message.sender]
    own = {row.label for row in spoken if row.own}
    return bool(own) and own <= {row.label for row in spoken if not row.own}


def _chat(chat_id: str, rows: list[_Row], export: Export, options: ReadOptions) -> RawChat:
    peers = _peers(rows)
    shared = _label_names_chat(rows)
    group = len(peers) > 1 or any(peer.endswith("@chatroom") for peer in peers)
    messages = []
    for row in rows:
        named = not row.message.sender or (shared and (row.own or group))
        names = () if named else tuple(dict.fromkeys(name for name in row.label if name not in ("", "我")))
        messages.append(replace(row.message, names=names))
    label = next((row.label for row in rows if not row.own), ()) if shared or not group else ()
    name = next((name for name in label if name), export.path.stem)
    return RawChat(chat_id, name, "wechat", group, members_of(messages, options), tuple(messages))
