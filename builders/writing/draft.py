"""A draft: every answer of a model that one dialogue is made from. With it, making the dialogue asks no model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from mldr.builders.asking import Asking
from mldr.builders.writing.asker import Kept
from mldr.dialogue import LabelSource, Level, NegativeType
from mldr.files import parse_json, read_lines

_NEGATIVE = ("text", "level", "label_source", "label_model", "negative_type", "meta")
LINE_LIMIT = 1 << 30
"""Bytes of one draft."""


@dataclass(slots=True)
class Draft:
    """What models said for one row of the plan."""

    dialogue_id: str
    stitch: Kept | None = None
    """None: stitched by rule, or dropped."""
    dropped: bool = False
    """The dialogue is left out: no answer held, and the recipe (or a translation that it asks for) rules out the rule."""
    tags: Kept | None = None
    """`{"elements": [[element, coarse, fine], ...]}`, every tag shared or on one image; '' for none."""
    queries: dict[str, Kept] = field(default_factory=dict)
    """fragment_id -> `{"text": ...}`."""
    negatives: list[Asking] | None = None
    """Queries without an answer, checked; None: found by rule when the dialogue is made."""
    verdicts: dict[str, Kept] = field(default_factory=dict)
    """Text of a query -> `{"utterance_ids": [...], "image_ids": [...]}`, answered blind."""
    counts: dict[str, int] = field(default_factory=dict)
    """reason -> how often an answer was rejected, or something was given up."""
    usage: dict[str, list[int]] = field(default_factory=dict)
    """`<step>/<the recipe's name of the model>` -> answers, tokens in, tokens out; of questions that this dialogue alone asks."""
    shared: dict[str, list[Any]] = field(default_factory=dict)
    """Question -> `<step>/<name>`, tokens in, tokens out; other dialogues may ask the same, and it is paid once."""

    def to_json(self) -> str:
        """Return the draft as one line of JSON, the same for the same draft."""
        document = {
            "dialogue_id": self.dialogue_id,
            "stitch": _dump(self.stitch),
            "dropped": self.dropped,
            "tags": _dump(self.tags),
            "queries": {key: asdict(kept) for key, kept in self.queries.items()},
            "negatives": None if self.negatives is None else [_negative(asking) for asking in self.negatives],
            "verdicts": {key: asdict(kept) for key, kept in self.verdicts.items()},
            "counts": self.counts,
            "usage": self.usage,
            "shared": self.shared,
        }
        return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str | bytes) -> Draft:
        """Return the draft that `to_json` wrote."""
        document: dict[str, Any] = parse_json(line)
        negatives = document["negatives"]
        return cls(
            dialogue_id=document["dialogue_id"],
            stitch=_kept(document["stitch"]),
            dropped=document["dropped"],
            tags=_kept(document["tags"]),
            queries={key: Kept(**value) for key, value in document["queries"].items()},
            negatives=None if negatives is None else [_asking(one) for one in negatives],
            verdicts={key: Kept(**value) for key, value in document["verdicts"].items()},
            counts=document["counts"],
            usage=document["usage"],
            shared=document["shared"],
        )


def read_drafts(path: Path) -> Iterator[Draft]:
    """Yield the drafts of a file, one a line, in the order of its rows."""
    for _, line in read_lines(path, LINE_LIMIT):
        yield Draft.from_json(line)


def _dump(kept: Kept | None) -> dict[str, Any] | None:
    return None if kept is None else asdict(kept)


def _kept(document: Mapping[str, Any] | None) -> Kept | None:
    return None if document is None else Kept(**document)


def _negative(asking: Asking) -> dict[str, str]:
    return {name: getattr(asking, name) for name in _NEGATIVE}


def _asking(document: Mapping[str, str]) -> Asking:
    return Asking(
        text=document["text"],
        level=cast(Level, document["level"]),
        label_source=cast(LabelSource, document["label_source"]),
        label_model=document["label_model"],
        negative_type=cast(NegativeType, document["negative_type"]),
        meta=document["meta"],
    )
