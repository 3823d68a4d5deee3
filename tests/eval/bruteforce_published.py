"""The counting of the published tables a second time, from its description in words: whole sets, one sample after another."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

OPEN = {"utt": "<|utt_ids_start|>", "img": "<|img_ids_start|>"}
CLOSE = {"utt": "<|utt_ids_end|>", "img": "<|img_ids_end|>"}
TAG = {"utt": ("<|utt_id_start|>", "<|utt_id_end|>"), "img": ("<|img_id_start|>", "<|img_id_end|>")}
DEFAULT = 20


def listed(text: str, modality: str) -> Any:
    """Return what the first list of a modality holds that begins and ends on one line, [] where that is no JSON."""
    start = text.find(OPEN[modality])
    while start >= 0:
        rest = text[start + len(OPEN[modality]) :].split("\n")[0]
        if CLOSE[modality] in rest:
            try:
                return json.loads(rest[: rest.index(CLOSE[modality])].strip())
            except json.JSONDecodeError:
                return []
        start = text.find(OPEN[modality], start + 1)
    return []


def largest_id(prompt: str, modality: str) -> int:
    """Return the largest id that a tag of the prompt names, 20 where there is none."""
    opening, closing = TAG[modality]
    pieces = [piece.split(closing)[0] for piece in prompt.split(opening)[1:] if closing in piece]
    return max((int(piece) for piece in pieces if piece.isdecimal()), default=DEFAULT)


def first_prompt(messages: Iterable[dict[str, str]]) -> str:
    return next((message["content"] for message in messages if message["role"] == "user"), "")


def published(documents: Iterable[dict[str, Any]]) -> dict[str, float]:
    """Return the global figures of samples as the published evaluator gives them, rounded to four digits."""
    sums = {"utt": [0, 0, 0, 0], "img": [0, 0, 0, 0]}
    for document in documents:
        if "labels" not in document or "response" not in document:
            continue
        prompt = first_prompt(document.get("messages", []))
        for modality in ("utt", "img"):
            try:
                gold = set(listed(document["labels"], modality))
                answer = set(listed(document["response"], modality))
            except TypeError:
                break  # what was counted before stays counted
            universe = set(range(largest_id(prompt, modality) + 1))
            counts = (len(gold & answer), len(answer - gold), len(gold - answer), len(universe - (gold | answer)))
            sums[modality] = [old + new for old, new in zip(sums[modality], counts, strict=True)]
    figures = {modality: figures_of(*counts) for modality, counts in sums.items()}
    utterances, images = figures["utt"], figures["img"]
    figures["joint"] = {
        **{name: harmonic(utterances[name], images[name]) for name in ("p", "r")},
        **{name: (utterances[name] + images[name]) / 2 for name in ("f1", "mcc")},
    }
    return {f"{scope}_{name}": round(value, 4) for scope, found in figures.items() for name, value in found.items()}


def figures_of(tp: int, fp: int, fn: int, tn: int) -> dict[str, float]:
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn) if tp + fn else 0.0
    root = math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    mcc = (tp * tn - fp * fn) / root if root else 0.0
    return {"p": precision, "r": recall, "f1": harmonic(precision, recall), "mcc": mcc}


def harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
