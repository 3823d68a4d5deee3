"""Which files of a release are read, in which layout, and to which split: told by content, then by name."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from mldr.dataset import SPLITS
from mldr.errors import InputError, MldrError, printable
from mldr.release.archive import Archive
from mldr.release.findings import FileFound, Findings
from mldr.release.jsonlist import json_records
from mldr.release.messages import common_tail, is_own

KNOWN = {"mldr_train_cold_start": "train_sft", "mldr_train_grpo": "train_grpo", "mldr_val": "validation"}
"""The authors' file names. Their validation is never a test split: papers have tuned on it."""
_HINTS = (("cold_start", "train_sft"), ("sft", "train_sft"), ("grpo", "train_grpo"), ("val", "validation"))
PEEKED = 50
"""Records that are looked at before a file is read."""


def find_files(archive: Archive, wanted: Collection[str], findings: Findings) -> dict[str, str]:
    """Note every JSON file of a release in `findings`; return the name of each that is read, and its prompt's tail.

    Args:
        archive: the release's files.
        wanted: the splits to be read; none means all. One alone also names the split of a file that tells none.
        findings: takes the files.

    Raises:
        MldrError: if there is nothing in a release layout.
        InputError: for a file of the authors' name that is broken, and one whose split nobody tells.
    """
    tails: dict[str, str] = {}
    for name in sorted(archive.members):
        if not name.lower().endswith(".json"):
            continue
        found, tails[name] = _looked_at(archive, name, wanted)
        findings.files[name] = found
    if not any(found.layout for found in findings.files.values()):
        reasons = "; ".join(f"{printable(name)}: {found.reason}" for name, found in list(findings.files.items())[:5])
        raise MldrError(
            "no file in a release layout (a JSON list of ms-swift messages, or of WeChat-MDR dialogues); "
            + (reasons or "there is no .json at all")
        )
    for found in findings.files.values():
        if found.layout and wanted and found.split not in wanted:
            found.reason = f"its split {found.split} was not asked for"
    read = [name for name, found in findings.files.items() if found.layout and not found.reason]
    if not read:
        there = ", ".join(sorted({found.split for found in findings.files.values() if found.layout}))
        raise MldrError(f"no file of the split {', '.join(wanted)}; there is {there}")
    return {name: tails[name] for name in read}


def _looked_at(archive: Archive, name: str, wanted: Collection[str]) -> tuple[FileFound, str]:
    try:
        records = [record for _, record in islice(json_records(archive.chunks(name), name), PEEKED)]
    except InputError as error:
        if _stem(name) in KNOWN:
            raise
        return FileFound("", reason=error.faults[0].message), ""
    layout = layout_of(records)
    if not layout:
        return FileFound("", reason="its records have neither messages nor a dialogue with queries"), ""
    return FileFound(layout, split_of(name, layout, wanted)), common_tail(records) if layout == "messages" else ""


def layout_of(records: list[Any]) -> str:
    """Return the layout of the first record that has one, '' for none."""
    for record in records:
        if is_own(record) and isinstance(record.get("messages"), list):
            return "export"
        if isinstance(record, dict) and isinstance(record.get("messages"), list):
            return "messages"
        if isinstance(record, dict) and isinstance(record.get("dialogue"), list) and "query_text" in record:
            return "wechat"
    return ""


def split_of(name: str, layout: str, wanted: Collection[str]) -> str:
    """Return the split of a file.

    Raises:
        MldrError: if neither its name nor `wanted` tells it.
    """
    stem = _stem(name)
    if stem in SPLITS and layout != "wechat":
        return stem
    if is_real(name, layout):
        return "test"
    for hint, split in (*KNOWN.items(), *_HINTS):
        if hint in stem:
            return split
    if len(wanted) == 1:
        return next(iter(wanted))
    raise MldrError(f"{printable(name)}: its name tells no split; name it with --split ({', '.join(SPLITS)})")


def is_real(name: str, layout: str) -> bool:
    """Say whether a file holds real chats: WeChat-MDR, also where it has been turned into messages."""
    return layout == "wechat" or "wechat" in name.lower()


def _stem(name: str) -> str:
    return PurePosixPath(name).stem.lower()
