"""The interchange format as JSON Lines: a header, then members, then messages, each with its `_type`; `#` starts a comment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mldr.annotation.chat import Member
from mldr.annotation.readers.contract import Export, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.headkeys import keys_of
from mldr.annotation.readers.jsonrows import Row, Unreadable
from mldr.annotation.readers.memberrows import chat_of, member_of, message_of
from mldr.annotation.readers.opening import lines_of
from mldr.errors import Faults, fault
from mldr.files import parse_json

NAME = "members-jsonl"
SUMMARY = "JSON Lines with _type: a header with chatlab and meta, members by platformId, messages by sender"


def matches(head: str, path: Path) -> bool:
    """Return whether the head shows lines of this format."""
    keys = keys_of(head)
    return "_type" in keys and any(key in keys for key in ("chatlab", "platformId", "accountName"))


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the chat.

    Raises:
        InputError: with every line that is no JSON, or where no line is of this format.
    """
    meta: dict[str, Any] = {}
    members: list[Member] = []
    messages: list[RawMessage] = []
    typed = 0
    for place, row in _rows(export):
        match row.get("_type"):
            case "header":
                meta = row["meta"] if isinstance(row.get("meta"), dict) else {}
            case "member":
                members += [member] if (member := member_of(row)) else []
            case "message":
                tally.rows += 1
                try:
                    messages.append(message_of(row, place))
                except Unreadable as reason:
                    tally.drop(place, str(reason))
            case _:
                tally.rows += 1
                tally.drop(place, "its _type is not header, member or message")
                continue
        typed += 1
    if not typed:
        raise fault(str(export.path), "has no line with the _type header, member or message")
    yield chat_of(export, options, meta, members, tuple(messages))


def _rows(export: Export) -> Iterator[tuple[str, Row]]:
    """Yield (place, object) of each line that is not blank or a comment.

    Raises:
        InputError: with every line that is no JSON object.
    """
    faults = Faults()
    for number, line in lines_of(export):
        line = line.lstrip("\ufeff").strip()
        if not line or line.startswith("#"):
            continue
        try:
            row = parse_json(line)
            if not isinstance(row, dict):
                raise ValueError("not a JSON object")
        except ValueError as error:
            faults.add(f"{export.path}, line {number}", str(error))
            continue
        yield f"line {number}", row
    faults.check()
