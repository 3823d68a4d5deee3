"""Plug-ins in files of their own, and views made by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mldr.retrievers import Ask, DialogueView, Retriever, ViewImage, ViewUtterance

_numbers = count()


def plug_in(source: Path, folder: Path, patch: pytest.MonkeyPatch) -> str:
    """Copy a module of plug-ins into `folder` under a name of its own, let it be found, and return that name."""
    folder.mkdir(exist_ok=True)
    name = f"{source.stem}_{next(_numbers)}"
    shutil.copyfile(source, folder / f"{name}.py")
    patch.syspath_prepend(str(folder))
    return name


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def steady(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a predictions file without the seconds that they took."""
    return [{name: value for name, value in row.items() if name != "latency_s"} for row in rows_of(path)]


def view(*texts: str, images: Sequence[tuple[int, str]] = (), language: str = "en") -> DialogueView:
    """Return a dialogue as systems see it; `images` = (the utterance that carries it, its caption)."""
    utterances = tuple(
        ViewUtterance("user1", text, tuple(n for n, (carrier, _) in enumerate(images) if carrier == position))
        for position, text in enumerate(texts)
    )
    return DialogueView(language, utterances, tuple(ViewImage(caption) for _, caption in images))


def answer(retriever: Retriever, seen: DialogueView, query: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids that a system gives for one query."""
    (prediction,) = retriever.retrieve(seen, [Ask("q", query, seen.language)])
    assert prediction.utterance_ids is not None
    assert prediction.image_ids is not None
    return prediction.utterance_ids, prediction.image_ids


def asked(*texts: str, language: str = "en") -> list[Ask]:
    """Return queries; each one's id is its text."""
    return [Ask(text, text, language) for text in texts]
