"""The agreement of a collection's annotators, before adjudication and against it: from logs to `mldr/agreement@1`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from mldr.annotation.agreement.answers import Answer, Item
from mldr.annotation.agreement.identity import Row, aligned
from mldr.annotation.agreement.matching import f1, matched
from mldr.annotation.agreement.measures import figures, interval_note
from mldr.annotation.agreement.models import MODALITIES, Agreement, Compared, Figures, Matched, Modality, Value
from mldr.annotation.agreement.reading import ADJUDICATED, Judged, read_judged
from mldr.annotation.collection import Collection
from mldr.errors import MldrError
from mldr.statistics import MIN_CLUSTERS, RESAMPLES, Floats, bootstrap

_NOTHING: dict[Modality, str] = {
    "utterances": "no query was answered by two",
    "images": "no query about a dialogue with images was answered by two",
    "joint": "no query was answered by two",
}


def agreement_of(
    collection: Collection, annotators: Sequence[str], *, resamples: int = RESAMPLES, seed: int = 0
) -> Agreement:
    """Return how far annotators agree about a collection.

    Queries are the same if all were asked them; else by their text; what is left of two annotators who are both done with a
    dialogue is matched by what it holds, and reported apart, since a match made by overlap is no chance-corrected agreement.

    Args:
        collection: with their logs.
        annotators: at least two, each once.
        resamples: of the bootstrap over original chats; 0 for no intervals.
        seed: of the bootstrap.

    Raises:
        MldrError: if there are fewer than two annotators, or one of them labelled nothing.
        InputError: with every malformed line of a log and every id that its dialogue does not have.
    """
    _check(collection, annotators)
    reading = read_judged(collection, annotators)
    by_two = [_compared(reading.dialogues, pair, resamples, seed) for pair in combinations(annotators, 2)]
    overall = by_two[0]
    if len(annotators) > 2:
        overall = _compared(reading.dialogues, tuple(annotators), resamples, seed)
    given = {
        id(asked): _is_answered(judged, asked.name, annotators)
        for judged in reading.dialogues
        for asked in judged.asked
    }
    standing = sum(len(judged.by[ADJUDICATED]) for judged in reading.dialogues)
    against = [_compared(reading.dialogues, (one, ADJUDICATED), resamples, seed) for one in annotators if standing]
    return Agreement(
        annotators=tuple(annotators),
        dialogues=len(reading.dialogues),
        asked=len(given),
        unanswered=len(given) - sum(given.values()),
        unfinished=_counts(reading.unfinished),
        textless=_counts(reading.textless),
        repeated=_counts(reading.repeated),
        overall=overall,
        pairs=by_two,
        adjudicated=against,
        adjudicated_queries=standing,
        dropped=sum(len(judged.dropped) for judged in reading.dialogues),
        resamples=resamples,
        seed=seed,
    )


def _check(collection: Collection, annotators: Sequence[str]) -> None:
    if len(annotators) < 2 or len(set(annotators)) < len(annotators):
        raise MldrError("agreement needs two annotators or more, each named once")
    known = collection.annotators()
    for annotator in annotators:
        if annotator not in known:
            raise MldrError(f"annotator {annotator!r} labelled nothing here; known are {', '.join(known) or 'none'}")


def _is_answered(judged: Judged, name: str, annotators: Sequence[str]) -> bool:
    return any(judged.answer(annotator, name) is not None for annotator in annotators)


def _counts(counted: Counter[str]) -> dict[str, int]:
    return {name: count for name, count in sorted(counted.items()) if count}


def _compared(dialogues: Sequence[Judged], raters: tuple[str, ...], resamples: int, seed: int) -> Compared:
    """Return how far some raters agree over all dialogues."""
    items: dict[Modality, list[Item]] = {modality: [] for modality in MODALITIES}
    only: Counter[str] = Counter(dict.fromkeys(raters, 0))
    shared = 0
    for judged in dialogues:
        rows, _ = aligned([judged.by[rater] for rater in raters], [asked.name for asked in judged.asked])
        for row in rows:
            answered = [rater for rater, given in zip(raters, row, strict=True) if given is not None]
            shared += len(answered) >= 2
            if len(answered) == 1:
                only[answered[0]] += 1
            for modality in MODALITIES:
                items[modality].append(_item(judged, row, modality))
    of: dict[Modality, Figures] = {
        modality: figures(own, len(raters), nothing=_NOTHING[modality], resamples=resamples, seed=seed)
        for modality, own in items.items()
    }
    return Compared(
        annotators=raters,
        shared=shared,
        only=dict(only),
        of=of,
        own=_own(dialogues, raters, resamples, seed),
        interval_note=interval_note(of["joint"].n_clusters, resamples) if shared else "",
    )


def _universe(judged: Judged, modality: Modality) -> frozenset[int]:
    return {"utterances": judged.texts, "images": judged.images, "joint": judged.texts | judged.images}[modality]


def _item(judged: Judged, row: Row, modality: Modality) -> Item:
    universe = _universe(judged, modality)
    answers: list[Answer] = [None if given is None else given.ids & universe for given in row]
    return Item(judged.cluster, universe, tuple(answers))


def _own(dialogues: Sequence[Judged], raters: tuple[str, ...], resamples: int, seed: int) -> Matched | None:
    """Return how far fragments that no common query names agree, over all pairs of raters."""
    values: dict[Modality, list[tuple[str, float]]] = {modality: [] for modality in MODALITIES}
    single: Counter[str] = Counter(dict.fromkeys(raters, 0))
    looked = met = 0
    for pair in combinations(raters, 2):
        for judged in dialogues:
            if not judged.done >= set(pair):
                continue
            looked += 1
            _, rest = aligned([judged.by[rater] for rater in pair], [asked.name for asked in judged.asked])
            found = _paired([given.ids for given in rest[0]], [given.ids for given in rest[1]])
            for one, other in found:
                met += one is not None and other is not None
                single[pair[0]] += other is None
                single[pair[1]] += one is None
            for modality in MODALITIES:
                values[modality] += [(judged.cluster, value) for value in _f1s(found, _universe(judged, modality))]
    if not met + single.total():
        return None
    means = {modality: _mean(own, resamples, seed) for modality, own in values.items()}
    return Matched(dialogues=looked, matched=met, single=dict(single), f1=means)


def _paired(first: Sequence[frozenset[int]], second: Sequence[frozenset[int]]) -> list[tuple[Answer, Answer]]:
    """Return the matched pairs, then each fragment alone with None for the other side."""
    pairs = matched(first, second)
    left = set(range(len(first))) - {a for a, _ in pairs}
    right = set(range(len(second))) - {b for _, b in pairs}
    return [
        *((first[a], second[b]) for a, b in pairs),
        *((first[a], None) for a in sorted(left)),
        *((None, second[b]) for b in sorted(right)),
    ]


def _f1s(found: Sequence[tuple[Answer, Answer]], universe: frozenset[int]) -> list[float]:
    """Return the F1 of each pair, 0 for a fragment alone; those without anything of the universe are left out."""
    values = []
    for one, other in found:
        if ((one or frozenset()) | (other or frozenset())) & universe:
            values.append(0.0 if one is None or other is None else f1(one & universe, other & universe))
    return values


def _mean(values: Sequence[tuple[str, float]], resamples: int, seed: int) -> Value:
    if not values:
        return Value(reason="no fragment has any")
    names = {name: position for position, name in enumerate(sorted({cluster for cluster, _ in values}))}
    sums = np.zeros((len(names), 2))
    for cluster, value in values:
        sums[names[cluster]] += (value, 1.0)

    def mean(totals: Floats) -> Floats:
        return totals[:, :1] / totals[:, 1:]

    value = float(mean(sums.sum(axis=0, keepdims=True))[0, 0])
    if len(names) < MIN_CLUSTERS or not resamples:
        return Value(value=value)
    boot = bootstrap(sums, mean, resamples, seed)
    return Value(value=value, low=max(0.0, float(boot.low[0])), high=min(1.0, float(boot.high[0])))
