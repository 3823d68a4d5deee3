"""What the annotators of a collection answered, and what stands after adjudication, as sets of ids that measures can compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mldr.annotation.collection import Collection
from mldr.annotation.labels import Asked, Put, query_key, read_asked, read_labels
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
    """Of the query that everybody was asked, be it by its text alone; else of the fragment."""
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
    repeated: Counter[str] = field(default_factory=Counter)
    """rater -> answers to a query that everybody was asked for which the rater gave a later one, under a name of their own."""


def read_judged(collection: Collection, annotators: Sequence[str]) -> Reading:
    """Return what some annotators and the adjudicator said of every dialogue of a collection.

    What `query_key` calls one query has one name: whoever wrote a query that everybody was asked later answers it as the others do.

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
            judged.by[annotator] = _finished(labels.fragments, annotator, judged, reading, path, faults)
            if labels.done:
                judged.done.add(annotator)
        path = collection.adjudicated(dialogue.dialogue_id)
        verdicts = read_verdicts(path)
        judged.by[ADJUDICATED] = _standing(verdicts, judged, reading, path, faults)
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
    said: Mapping[str, Put | Verdict], rater: str, judged: Judged, reading: Reading, path: Path, faults: Faults
) -> tuple[Given, ...]:
    """Return a rater's finished answers; of two to one query that everybody was asked, the later one, as a release takes it."""
    found: dict[tuple[str, str], Given] = {}
    for fragment, one in said.items():
        name = _name(fragment, one.query, judged)
        given = _given(fragment, one, rater, judged, reading, path, faults)
        if given is None:
            continue
        key = ("fragment", fragment) if name is None else ("asked", name)
        reading.repeated[rater] += key in found
        found[key] = given if name is None else replace(given, name=name)
    return tuple(found.values())


def _name(fragment: str, query: str, judged: Judged) -> str | None:
    """Return the name of the query that everybody was asked which this is, None if it is one of the rater's own."""
    kind, name = query_key(fragment, query, {asked.name: asked.text for asked in judged.asked})
    return name if kind == "asked" else None


def _standing(
    verdicts: Mapping[str, Verdict], judged: Judged, reading: Reading, path: Path, faults: Faults
) -> tuple[Given, ...]:
    kept = {}
    for name, verdict in verdicts.items():
        if verdict.basis == "dropped":
            judged.dropped.add(_name(name, verdict.query, judged) or name)
        else:
            kept[name] = verdict
    return _finished(kept, ADJUDICATED, judged, reading, path, faults)


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
    return Given(name, said.query, inside)


def _check(name: str, said: Put | Verdict, judged: Judged, path: Path, faults: Faults) -> None:
    place = f"{path}, fragment {name}"
    for what, ids, n in (
        ("utterance", said.utterance_ids, judged.n_utterances),
        ("image", said.image_ids, len(judged.images)),
    ):
        for one in ids:
            if not 0 <= one < n:
                faults.add(place, f"{what} {one} is not in the dialogue, which has {n}")
