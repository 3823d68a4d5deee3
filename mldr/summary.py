"""Statistics of a split: how many, how long, of which kinds; read once, as a stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

from mldr.dataset import Asked, Dataset
from mldr.dialogue import Dialogue, Gold
from mldr.errors import printable
from mldr.licences import UNKNOWN
from mldr.shards import read_batches

BIN, LAST_BIN = 5, 100
"""The histogram of utterances a dialogue counts by fives, and all from `LAST_BIN` on together."""


@dataclass(config=ConfigDict(extra="forbid"))
class Range:
    """Mean and extremes of a number; no model, since a number is added a million times."""

    count: int = 0
    total: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def add(self, value: float) -> None:
        """Take one value."""
        self.low = min(self.low, value) if self.count else value
        self.high = max(self.high, value) if self.count else value
        self.count += 1
        self.total += value

    @property
    def mean(self) -> float:
        """The mean, 0 of nothing."""
        return self.total / self.count if self.count else 0.0

    def __str__(self) -> str:
        return f"{self.mean:.2f} ({self.low:.4g} to {self.high:.4g})" if self.count else "-"


class SplitSummary(BaseModel):
    """What a split holds."""

    model_config = ConfigDict(extra="forbid")

    dialogues: int = 0
    clusters: int = 0
    languages: dict[str, int] = Field(default_factory=dict)
    """language -> dialogues."""
    utterances: Range = Field(default_factory=Range)
    """A dialogue."""
    turns: dict[str, int] = Field(default_factory=dict)
    """`15-19` -> dialogues of so many utterances, in ascending order, empty bins between them too."""
    textless: int = 0
    """Utterances without text, of all dialogues."""
    images: Range = Field(default_factory=Range)
    """A dialogue."""
    topics: Range = Field(default_factory=Range)
    """Fragments of level topic a dialogue."""
    queries: Range = Field(default_factory=Range)
    """A dialogue."""
    kinds: dict[str, int] = Field(default_factory=dict)
    """kind -> queries; empty where the gold is withheld."""
    levels: dict[str, int] = Field(default_factory=dict)
    negative_types: dict[str, int] = Field(default_factory=dict)
    label_sources: dict[str, int] = Field(default_factory=dict)
    verified: int = 0
    """Queries whose gold a second, blind answer agreed with."""
    query_length: Range = Field(default_factory=Range)
    """Characters a query."""
    gold_utterances: Range = Field(default_factory=Range)
    """Of the queries that have an answer."""
    gold_images: Range = Field(default_factory=Range)
    utterance_share: float = 0.0
    """Gold utterances / utterances with text, over all queries with an answer."""
    image_share: float = 0.0
    utterance_share_all: float = 0.0
    """The same over all queries, negatives too: what chance finds."""
    image_share_all: float = 0.0
    span: Range = Field(default_factory=Range)
    """(last - first) / utterances of the dialogue, where an utterance counts that is gold by its text or by an image that it
    carries: the papers' normalised span (IJCV 5.1.3), 0 to below 1. Of the queries that have an answer."""
    scattered: int = 0
    """Queries whose gold utterances are not one contiguous run (textless utterances do not break a run)."""
    scatter: Range = Field(default_factory=Range)
    """Of the utterances with text from the first gold one to the last, the share that is not gold; of the queries that have gold
    utterances."""
    fragment_length: dict[str, Range] = Field(default_factory=dict)
    """level -> utterances and images a fragment."""
    image_status: dict[str, int] = Field(default_factory=dict)
    """status -> stored images."""
    licences: dict[str, int] = Field(default_factory=dict)
    """licence -> dialogues and images under it."""


def summarise(dataset: Dataset, split: str) -> SplitSummary:
    """Return the statistics of a split.

    Raises:
        MldrError: if the tables do not fit one another.
    """
    summary = SplitSummary()
    clusters: set[str] = set()
    names = ("languages", "kinds", "levels", "negative_types", "label_sources", "image_status", "licences")
    counters: dict[str, Counter[str]] = {name: Counter() for name in names}
    universe: Counter[str] = Counter()
    bins: Counter[int] = Counter()
    for asked in dataset.asked(split):
        dialogue = asked.dialogue
        clusters.add(dialogue.cluster_id)
        counters["languages"][dialogue.language] += 1
        counters["licences"][_stated(dialogue.licence)] += 1
        summary.dialogues += 1
        bins[min(dialogue.n_utterances, LAST_BIN) // BIN] += 1
        summary.textless += len(dialogue.textless_ids)
        summary.utterances.add(dialogue.n_utterances)
        summary.images.add(dialogue.n_images)
        summary.queries.add(len(asked.queries))
        for query in asked.queries:
            summary.query_length.add(len(query.text))
        _add_gold(asked, summary, counters, universe)
    summary.turns = {_bin(number): bins[number] for number in range(min(bins, default=0), max(bins, default=-1) + 1)}
    _add_fragments(dataset, split, summary)
    for path in dataset.files("images", split):
        for batch in read_batches(path, ["status", "licence"]):
            counters["image_status"].update(batch.column("status").to_pylist())
            counters["licences"].update(map(_stated, batch.column("licence").to_pylist()))
    summary.clusters = len(clusters)
    for modality, gold in (("utterance", summary.gold_utterances), ("image", summary.gold_images)):
        setattr(summary, f"{modality}_share", _share(gold.total, universe[modality]))
        setattr(summary, f"{modality}_share_all", _share(gold.total, universe[f"{modality} of all"]))
    for name, counter in counters.items():
        setattr(summary, name, dict(sorted(counter.items())))
    return summary


def _stated(licence: str) -> str:
    return "not stated" if licence in ("", UNKNOWN) else licence


def _bin(number: int) -> str:
    low = number * BIN
    return f"{low}-{low + BIN - 1}" if low < LAST_BIN else f"{LAST_BIN} or more"


def _add_gold(asked: Asked, summary: SplitSummary, counters: dict[str, Counter[str]], universe: Counter[str]) -> None:
    dialogue = asked.dialogue
    n_texts = dialogue.n_utterances - len(dialogue.textless_ids)
    carrier = {image_id: i for i, utterance in enumerate(dialogue.utterances) for image_id in utterance.image_ids}
    for gold in asked.gold:
        counters["kinds"][gold.kind] += 1
        counters["levels"][gold.level] += 1
        counters["label_sources"][gold.label_source + (f" ({gold.label_model})" if gold.label_model else "")] += 1
        summary.verified += gold.verified
        universe["utterance of all"] += n_texts
        universe["image of all"] += dialogue.n_images
        if gold.kind == "negative":
            counters["negative_types"][gold.negative_type or "not stated"] += 1
            continue
        summary.gold_utterances.add(len(gold.utterance_ids))
        summary.gold_images.add(len(gold.image_ids))
        universe["utterance"] += n_texts
        universe["image"] += dialogue.n_images
        _add_spread(gold, dialogue, carrier, summary)


def _add_spread(gold: Gold, dialogue: Dialogue, carrier: dict[int, int], summary: SplitSummary) -> None:
    known = {i for i in gold.utterance_ids if 0 <= i < dialogue.n_utterances}  # others are for `verify` to name
    touched = known | {carrier[i] for i in gold.image_ids if i in carrier}
    if touched:
        summary.span.add((max(touched) - min(touched)) / dialogue.n_utterances)
    if known:
        between = _between(known, dialogue)
        summary.scattered += between > len(known)
        summary.scatter.add(_share(max(0, between - len(known)), between))


def _add_fragments(dataset: Dataset, split: str, summary: SplitSummary) -> None:
    topics: Counter[str] = Counter()
    lengths: dict[str, Range] = {}
    for path in dataset.files("fragments", split):
        for batch in read_batches(path, ["dialogue_id", "level", "utterance_ids", "image_ids"]):
            for row in batch.to_pylist():
                lengths.setdefault(row["level"], Range()).add(len(row["utterance_ids"]) + len(row["image_ids"]))
                topics[row["dialogue_id"]] += row["level"] == "topic"
    summary.fragment_length = dict(sorted(lengths.items()))
    for count in topics.values():
        if count:
            summary.topics.add(count)


def is_scattered(utterance_ids: tuple[int, ...], dialogue: Dialogue) -> bool:
    """Say whether some utterance with text lies between the gold ones without being gold."""
    known = {i for i in utterance_ids if 0 <= i < dialogue.n_utterances}
    return _between(known, dialogue) > len(known)


def _between(known: set[int], dialogue: Dialogue) -> int:
    """Return how many utterances with text stand from the first to the last of some, both counted."""
    return len(set(range(min(known), max(known) + 1)) - set(dialogue.textless_ids)) if known else 0


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


ROWS: tuple[tuple[str, str], ...] = (
    ("dialogues", "dialogues"),
    ("clusters", "clusters"),
    ("languages", "languages"),
    ("utterances", "utterances a dialogue"),
    ("turns", "dialogues by utterances"),
    ("textless", "utterances without text"),
    ("images", "images a dialogue"),
    ("topics", "topics a dialogue"),
    ("queries", "queries a dialogue"),
    ("kinds", "queries by kind"),
    ("levels", "queries by level"),
    ("negative_types", "negatives by type"),
    ("label_sources", "labels by"),
    ("verified", "labels that a second, blind answer agreed with"),
    ("query_length", "characters a query"),
    ("gold_utterances", "gold utterances an answerable query"),
    ("gold_images", "gold images an answerable query"),
    ("utterance_share", "share of utterances that are gold, answerable queries"),
    ("image_share", "share of images that are gold, answerable queries"),
    ("utterance_share_all", "share of utterances that are gold, all queries"),
    ("image_share_all", "share of images that are gold, all queries"),
    ("span", "normalised span of the gold"),
    ("scattered", "queries with scattered gold"),
    ("scatter", "share not gold between its first and last utterance"),
    ("fragment_length", "utterances and images a fragment"),
    ("image_status", "stored images"),
    ("licences", "licences of dialogues and images"),
)
"""Field and words of each statistic, in the order in which they are shown."""


_OF_GOLD = ("verified", "utterance_share", "image_share", "utterance_share_all", "image_share_all", "scattered")


def rows_of(summaries: Iterable[SplitSummary]) -> list[tuple[str, str]]:
    """Return the statistics to show of some splits: nothing is said of second answers where none agreed, or none was asked."""
    asked = any(summary.verified for summary in summaries)
    return [(field, words) for field, words in ROWS if field != "verified" or asked]


def shown(summary: SplitSummary, field: str) -> str:
    """Return a statistic in words; `-` where there is nothing to count, as where the gold is withheld."""
    value = getattr(summary, field)
    if field in _OF_GOLD and summary.dialogues and not summary.kinds:
        return "-"
    if isinstance(value, dict):
        counts = (f"{name} {count if isinstance(count, Range) else f'{count:,}'}" for name, count in value.items())
        return printable(", ".join(counts) or "-", 2_000)
    if isinstance(value, float):
        return f"{100 * value:.1f} %"
    return f"{value:,}" if isinstance(value, int) else str(value)
