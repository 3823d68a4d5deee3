"""The report's browser of single queries: worst first, with the dialogue as bubbles, within a budget of bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, Query, StoredImage
from mldr.eval.counts import CountTable
from mldr.eval.goldset import GoldSet
from mldr.eval.outcomes import Judged
from mldr.eval.ragged import Floats, Ints
from mldr.eval.report.words import WORDS, Language
from mldr.html import Marks, Markup, bubbles, tag, thumbnail_source

SHOWN = 120
"""Queries that the browser holds at most."""
TEXT_BUDGET = 6_000_000
PICTURE_BUDGET = 6_000_000
"""Bytes of markup and of pictures; with the tables the page stays well below 15 MB."""


@dataclass(slots=True)
class Pictures:
    """The thumbnails of a page, each once, by key; the page's script puts them where they belong."""

    sources: dict[str, str] = field(default_factory=dict)
    language: Language = "en"
    _bytes: int = 0
    _left_out: set[str] = field(default_factory=set)

    @property
    def left_out(self) -> int:
        """How many pictures the budget left out."""
        return len(self._left_out)

    def copy(self) -> Pictures:
        """Return the same pictures, to go on from or to drop."""
        return replace(self, sources=dict(self.sources), _left_out=set(self._left_out))

    def place(self, image: StoredImage, caption: str) -> Markup:
        """Return the place of an image, and take its thumbnail up while the budget lasts."""
        key = image.image_key
        if key not in self.sources and key not in self._left_out:
            source = thumbnail_source(image)
            if self._bytes + len(source) > PICTURE_BUDGET:
                self._left_out.add(key)
            elif source:
                self.sources[key] = source
                self._bytes += len(source)
        if key in self.sources:
            return tag("img", data_key=key, alt=caption)
        broken = image.status if image.content is None else "broken"
        why = WORDS[self.language]["left_out"] if key in self._left_out else broken
        return tag("span", f"[{why}] {caption}", class_="no-image")


@dataclass(slots=True)
class Browser:
    """What the page shows of single queries."""

    sections: list[Markup]
    outcomes: Counter[str]
    kinds: Counter[str]
    pictures: Pictures


def browse(
    dataset: Dataset, gold: GoldSet, judged: Judged, table: CountTable, language: Language, with_content: bool
) -> Browser:
    """Return the worst queries of a system.

    Args:
        dataset: for texts and pictures.
        gold: the queries.
        judged: what became of them.
        table: their counts, by which they are ordered.
        language: of the page's words.
        with_content: whether dialogues of real people are shown, too.
    """
    order, f1 = chosen(gold, judged, table), _mean_f1(table)
    rank = {int(position): place for place, position in enumerate(order)}
    browser = Browser([], Counter(), Counter(), Pictures(language=language))
    size = 0
    found = sorted(_wanted(dataset, gold, rank), key=lambda one: rank[one[0]])
    for position, dialogue, query in found:  # the worst first, so that they get pictures while the budget lasts
        pictures = browser.pictures.copy()
        section = _section(
            dataset, gold, judged, position, dialogue, query, float(f1[position]), language, with_content, pictures
        )
        length = len(section.html.encode("utf-8", "replace"))
        if size + length > TEXT_BUDGET:
            continue  # a shorter one may still fit
        size += length
        browser.pictures = pictures
        browser.sections.append(section)
        browser.outcomes[judged.name(position)] += 1
        browser.kinds[gold.kind(position)] += 1
    return browser


def chosen(gold: GoldSet, judged: Judged, table: CountTable) -> Ints:
    """Return the positions of the queries to show, the worst first: of each outcome and kind in turn, so that all are there."""
    groups: dict[tuple[int, str], list[int]] = {}
    kinds = gold.column("kind").to_pylist()
    for position in worst_first(gold, table).tolist():
        groups.setdefault((int(judged.outcome[position]), kinds[position]), []).append(position)
    taken: set[int] = set()
    for turn in range(SHOWN):
        for _, own in sorted(groups.items()):
            if turn < len(own) and len(taken) < SHOWN:
                taken.add(own[turn])
    return np.array([position for position in worst_first(gold, table).tolist() if position in taken], dtype=np.int64)


def worst_first(gold: GoldSet, table: CountTable) -> Ints:
    """Return the positions of all queries, by mean F1 of the two modalities, the worst first; of equals, some of each kind."""
    f1 = _mean_f1(table)
    kinds = np.asarray(gold.gold.column("kind").to_pylist())
    turn = np.zeros(len(f1), dtype=np.int64)
    for kind in np.unique(kinds):
        own = np.flatnonzero(kinds == kind)
        turn[own[np.argsort(f1[own], kind="stable")]] = np.arange(len(own))
    return np.lexsort((turn, f1)).astype(np.int64)


def _mean_f1(table: CountTable) -> Floats:
    total = table.column("utt.f1") + table.column("img.f1")
    defined = table.column("utt.defined") + table.column("img.defined")
    return np.divide(total, defined, out=np.zeros_like(total), where=defined > 0)


def _wanted(dataset: Dataset, gold: GoldSet, rank: Mapping[int, int]) -> Iterator[tuple[int, Dialogue, Query]]:
    ids = {gold.query_ids[position].as_py(): position for position in rank}
    for asked in dataset.asked(gold.split):
        for query in asked.queries:
            if query.query_id in ids:
                yield ids[query.query_id], asked.dialogue, query


def _section(
    dataset: Dataset,
    gold: GoldSet,
    judged: Judged,
    position: int,
    dialogue: Dialogue,
    query: Query,
    f1: float,
    language: Language,
    with_content: bool,
    pictures: Pictures,
) -> Markup:
    words = WORDS[language]
    outcome, kind = judged.name(position), gold.kind(position)
    private = dialogue.origin == "real" and not with_content
    wanted, given = gold.ids(position), (judged.utt.ids[position].tolist(), judged.img.ids[position].tolist())
    facts = f"{kind} · {outcome} · F1 {100 * f1:.1f}"
    summary = tag("summary", tag("b", query.query_id if private else query.text), tag("span", facts))
    ids = (
        f"{query.query_id} · {words['gold']}: {words['utterances']} {wanted[0]}, {words['images']} {wanted[1]}"
        f" · {words['answer']}: {words['utterances']} {given[0]}, {words['images']} {given[1]}"
    )
    body = [tag("p", ids, class_="sub")]
    if private:
        body.append(tag("p", words["withheld"], class_="sub"))
    else:
        marks = {name: words[name] for name in ("hit", "missed", "extra", "image")}
        images = {image.image_key: dataset.image_or_missing(image.image_key) for image in dialogue.images}
        utterances, shown = (Marks(set(wanted[side]), set(given[side])) for side in (0, 1))
        body.append(bubbles(dialogue, images, utterances, shown, words=marks, picture=pictures.place))
    attributes = {"data_outcome": outcome, "data_kind": kind, "class_": "query"}
    return tag("details", summary, *body, lang=dialogue.language, **attributes)
