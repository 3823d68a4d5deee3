"""The dated text of a chat: a line a message, `date - name: text` or `[date] name: text`, in the ways of many locales."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mldr.annotation.readers.clocks import seen
from mldr.annotation.readers.contract import DateOrder, Export, PictureHint, RawChat, RawMessage, ReadOptions, Tally
from mldr.annotation.readers.dated_lines import Entry, Order, Senders, entries_of, opened
from mldr.annotation.readers.dated_notices import told_by, without_edit_mark
from mldr.annotation.readers.opening import lines_of
from mldr.annotation.readers.standins import chat_id_of, is_group, members_of

NAME = "dated-text"
SUMMARY = "text with lines such as `31/12/2024, 23:59 - name: text` or `[31.12.24, 23:59:00] name: text`"

_UNTYPED = "\u200e"
"""Opens what the programme wrote itself, on one of the two systems."""


def matches(head: str, path: Path) -> bool:
    """Return whether the first line that is not blank opens a message, and some line names who speaks."""
    lines = [line for line in head.splitlines() if seen(line)]
    found = [start for start in map(opened, lines) if start is not None]
    return bool(lines) and opened(lines[0]) is not None and any(":" in rest for _, _, rest in found)


def read(export: Export, options: ReadOptions, tally: Tally) -> Iterator[RawChat]:
    """Yield the one chat of a text.

    Raises:
        InputError: where its dates leave the order of day and month open and `options.date_order` does not say it.
    """
    order, senders = Order(str(export.path)), Senders()
    for entry in entries_of(lines_of(export)):
        if isinstance(entry, Entry):
            order.add(entry)
            senders.add(entry.head)
    if not order.total:
        return
    settled = order.settled(options.date_order)
    messages: list[RawMessage] = []
    for entry in entries_of(lines_of(export)):
        messages.extend(_messages(entry, settled, senders, tally))
    if messages:
        name = export.path.parent.name if export.path.stem == "_chat" else export.path.stem
        members = members_of(messages, options)
        yield RawChat(chat_id_of(messages), name, "whatsapp", is_group(messages), members, tuple(messages))


def _messages(entry: Entry | tuple[int, str], order: DateOrder, senders: Senders, tally: Tally) -> Iterator[RawMessage]:
    """Yield a message, and a second one where words stand beside an attachment that is no picture."""
    tally.rows += 1
    if not isinstance(entry, Entry):
        tally.drop(f"line {entry[0]}", "stands before the first date")
        return
    time = entry.stamp.on(order)
    if time is None:
        tally.drop(entry.place, "its date is no day in the order of the other dates")
        return
    name, head = senders.of(entry.head)
    told = told_by(head)
    typed = told is None and not (name and head.startswith(_UNTYPED))
    if not name or (told.kind == "system" if told else not typed):
        yield RawMessage("", time, "recall" if told and told.kind == "recall" else "system", entry.place)
        return
    names = tuple(dict.fromkeys((name.removeprefix("~").strip(), name))) if name.startswith("~") else (name,)
    text = _joined(head if told is None else told.text, entry.more)
    if told is None:
        yield RawMessage(name, time, "text" if text else "other", entry.place, names=names, text=text)
        return
    hint = PictureHint((told.name,), (PurePosixPath(told.name).stem,)) if told.name else PictureHint()
    spoken = told.kind == "image"
    yield RawMessage(
        sender=name,
        time=time,
        kind=told.kind,
        place=entry.place,
        names=names,
        text=text if spoken else "",
        pictures=(hint,) if spoken else (),
    )
    if text and not spoken and told.kind in ("sticker", "video", "voice", "file"):
        tally.rows += 1
        yield RawMessage(name, time, "text", f"{entry.place}, caption", names=names, text=text)


def _joined(head: str, more: tuple[str, ...]) -> str:
    """Return the lines of a message as its sender wrote them."""
    return without_edit_mark("\n".join((head, *more)).strip().strip("\u200e\u200f").strip())
