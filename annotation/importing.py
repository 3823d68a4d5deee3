"""`mldr annotate import`: finished exports to neutral chats in the private store, with an account of every row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mldr.annotation.assembling import Assembly
from mldr.annotation.chatfile import write_chat
from mldr.annotation.clocks import Clock, zone_of
from mldr.annotation.gathering import Spread, gathered
from mldr.annotation.importreport import REPORT, ImportReport, report_table, write_report
from mldr.annotation.readers.contract import DateOrder, PictureHint, ReadOptions
from mldr.annotation.readers.detect import find
from mldr.annotation.readers.pictures import Folder, Pictures
from mldr.annotation.store import Store
from mldr.annotation.wording import clean
from mldr.errors import Faults, MldrError, fault
from mldr.folders import fresh_folder
from mldr.progress import Progress

if TYPE_CHECKING:
    from mldr.annotation.chat import Chat, Picture
    from mldr.images import NormalisedImage

__all__ = ["Import", "ImportReport", "chat_folder", "chat_path", "image_path", "import_chats", "report_table"]


@dataclass(frozen=True, slots=True)
class Import:
    """What a person says about an export."""

    format: str = ""
    """The name of its format, where several readers know the file; '' to find out."""
    zone: str = ""
    """The IANA name of the zone of its clock; needed where the file shows times without one."""
    owner_id: str = ""
    """The id of the person whose export it is."""
    date_order: DateOrder = ""
    force: bool = False
    """Replace a chat that was imported before."""


def import_chats(path: Path, store: Store, wanted: Import, progress: Progress | None = None) -> list[ImportReport]:
    """Import every chat of an export; each comes into the store whole or not at all, and none if one may not.

    Args:
        path: a file, or the folder of an unpacked export.
        store: the private one.
        wanted: what a person says about the export.
        progress: what is shown.

    Returns:
        A report a chat, in the order of the files.

    Raises:
        MldrError: if nothing can be read there.
        InputError: with its place, for what is no export, cut short, of several formats, or already imported.
    """
    progress = progress or Progress()
    zone = zone_of(wanted.zone) if wanted.zone else None
    _apart(path, store)
    spreads = gathered(find(path, wanted.format), ReadOptions(wanted.owner_id, wanted.date_order), progress)
    if not spreads:
        raise fault(str(path), "holds no messages")
    keys = {_chat_key(store, spread): spread for spread in spreads}
    _check_free(store, keys, force=wanted.force)
    store.chats.mkdir(mode=0o700, exist_ok=True)
    folders: dict[Path, Folder] = {}
    reports = []
    for chat_key, spread in keys.items():
        folder = folders.setdefault(spread.found.export.root, Folder(spread.found.export.root))
        assembly = Assembly(spread.found.reader.NAME, spread.parts, Clock(zone), clean(wanted.owner_id))
        reports.append(_put(store.chats / chat_key, chat_key, assembly, folder, progress))
    return reports


def chat_folder(store: Store, chat_key: str) -> Path:
    """Return the folder of an imported chat.

    Raises:
        MldrError: if that is no key of a chat.
    """
    if not re.fullmatch(r"[0-9a-f]{16}", chat_key):
        raise MldrError(f"chat {chat_key!r}: 16 hex digits are expected")
    return store.chats / chat_key


def chat_path(store: Store, chat_key: str) -> Path:
    """Return the file of an imported chat."""
    return chat_folder(store, chat_key) / "chat.jsonl"


def image_path(store: Store, chat_key: str, image_key: str) -> Path | None:
    """Return the file of a picture of an imported chat, None where it is missing.

    Raises:
        MldrError: if that is no key of a chat.
    """
    digits = image_key.removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        return None
    images = chat_folder(store, chat_key) / "images"
    return next((path for path in (images / f"{digits}.png", images / f"{digits}.jpg") if path.is_file()), None)


def _apart(path: Path, store: Store) -> None:
    """Refuse a folder that holds the private store, and one inside it: its files would be taken for exports."""
    given, private = path.resolve(), store.folder.resolve()
    if given.is_relative_to(private):
        raise fault(str(path), "is in the private store, not an export")
    if private.is_relative_to(given):
        raise fault(
            str(path), f"holds the private store {store.folder}; give the export's own folder, or move the store"
        )


def _chat_key(store: Store, spread: Spread) -> str:
    chat = spread.parts[0].chat
    return store.chat_key(chat.platform, clean(chat.chat_id))


def _check_free(store: Store, keys: dict[str, Spread], *, force: bool) -> None:
    faults = Faults()
    for chat_key, spread in keys.items():
        if not force and (store.chats / chat_key).exists():
            words = f"this chat is in the store already, as chats/{chat_key}; --force replaces it"
            faults.add(str(spread.parts[0].path), words)
    faults.check()


def _put(out: Path, chat_key: str, assembly: Assembly, folder: Folder, progress: Progress) -> ImportReport:
    """Make a chat's folder, whole or not at all; nobody but its owner can read it."""
    replaced = out.exists()
    with fresh_folder(out, REPORT, force=True) as workshop:
        workshop.new.parent.chmod(0o700)
        images = workshop.new / "images"
        images.mkdir()
        pictures = Pictures(folder, lambda image: _keep(images, image))
        progress.start("pictures", None)

        def find(hint: PictureHint, beside: Path) -> Picture:
            progress.advance()
            return pictures.find(hint, beside)

        chat: Chat = assembly.chat(find)
        report = assembly.report(chat, chat_key, pictures.counts, pictures.stored)
        if replaced:
            report.notes.append(
                "an earlier import was replaced; the dialogues cut from it stay until the chat is cut again"
            )
        write_chat(workshop.new / "chat.jsonl", chat)
        write_report(workshop.new, report)
        close_to_others(workshop.new)
    return report


def _keep(images: Path, image: NormalisedImage) -> None:
    digits = image.image_key.removeprefix("sha256:")
    (images / (digits + (".jpg" if image.media_type == "image/jpeg" else ".png"))).write_bytes(image.content)


def close_to_others(folder: Path) -> None:
    """Let nobody but the owner read a folder and what is in it."""
    folder.chmod(0o700)
    for path in sorted(folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
