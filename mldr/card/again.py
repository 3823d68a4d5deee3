"""A card written anew for a copy of a dataset, with the measured sections that are as true of the copy as of the original."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mldr.card.compose import compose
from mldr.card.release import card
from mldr.dataset import Dataset
from mldr.summary import summarise

CARRIED = ("Beside the papers", "What a system gets without reading")
"""Of the dialogues, queries and gold alone, which a copy shares with its original."""
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def recomposed(dataset: Dataset, original: str, section: str) -> str:
    """Return the README of a copy: statistics and terms are its own.

    Args:
        dataset: the copy, written, with its manifest.
        original: the card of the original.
        section: what was done, in Markdown; it stands last.

    Raises:
        MldrError: if a table cannot be read.
    """
    if dataset.manifest.release is not None:
        return f"{card(dataset)}\n{section}"
    summaries = {split: summarise(dataset, split) for split in dataset.splits}
    notice = dataset.manifest.notice or str(dataset.manifest.recipe.get("notice", ""))
    return f"{compose(dataset, summaries, notice, list(_carried(original)))}\n{section}"


def _carried(original: str) -> Iterator[str]:
    headings = list(_HEADING.finditer(original))
    ends = [*(heading.start() for heading in headings[1:]), len(original)][: len(headings)]
    for heading, end in zip(headings, ends, strict=True):
        if heading[1] in CARRIED:
            yield original[heading.start() : end].rstrip() + "\n"
