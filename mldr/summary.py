"""Statistics of a split: how many, how long, of which kinds; read once, as a stream."""

from __future__ import annotations

from collections import Counter

from pydantic import BaseModel, ConfigDict, Field

from mldr.dataset import Asked, Dataset
from mldr.dialogue import Dialogue
from mldr.errors import printable


class Range(BaseModel):
    """Mean and extremes of a number."""

    model_config = ConfigDict(extra="forbid")

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
        return f"{self.mean:.2f} ({self.low:g} to {self.high:g})"


class SplitSummary(BaseModel):
    """What a split holds."""

    model_config = ConfigDict(extra="forbid")

    dialogues: int = 0
    clusters: int = 0
    languages: dict[str, int] = Field(default_factory=dict)
    """language -> dialogues."""
    utterances: Range = Field(default_factory=Range)
    """A dialogue."""
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
    label_sources: dict[str, int] = Field(default_factory=dict)
    gold_utterances: Range = Field(default_factory=Range)
    """Of the queries that have an answer."""
    gold_images: Range = Field(default_factory=Range)
    utterance_share: float = 0.0
    """Gold utterances / utterances with text, over all queries with an answer."""
    image_share: float = 0.0
    scattered: int = 0
    """Queries whose gold utterances are not one contiguous run (textless utterances do not break a run)."""
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
    counters: dict[str, Counter[str]] = {
        name: Counter() for name in ("languages", "kinds", "levels", "label_sources", "image_status", "licences")
    }
    universe: Counter[str] = Counter()
    for asked in dataset.asked(split):
        dialogue = asked.dialogue
        clusters.add(dialogue.cluster_id)
        counters["languages"][dialogue.language] += 1
        counters["licences"][dialogue.licence or "not stated"] += 1
        summary.dialogues += 1
        summary.textless += len(dialogue.textless_ids)
        summary.utterances.add(dialogue.n_utterances)
        summary.images.add(dialogue.n_images)
        summary.queries.add(len(asked.queries))
        _add_gold(asked, summary, counters, universe)
    topics = Counter(f.dialogue_id for f in dataset.fragments(split) if f.level == "topic")
    for count in topics.values():
        summary.topics.add(count)
    for row in dataset.arrow("images", split, ["status", "licence"]).to_pylist():
        counters["image_status"][row["status"]] += 1
        counters["licences"][row["licence"] or "not stated"] += 1
    summary.clusters = len(clusters)
    summary.utterance_share = _share(summary.gold_utterances.total, universe["utterances"])
    summary.image_share = _share(summary.gold_images.total, universe["images"])
    for name, counter in counters.items():
        setattr(summary, name, dict(sorted(counter.items())))
    return summary


def _add_gold(asked: Asked, summary: SplitSummary, counters: dict[str, Counter[str]], universe: Counter[str]) -> None:
    dialogue = asked.dialogue
    for gold in asked.gold:
        counters["kinds"][gold.kind] += 1
        counters["levels"][gold.level] += 1
        counters["label_sources"][gold.label_source + (f" ({gold.label_model})" if gold.label_model else "")] += 1
        if gold.kind == "negative":
            continue
        summary.gold_utterances.add(len(gold.utterance_ids))
        summary.gold_images.add(len(gold.image_ids))
        summary.scattered += is_scattered(gold.utterance_ids, dialogue)
        universe["utterances"] += dialogue.n_utterances - len(dialogue.textless_ids)
        universe["images"] += dialogue.n_images


def is_scattered(utterance_ids: tuple[int, ...], dialogue: Dialogue) -> bool:
    """Say whether some utterance with text lies between the gold ones without being gold."""
    known = [i for i in utterance_ids if 0 <= i < dialogue.n_utterances]  # others are for `verify` to name
    if not known:
        return False
    between = range(min(known), max(known) + 1)
    return len(set(between) - set(dialogue.textless_ids)) > len(set(known))


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


ROWS: tuple[tuple[str, str], ...] = (
    ("dialogues", "dialogues"),
    ("clusters", "clusters"),
    ("languages", "languages"),
    ("utterances", "utterances a dialogue"),
    ("textless", "utterances without text"),
    ("images", "images a dialogue"),
    ("topics", "topics a dialogue"),
    ("queries", "queries a dialogue"),
    ("kinds", "queries by kind"),
    ("levels", "queries by level"),
    ("label_sources", "labels by"),
    ("gold_utterances", "gold utterances an answerable query"),
    ("gold_images", "gold images an answerable query"),
    ("utterance_share", "share of utterances that are gold"),
    ("image_share", "share of images that are gold"),
    ("scattered", "queries with scattered gold"),
    ("image_status", "stored images"),
    ("licences", "licences of dialogues and images"),
)
"""Field and words of each statistic, in the order in which they are shown."""


def shown(summary: SplitSummary, field: str) -> str:
    """Return a statistic in words."""
    value = getattr(summary, field)
    if isinstance(value, dict):
        return printable(", ".join(f"{name} {count:,}" for name, count in value.items()) or "-", 2_000)
    if isinstance(value, float):
        return f"{100 * value:.1f} %"
    return f"{value:,}" if isinstance(value, int) else str(value)
