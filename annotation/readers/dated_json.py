"""Exports with dated messages, `date` and `date_unixtime`: one chat, or all of them in `chats.list`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mldr.annotation.readers.contract import Export, RawChat, ReadOptions, Tally
from mldr.annotation.readers.datedrows import read_message
from mldr.annotation.readers.headkeys import has_all, keys_of
from mldr.annotation.readers.jsonrows import Row, identifier, names_of, object_at, read_rows, rows_at
from mldr.annotation.readers.opening import items_of, value_of
from mldr.annotation.readers.roster import Roster
from mldr.errors import fault

NAME = "dated-json"
SUMMARY = "JSON with messages that have date, date_unixtime and from_id, of one chat or in chats.list"

_LISTS = ("chats", "left_chats")
_ACCOUNT = ("about", "personal_information", "contacts", "left_chats")


def matches(head: str, path: Path) -> bool:
    """Return whether the head shows such messages, or the account whose chats they are in."""
    keys = keys_of(head)
    if _account(keys):
        return True
    if "messages" not in keys:
        return False
    by = "messages.item."
    marks = [f"{by}{name}" in keys for name in ("from_id", "actor_id", "text_entities", "from", "actor")]
    kinds = keys.get(f"{by}type") in ("message", "service")
    return f"{by}date_unixtime" in keys or (has_all(keys, f"{by}date", f"{by}id") and kinds and any(marks))


def _account(keys: Mapping[str, Any]) -> bool:
    """Return whether the chats are in a list: it is there, or what stands before it in an account."""
    if "messages" in keys:
        return False
    return "chats.list.item.messages" in keys or sum(name in keys for name in (*_ACCOUNT, "chats")) >= 2


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the chat, or each chat of an account.

    Raises:
        InputError: where the file is not JSON, or has neither messages nor a list of chats.
    """
    if _account(keys_of(export.head)):
        yield from _chats(export, options, tally)
        return
    chat = {name: value_of(export, name) for name in ("name", "type", "id")}
    yield _chat(chat, rows_at(export, "messages", tally), options.owner_id, (), export, tally)


def _chats(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    me = object_at(export, "personal_information")
    owner = _user(me.get("user_id")) or options.owner_id
    names = _full_names(me)
    met = 0
    for key in _LISTS:
        for index, chat in enumerate(items_of(export, f"{key}.list.item")):
            met += 1
            place = f"{key}.list[{index}]"
            if not isinstance(chat, dict):
                tally.rows += 1
                tally.drop(place, "it is no chat")
                continue
            yield _chat(chat, _rows(chat.get("messages"), place, tally), owner, names, export, tally)
    if not met:
        raise fault(str(export.path), "has neither `messages` nor chats in `chats.list`")


def _rows(messages: Any, place: str, tally: Tally) -> Iterator[tuple[str, Row]]:
    for index, row in enumerate(messages if isinstance(messages, list) else []):
        tally.rows += 1
        at = f"{place}.messages[{index}]"
        if isinstance(row, dict):
            yield at, row
        else:
            tally.drop(at, "it is no object")


def _chat(
    chat: Row, rows: Iterable[tuple[str, Row]], owner: str, names: tuple[str, ...], export: Export, tally: Tally
) -> RawChat:
    people = Roster()
    people.own(owner)
    if names:
        people.add(owner, names)
    called = names_of(chat.get("name"))
    name, kind, own_id = next(iter(called), ""), str(chat.get("type")), identifier(chat.get("id"))
    if kind in ("personal_chat", "bot_chat"):
        people.add(_user(chat.get("id")), called)
    messages = read_rows(rows, tally, lambda row, place: read_message(row, place, people))
    group = "group" in kind or "channel" in kind
    return RawChat(own_id or name or export.path.stem, name, "telegram", group, people.members(), messages)


def _user(value: Any) -> str:
    """Return the id by which messages name a user, of the number by which chats and accounts do."""
    number = identifier(value)
    return f"user{number}" if number.isdecimal() else number


def _full_names(me: Row) -> tuple[str, ...]:
    first, last = (me.get(name) if isinstance(me.get(name), str) else "" for name in ("first_name", "last_name"))
    return names_of(f"{first} {last}", first, last, me.get("username"))
