"""From what annotators and adjudicators said of a dialogue to the queries and answers that a release holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mldr.annotation.collection import Collection
from mldr.annotation.labels import Labels, Put, query_key, read_asked, read_labels
from mldr.annotation.verdicts import Verdict, read_verdicts
from mldr.dialogue import Annotation, Dialogue, Fragment, Gold, Level, Query
from mldr.files import canonical_json
from mldr.identity import fragment_id, query_ids


@dataclass(frozen=True, slots=True)
class Answer:
    """A query with the answer that stands, in the ids of a collected dialogue."""

    query: str
    level: Level
    utterance_ids: tuple[int, ...]
    image_ids: tuple[int, ...]
    verified: bool
    """Whether a person decided on it, or all who answered said the same."""
    annotations: tuple[Annotation, ...]


def pseudonyms(collection: Collection) -> dict[str, str]:
    """Return annotator -> A1, A2, ... in alphabetical order: what a release calls them."""
    return {name: f"A{number}" for number, name in enumerate(collection.annotators(), 1)}


def answers(collection: Collection, dialogue_id: str, single: str, counts: Counter[str]) -> list[Answer]:
    """Return the answers of a dialogue that may be released.

    Args:
        collection: with its logs.
        dialogue_id: of the dialogue.
        single: an annotator whose answers are taken where nobody adjudicated; '' for none.
        counts: takes why queries are left out.
    """
    names = pseudonyms(collection)
    asked = {query.name: query.text for query in read_asked(collection.queries(dialogue_id))}
    logs = {name: read_labels(collection.labels(name, dialogue_id)) for name in names}
    said = {name: _said(log, asked) for name, log in logs.items()}
    verdicts = {
        query_key(verdict.name, verdict.query, asked): verdict
        for verdict in read_verdicts(collection.adjudicated(dialogue_id)).values()
    }
    found = []
    for identity in dict.fromkeys([*verdicts, *(identity for own in said.values() for identity in own)]):
        told = {names[name]: own[identity] for name, own in said.items() if identity in own}
        verdict = verdicts.get(identity)
        statement = verdict or said.get(single, {}).get(identity)
        text = asked.get(identity[1], "") if identity[0] == "asked" else identity[1]
        if problem := _problem(statement, verdict, text):
            counts[problem] += 1
        elif statement is not None:
            by_people = verdict is not None and (verdict.by != "rule" or verdict.basis == "agreed")
            found.append(_answer(text, statement, by_people, told))
    return found


def _said(log: Labels, asked: Mapping[str, str]) -> dict[tuple[str, str], Put]:
    """Return query -> the newest answer; one that is not finished never hides one that is."""
    found: dict[tuple[str, str], Put] = {}
    for put in log.fragments.values():
        key = query_key(put.fragment, put.query, asked)
        if key not in found or put.negative or put.utterance_ids or put.image_ids:
            found[key] = put
    return found


def _problem(statement: Put | Verdict | None, verdict: Verdict | None, text: str) -> str:
    if verdict is not None and verdict.basis == "dropped":
        return "dropped by the adjudicator"
    if statement is None:
        return "nobody adjudicated it"
    if not text:
        return "no query was written"
    if not statement.utterance_ids and not statement.image_ids and not statement.negative:
        return "empty, and nobody said that nothing answers it"
    return ""


def _answer(text: str, statement: Verdict | Put, verified: bool, told: Mapping[str, Put]) -> Answer:
    annotations = tuple(
        Annotation(name, tuple(sorted(set(put.utterance_ids))), tuple(sorted(set(put.image_ids))))
        for name, put in sorted(told.items())
    )
    ids: tuple[tuple[int, ...], tuple[int, ...]] = (statement.utterance_ids, statement.image_ids)
    if statement.negative:
        ids = ((), ())
    utterance_ids, image_ids = (tuple(sorted(set(part))) for part in ids)
    return Answer(text, statement.level, utterance_ids, image_ids, verified, annotations)


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the ids of a collected dialogue are in the released one; None where they are gone."""

    utterances: Mapping[int, int | None]
    images: Mapping[int, int | None]

    def ids(self, answer: Answer | Annotation, dialogue: Dialogue) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the ids of an answer in the released dialogue; utterances without text are no part of an answer."""
        textless = set(dialogue.textless_ids)
        utterances = {self.utterances.get(i) for i in answer.utterance_ids} - {None} - textless
        images = {self.images.get(i) for i in answer.image_ids} - {None}
        return tuple(sorted(i for i in utterances if i is not None)), tuple(sorted(i for i in images if i is not None))


@dataclass(frozen=True, slots=True)
class Labelled:
    """The rows of one released dialogue."""

    dialogue: Dialogue
    queries: tuple[Query, ...]
    golds: tuple[Gold, ...]
    fragments: tuple[Fragment, ...]


def labelled(dialogue: Dialogue, found: Sequence[Answer], moved: Moved, counts: Counter[str]) -> Labelled:
    """Return the rows of a dialogue with its answers.

    An answer that lost all that it had is left out with its query; one that lost a part stays. Both are counted.
    """
    kept: list[Answer] = []
    for answer in found:
        utterance_ids, image_ids = moved.ids(answer, dialogue)
        before, after = len(answer.utterance_ids) + len(answer.image_ids), len(utterance_ids) + len(image_ids)
        if before and not after:
            counts["nothing is left of the answer"] += 1
            continue
        counts["answers that lost a part (kept)"] += after < before
        annotations = tuple(Annotation(told.annotator, *moved.ids(told, dialogue)) for told in answer.annotations)
        kept.append(replace(answer, utterance_ids=utterance_ids, image_ids=image_ids, annotations=annotations))
    ids = query_ids(dialogue.dialogue_id, [answer.query for answer in kept])
    queries, golds, fragments = [], [], []
    for query_id, answer in sorted(zip(ids, kept, strict=True), key=lambda pair: pair[0]):
        queries.append(Query(query_id, dialogue.dialogue_id, dialogue.language, answer.query))
        fragment = _fragment(dialogue.dialogue_id, answer)
        golds.append(_gold(query_id, answer, fragment))
        if fragment is not None:
            fragments.append(fragment)
    unique = {fragment.fragment_id: fragment for fragment in fragments}
    return Labelled(dialogue, tuple(queries), tuple(golds), tuple(unique[key] for key in sorted(unique)))


def _fragment(dialogue_id: str, answer: Answer) -> Fragment | None:
    if not answer.utterance_ids and not answer.image_ids:
        return None
    name = canonical_json([answer.level, list(answer.utterance_ids), list(answer.image_ids)])
    identifier = fragment_id(dialogue_id, "", answer.level, name)
    return Fragment(identifier, dialogue_id, answer.level, "", "", answer.utterance_ids, answer.image_ids)


def _gold(query_id: str, answer: Answer, fragment: Fragment | None) -> Gold:
    return Gold(
        query_id,
        "" if fragment is None else fragment.fragment_id,
        answer.level,
        answer.utterance_ids,
        answer.image_ids,
        label_source="human",
        verified=answer.verified,
        annotations=answer.annotations,
    )
