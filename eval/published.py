"""The protocol of the published tables, quirks included, so that a number of the papers can be reproduced and compared.

It reads the authors' inference output (JSON Lines with `response`, `labels` and `messages`) and gives their global figures
for the same answers. Nothing else in mldr counts this way, and its figures never share a table with ours.

The quirks (F2RVLM's released evaluator, global function): the first list of each modality counts, on one line only; what
is no JSON is an empty answer; the universe runs to the largest id tag in the first user message, or to 20 where there is
none; utterances without text count; figures are rounded to four digits; a line without `labels` or `response` leaves the
denominator; an answer that is JSON and no list leaves the counts half-way.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mldr.errors import Faults, fault
from mldr.formats import format_line

if TYPE_CHECKING:
    from rich.table import Table

_LISTS = {
    "utt": re.compile(r"<\|utt_ids_start\|>(.*?)<\|utt_ids_end\|>"),
    "img": re.compile(r"<\|img_ids_start\|>(.*?)<\|img_ids_end\|>"),
}
_TAGS = {
    "utt": re.compile(r"<\|utt_id_start\|>(\d+)<\|utt_id_end\|>"),
    "img": re.compile(r"<\|img_id_start\|>(\d+)<\|img_id_end\|>"),
}
_DEFAULT_LARGEST = 20
_MOST_IDS = 10**12
"""A universe above it: no machine holds it, and the published evaluator builds it as a set."""
_DIGITS = 4

NOTES = {
    "skipped": "lines without labels or response, or not JSON: out of the denominator",
    "unread": "lists that are no JSON on one line: read as empty",
    "broken": "answers that are JSON and no list of ids: counted in part or not at all",
    "default_universe": "samples without id tags of a modality: their universe was taken as 21 ids",
    "outside": "ids outside the universe: false positives",
}


class PublishedScores(BaseModel):
    """The authors' global figures, and what happened on the way that they do not report."""

    model_config = ConfigDict(extra="forbid")

    format: str = Field(default_factory=lambda: format_line("published-scores"))
    protocol: Literal["published"] = "published"
    n_samples: int
    """As the authors count them: broken ones included, skipped ones not."""
    measures: dict[str, float]
    """`utt_p`, ..., `joint_mcc`: fractions rounded to four digits."""
    events: dict[str, int]
    """What happened, a key of `NOTES` each."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of the inference output."""

    place: str
    gold: dict[str, Any]
    """modality -> what its list holds; a list of ids where all is well."""
    answer: dict[str, Any]
    largest: dict[str, int]
    """modality -> the largest id of its universe."""
    prompt: str
    """The first user message."""
    image_paths: tuple[str, ...]
    """In the order of image ids."""


def read_samples(path: Path) -> tuple[list[Sample], Counter[str]]:
    """Return the samples of an inference file, and what happened while reading.

    Raises:
        InputError: at each line on which the authors' evaluator stops altogether.
    """
    samples: list[Sample] = []
    events: Counter[str] = Counter()
    faults = Faults()
    for number, line in _lines(path):
        place = f"{path}, line {number}"
        try:
            samples.append(_sample(json.loads(line), place, events))
        except (json.JSONDecodeError, KeyError):
            events["skipped"] += bool(line.strip())
        except (TypeError, AttributeError, ValueError, RecursionError) as error:
            faults.add(place, f"the published evaluator stops at this line ({type(error).__name__}: {error})")
    if not samples and not faults:
        faults.add(str(path), "holds no sample with labels and response")
    faults.check()
    return samples, events


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as stream:
            yield from enumerate(stream, 1)
    except UnicodeDecodeError as error:
        raise fault(f"{path}, line {_bad_line(path)}", f"not UTF-8 text ({error.reason})") from error


def _bad_line(path: Path) -> int:
    """Return the line of the first byte that is no UTF-8; text is decoded in blocks, far ahead of its lines."""
    content = path.read_bytes()
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
    return 1


def _sample(document: Any, place: str, events: Counter[str]) -> Sample:
    gold, answer = (_lists(document[key], events) for key in ("labels", "response"))
    prompt, tagged = "", False
    for message in document.get("messages", []):
        if message.get("role") == "user":
            prompt, tagged = message.get("content", ""), True
            break
    largest = {}
    for modality, pattern in _TAGS.items():
        ids = [int(digits) for digits in pattern.findall(prompt)] if tagged else []
        events["default_universe"] += not ids
        largest[modality] = max(ids, default=_DEFAULT_LARGEST)
        if largest[modality] > _MOST_IDS:
            raise ValueError("an id tag beyond any universe")
    return Sample(place, gold, answer, largest, prompt, _image_paths(document.get("images")))


def _image_paths(images: Any) -> tuple[str, ...]:
    """Return the paths of a sample's images, '' for what is none; the published figures do not depend on them."""
    found = images if isinstance(images, list) else []
    paths = [image.get("path") if isinstance(image, dict) else image for image in found]
    return tuple(path if isinstance(path, str) else "" for path in paths)


def _lists(text: str, events: Counter[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for modality, pattern in _LISTS.items():
        match = pattern.search(text)
        try:
            found[modality] = json.loads(match[1].strip()) if match else []
        except json.JSONDecodeError:
            found[modality] = []
            events["unread"] += 1
    return found


def score_published(path: Path) -> PublishedScores:
    """Return the authors' global figures of an inference file.

    Raises:
        InputError: at each line on which the authors' evaluator stops altogether.
    """
    samples, events = read_samples(path)
    sums = {modality: Counter[str]() for modality in _LISTS}
    for sample in samples:
        try:
            for modality, counts in _counted(sample, events):
                sums[modality].update(counts)
        except TypeError:
            events["broken"] += 1
    measures: dict[str, float] = {}
    exact = {modality: _figures(counts) for modality, counts in sums.items()}
    utterances, images = exact["utt"], exact["img"]
    exact["joint"] = {
        "p": _harmonic(utterances["p"], images["p"]),
        "r": _harmonic(utterances["r"], images["r"]),
        "f1": (utterances["f1"] + images["f1"]) / 2,
        "mcc": (utterances["mcc"] + images["mcc"]) / 2,
    }
    for scope, figures in exact.items():
        measures.update({f"{scope}_{name}": round(value, _DIGITS) for name, value in figures.items()})
    return PublishedScores(n_samples=len(samples), measures=measures, events={name: events[name] for name in NOTES})


def _counted(sample: Sample, events: Counter[str]) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield the counts of each modality; a TypeError at what cannot be made a set leaves the later ones out."""
    for modality in ("utt", "img"):
        gold, answer = set(sample.gold[modality]), set(sample.answer[modality])
        size = sample.largest[modality] + 1
        outside = sum(not _is_inside(identifier, size) for identifier in answer)
        events["outside"] += outside
        inside = sum(_is_inside(identifier, size) for identifier in gold | answer)
        yield (
            modality,
            {"tp": len(gold & answer), "fp": len(answer - gold), "fn": len(gold - answer), "tn": size - inside},
        )


def _is_inside(identifier: Any, size: int) -> bool:
    """Say whether an element equals an integer of range(size), as sets compare: 3.0 and True do, "3" does not."""
    return isinstance(identifier, (int, float)) and identifier == identifier // 1 and 0 <= identifier < size


def _figures(counts: Counter[str]) -> dict[str, float]:
    tp, fp, fn, tn = (counts[name] for name in ("tp", "fp", "fn", "tn"))
    p = tp / (tp + fp) if tp + fp else 0.0
    r = tp / (tp + fn) if tp + fn else 0.0
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return {
        "p": p,
        "r": r,
        "f1": 2 * p * r / (p + r) if p + r > 0 else 0.0,
        "mcc": (tp * tn - fp * fn) / product**0.5 if product > 0 else 0.0,
    }


def _harmonic(first: float, second: float) -> float:
    return 2 * first * second / (first + second) if first + second > 0 else 0.0


def published_table(scores: PublishedScores) -> Table:
    """Return the figures for a terminal; their table is their own."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    title = f"protocol published, {scores.n_samples:,} samples; percent"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for words in ("", "P", "R", "F1", "MCC"):
        table.add_column(words, justify="right" if words else "left")
    for scope in ("utt", "img", "joint"):
        table.add_row(scope, *(f"{100 * scores.measures[f'{scope}_{f}']:.2f}" for f in ("p", "r", "f1", "mcc")))
    return table
