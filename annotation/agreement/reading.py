"""What the annotators of a collection answered, and what stands after adjudication, as sets of ids that measures can compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mldr.annotation.collection import Collection
from mldr.annotation.labels import Asked, Labels, Put, query_key, read_asked, read_labels
from mldr.annotation.verdicts import Verdict, read_verdicts
from mldr.dialogue import Dialogue
from mldr.errors import Faults

ADJUDICATED = "(adjudicated)"
"""Stands for the adjudicator among raters; no annotator can be called so."""


def coded(utterance_ids: Iterable[int], image_ids: Iterable[int]) -> frozenset[int]:
    """Return the ids of both kinds as one set: an image as -1 - id."""
    return frozenset(utterance_ids) | {-1 - image_id for image_id in image_ids}


@dataclass(frozen=True, slots=True)
class Given:
    """A finished answer: a fragment, or the statement that there is none."""

    name: str
    query: str
    ids: frozenset[int]
    """As `coded` has them; without utterances that have no text."""


@dataclass(slots=True)
class Judged:
    """A dialogue with all that was said of it."""

    dialogue_id: str
    cluster: str
    n_utterances: int
    texts: frozenset[int]
    """The universe of utterances."""
    images: frozenset[int]
    """The universe of images, coded."""
    asked: tuple[Asked, ...]
    by: dict[str, tuple[Given, ...]] = field(default_factory=dict)
    """rater -> finished answers."""
    done: set[str] = field(default_factory=set)
    """Raters who are done with the dialogue."""
    dropped: set[str] = field(default_factory=set)
    """Names of the queries that the adjudicator left out."""

    def answer(self, rater: str, name: str) -> Given | None:
        """Return a rater's finished answer of a name, None where there is none."""
        return next((given for given in self.by[rater] if given.name == name), None)


@dataclass(slots=True)
class Reading:
    """A collection as agreement sees it."""

    dialogues: list[Judged] = field(default_factory=list)
    unfinished: Counter[str] = field(default_factory=Counter)
    """rater -> fragments without an answer."""
    textless: Counter[str] = field(default_factory=Counter)
    """rater -> ids of utterances without text, which are ignored."""


def read_judged(collection: Collection, annotators: Sequence[str]) -> Reading:
    """Return what some annotators and the adjudicator said of every dialogue of a collection.

    Raises:
        InputError: with every malformed line, and every id that its dialogue does not have.
        MldrError: if a dialogue cannot be read.
    """
    reading, faults = Reading(), Faults()
    for collected in collection:
        dialogue = collected.dialogue
        judged = _empty(dialogue, read_asked(collection.queries(dialogue.dialogue_id)))
        for annotator in annotators:
            path = collection.labels(annotator, dialogue.dialogue_id)
            labels = read_labels(path)
            judged.by[annotator] = tuple(_finished(labels, annotator, judged, reading, path, faults))
            if labels.done:
                judged.done.add(annotator)
        path = collection.adjudicated(dialogue.dialogue_id)
        verdicts = read_verdicts(path)
        judged.by[ADJUDICATED] = tuple(_standing(verdicts, judged, reading, path, faults))
        if verdicts:
            judged.done.add(ADJUDICATED)
        reading.dialogues.append(judged)
    faults.check()
    return reading


def _empty(dialogue: Dialogue, asked: Sequence[Asked]) -> Judged:
    texts = frozenset(range(dialogue.n_utterances)) - frozenset(dialogue.textless_ids)
    images = coded((), range(dialogue.n_images))
    return Judged(dialogue.dialogue_id, dialogue.cluster_id, dialogue.n_utterances, texts, images, tuple(asked))


def _finished(
    labels: Labels, annotator: str, judged: Judged, reading: Reading, path: Path, faults: Faults
) -> Iterable[Given]:
    for name, put in labels.fragments.items():
        given = _given(name, put, annotator, judged, reading, path, faults)
        if given is not None:
            yield given


def _standing(
    verdicts: dict[str, Verdict], judged: Judged, reading: Reading, path: Path, faults: Faults
) -> Iterable[Given]:
    for name, verdict in verdicts.items():
        if verdict.basis == "dropped":
            judged.dropped.add(_query_name(name, verdict, judged))
            continue
        given = _given(name, verdict, ADJUDICATED, judged, reading, path, faults)
        if given is not None:
            yield given


def _given(
    name: str, said: Put | Verdict, rater: str, judged: Judged, reading: Reading, path: Path, faults: Faults
) -> Given | None:
    """Return an answer; None for one that is not finished: empty and no negative, or a negative that holds something."""
    chosen = coded(said.utterance_ids, said.image_ids)
    _check(name, said, judged, path, faults)
    if bool(chosen) == said.negative:
        reading.unfinished[rater] += 1
        return None
    inside = chosen & (judged.texts | judged.images)
    reading.textless[rater] += len(chosen) - len(inside)
    return Given(_query_name(name, said, judged), said.query, inside)


def _query_name(name: str, said: Put | Verdict, judged: Judged) -> str:
    """Return the name of the query: that of the asked one for whoever wrote it first, under a name of their own."""
    kind, key = query_key(name, said.query, {query.name: query.text for query in judged.asked})
    return key if kind == "asked" else name


def _check(name: str, said: Put | Verdict, judged: Judged, path: Path, faults: Faults) -> None:
    place = f"{path}, fragment {name}"
    for what, ids, n in (
        ("utterance", said.utterance_ids, judged.n_utterances),
        ("image", said.image_ids, len(judged.images)),
    ):
        for one in ids:
            if not 0 <= one < n:
                faults.add(place, f"{what} {one} is not in the dialogue, which has {n}")
