"""A table of messages with a type_name, in all its generations, also as a spreadsheet saved it again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mldr.annotation.readers.contract import Export, RawChat, ReadOptions, Tally
from mldr.annotation.readers.sheets import header_of, table_of
from mldr.annotation.readers.typename import COLUMNS, chats_of

NAME = "typename-csv"
SUMMARY = "CSV with the columns MsgSvrID, type_name, is_sender, talker, CreateTime"


def matches(head: str, path: Path) -> bool:
    """Return whether the first line is this table's header, with any of the separators of a spreadsheet."""
    names, _ = header_of(head)
    return names >= COLUMNS and bool(names & {"msg", "content"})


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield a chat a room; without rooms, one for the file.

    Raises:
        InputError: where the file is no CSV.
    """
    yield from chats_of(table_of(export), export, options, tally)
