"""The chats of an export's files: read, counted, and those put together that are spread over several pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from mldr.annotation.assembling import Part
from mldr.annotation.readers.contract import ReadOptions, Tally
from mldr.annotation.readers.detect import Recognised
from mldr.annotation.wording import clean
from mldr.errors import Faults
from mldr.progress import Progress


@dataclass(slots=True)
class Spread:
    """One chat, over one file or several pages."""

    found: Recognised
    """The first of its files."""
    parts: list[Part] = field(default_factory=list)
    """In the natural order of the files' names: `page_2` before `page_10`."""


def gathered(found: Sequence[Recognised], options: ReadOptions, progress: Progress) -> list[Spread]:
    """Return the chats of several files; pages of one chat, in one format, become one. Those without messages are left out.

    Raises:
        InputError: if a file is not what it seemed, or one chat stands there in two formats, or two under one id.
    """
    spreads: dict[tuple[str, str, str], Spread] = {}
    faults = Faults()
    for one in progress.over(found, "files", len(found)):
        for part in _parts(one, options):
            key = (one.reader.NAME, part.chat.platform, clean(part.chat.chat_id))
            spread = spreads.setdefault(key, Spread(one))
            if spread.parts and spread.parts[0].chat.name != part.chat.name:
                other = spread.parts[0].path
                words = (
                    f"has the same id of a chat as {other}, and another name; import them one by one, into two stores"
                )
                faults.add(str(one.export.path), words)
            spread.parts.append(part)
    _check_formats(spreads, faults)
    faults.check()
    for spread in spreads.values():
        spread.parts.sort(key=_natural_order)
    full = [spread for spread in spreads.values() if any(part.rows for part in spread.parts)]
    if len(full) < len(spreads):
        progress.say(f"{len(spreads) - len(full):,} chats without messages are passed over")
    return full


def _parts(one: Recognised, options: ReadOptions) -> Iterator[Part]:
    """Yield the chats of one file, each with what was counted while it was read."""
    tally = Tally()
    last: Part | None = None
    for chat in one.reader.read(one.export, options, tally):
        if last is not None:
            yield last
        last = _counted(Part(one.export.path, chat, 0), tally)
    if last is not None:
        yield _counted(last, tally)  # what came after the last chat is counted to it


def _counted(part: Part, tally: Tally) -> Part:
    """Move a tally's counts to a part."""
    part.rows = max(part.rows + tally.rows, len(part.chat.messages) + part.dropped.total() + tally.dropped.total())
    part.dropped.update(tally.dropped)
    part.places.extend(tally.located)
    tally.rows = 0
    tally.dropped.clear()
    tally.located.clear()
    return part


def _natural_order(part: Part) -> tuple[list[tuple[int, str]], str]:
    """Return a key that sorts `page_2` before `page_10`."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", str(part.path))
    return [(int(piece[:18]), "") if piece.isdigit() else (-1, piece) for piece in pieces], str(part.path)


def _check_formats(spreads: dict[tuple[str, str, str], Spread], faults: Faults) -> None:
    seen: dict[tuple[str, str], tuple[str, Spread]] = {}
    for (reader, platform, chat_id), spread in spreads.items():
        other, first = seen.setdefault((platform, chat_id), (reader, spread))
        if other != reader:
            words = f"is the same chat as {first.parts[0].path}, in another format; choose one with --format {reader}"
            faults.add(str(spread.parts[0].path), words)
