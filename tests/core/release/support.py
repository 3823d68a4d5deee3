"""Releases in the published structures, written by us: MLDR's ms-swift records and WeChat-MDR's chats."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.conftest import picture

SYSTEM = "系统提示"
HEAD = "请找出相关内容。\n查询是<|query_start|>"
MIDDLE = "<|query_end|>。\n对话如下：\n"

LINES = (
    "<|utt_id_start|>0<|utt_id_end|> user1: 周末去哪里？",
    "<|utt_id_start|>1<|utt_id_end|> user2: 去爬山，看这张<|img_id_start|>0<|img_id_end|><image>",
    "<|utt_id_start|>2<|utt_id_end|> user1: <|img_id_start|>1<|img_id_end|><image>",
    "<|utt_id_start|>3<|utt_id_end|> user2: 好的，几点出发",
)


def answer(utterance_ids: Sequence[int], image_ids: Sequence[int]) -> str:
    return f"<|utt_ids_start|>{list(utterance_ids)}<|utt_ids_end|>;<|img_ids_start|>{list(image_ids)}<|img_ids_end|>"


def mldr_record(
    dialogue_id: Any = "d1",
    query: str = "爬山",
    lines: Sequence[str] = LINES,
    images: Any = ("images/a.png", "images/b.png"),
    gold: str = answer([1, 3], [0]),
    **changed: Any,
) -> dict[str, Any]:
    """Return a record as the papers' code reads it; `changed` replaces or, with None, removes keys."""
    record = {
        "dialogue_id": dialogue_id,
        "images": list(images) if isinstance(images, tuple) else images,
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": HEAD + query + MIDDLE + "\n".join(lines)},
            {"role": "assistant", "content": gold},
        ],
        "solution": gold,
        **changed,
    }
    return {key: value for key, value in record.items() if value is not None}


def wechat_record(dialogue_id: Any = "c7_0", **changed: Any) -> dict[str, Any]:
    return {
        "dialogue_id": dialogue_id,
        "dialogue": [
            {"utterance_idx": 0, "speaker": "user1", "utterance": "论文改好了"},
            {"utterance_idx": 1, "speaker": "user2", "utterance": [{"image_url": "pics/a.png", "caption": "一张图"}]},
            {"utterance_idx": 2, "speaker": "user1", "utterance": "谢谢"},
        ],
        "query_text": ["论文", "没有的事"],
        "gt_turns": [[0, 1], []],
        **changed,
    }


def write_release(folder: Path, files: Mapping[str, Any], pictures: Mapping[str, str] | None = None) -> Path:
    """Write JSON files and pictures (path -> colour) of a release."""
    for name, records in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = records if isinstance(records, str) else json.dumps(records, ensure_ascii=False)
        path.write_text(text, encoding="utf-8")
    for name, colour in (pictures or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(colour))
    return folder


PICTURES = {"images/a.png": "red", "images/b.png": "blue"}


def mldr_release(folder: Path, *records: dict[str, Any], name: str = "MLDR_val.json") -> Path:
    return write_release(folder / "MLDR", {name: list(records)}, PICTURES)


def tarred(path: Path, folder: Path, mode: Any = "w") -> Path:
    """Pack a folder."""
    with tarfile.open(path, mode) as tar:
        tar.add(folder, arcname=folder.name)
    return path


def tar_of(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Write a tar of hand-made entries."""
    with tarfile.open(path, "w") as tar:
        for entry, content in entries:
            tar.addfile(entry, io.BytesIO(content))
    return path


def entry(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, link, len(content)
    return made, content
