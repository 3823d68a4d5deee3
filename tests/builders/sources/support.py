"""Published layouts, filled with words of our own, written to real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mldr.builders.recipe import SourceRecipe
from mldr.builders.sources.record import Reading, SourceDialogue
from mldr.plugins import resolve


def put(path: Path, value: Any) -> Path:
    """Write a value as JSON, or text as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def put_parquet(path: Path, rows: list[dict[str, Any]], schema: pa.Schema | None = None, group: int = 2) -> Path:
    """Write rows as Parquet, in row groups of `group` rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, row_group_size=group)
    return path


def read(kind: str, path: Path, **entry: Any) -> tuple[list[SourceDialogue], Reading]:
    """Read a file or folder with a registered source called `src`."""
    reading = Reading()
    source = resolve("mldr.sources", kind)(SourceRecipe(type=kind, name="src", path=path.name, **entry), path.parent)
    return list(source.read(reading)), reading


def faults(reading: Reading) -> list[str]:
    """Return the faults as a person reads them, places cut to the file's name."""
    return [
        f"{Path(fault.place).name if '/' in fault.place else fault.place}: {fault.message}" for fault in reading.faults
    ]


def photochat(number: int = 0, **changed: Any) -> dict[str, Any]:
    """Return a PhotoChat dialogue of four messages, the third of which shares the photo."""
    said = [("hello", False, 0), ("look at my dog", False, 1), ("", True, 1), ("lovely", False, 0)]
    return {
        "dialogue": [{"message": text, "share_photo": shared, "user_id": user} for text, shared, user in said],
        "dialogue_id": number,
        "photo_description": "The photo has your friend Ann. Objects in the photo: Dog, Grass",
        "photo_url": f"https://photos.example/{number}.jpg",
        **changed,
    }


def dialogcc(number: int = 0, **changed: Any) -> dict[str, Any]:
    """Return a DialogCC dialogue of three utterances, the second of which has two aligned images."""
    shared = [{"image_url": f"https://cc.example/{number}{i}.jpg", "caption": f"a boat {i}"} for i in range(2)]
    said = [("I went out", "Ann", []), ("", "Ann", shared), ("nice boat", "Bob", [])]
    return {
        "dialogue_id": f"bst:{number}",
        "dialogue": [
            {
                "utterance_idx": i,
                "utterance": text,
                "speaker": who,
                "rationale": "none",
                "shared_image": images,
                "description": "",
            }
            for i, (text, who, images) in enumerate(said)
        ],
        "split": "train",
        **changed,
    }


def mmdialog(keys: tuple[str, ...] = ("-17", "23"), **changed: Any) -> dict[str, Any]:
    """Return an MMDialog conversation of three turns, the second of which carries the pictures."""
    second = [{"__TEXT__": "two of mine :smiling_face:"}, *({"__MEDIA__": key} for key in keys)]
    turns = [[{"__TEXT__": "show your skylines"}], second, [{"__TEXT__": "wow"}]]
    return {"conversation": [{"turn": turn} for turn in turns], "negative_candidate_media_keys": ["5"], **changed}
