"""Answers of a pretended model for the tests of harnesses: right ones, wrong ones, none, and hostile ones."""

from __future__ import annotations

import mldr
from mldr.answers import format_answer

KINDS = 7


def pretended(dataset: mldr.Dataset, split: str) -> dict[str, str]:
    """Return query_id -> a model's raw text, of several kinds in turn."""
    texts: dict[str, str] = {}
    position = 0
    for asked in dataset.asked(split):
        for query, gold in zip(asked.queries, asked.gold, strict=True):
            right = format_answer(gold.utterance_ids, gold.image_ids)
            texts[query.query_id] = [
                right,
                f"I looked at it. {right} That is all.",
                format_answer((*gold.utterance_ids, 0, 0, 1), ()),
                format_answer((), (999_999,)),
                "Sorry, I cannot say.",
                "",
                f"{format_answer((0,), ())}\n{right}",
            ][position % KINDS]
            position += 1
    return texts
