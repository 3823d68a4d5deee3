"""Adjudication by rule: one answer out of several, where no person looks at each; the page is for those who do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from mldr.annotation.collection import Collection
from mldr.annotation.labels import Put, as_line, query_key, query_name, read_asked, read_labels
from mldr.annotation.store import append_line
from mldr.annotation.verdicts import Verdict, read_verdicts
from mldr.errors import MldrError

Rule = Literal["agreed", "majority", "union", "intersection"]
RULES: tuple[Rule, ...] = ("agreed", "majority", "union", "intersection")
"""`agreed`: only queries to which all gave the same answer; `majority`: what more than half of them named; `union`: what anybody
named; `intersection`: what everybody named."""


def adjudicate_by_rule(collection: Collection, annotators: Sequence[str], rule: Rule) -> Counter[str]:
    """Write a verdict for each query that all of the annotators answered and that has none yet; return what was done.

    Args:
        collection: with the logs of the annotators, which stay as they are.
        annotators: at least two.
        rule: how one answer is made of theirs.

    Raises:
        MldrError: if there are fewer than two annotators, or one labelled nothing.
    """
    names = sorted(set(annotators))
    unknown = [name for name in names if name not in collection.annotators()]
    if unknown:
        raise MldrError(
            f"no labels of {', '.join(unknown)}; there are those of {', '.join(collection.annotators()) or 'nobody'}"
        )
    if len(names) < 2:
        raise MldrError("an adjudication needs the answers of at least two annotators")
    done: Counter[str] = Counter()
    for dialogue_id in collection.ids():
        path = collection.adjudicated(dialogue_id)
        asked = {query.name: query.text for query in read_asked(collection.queries(dialogue_id))}
        judged = {query_key(verdict.name, verdict.query, asked) for verdict in read_verdicts(path).values()}
        for key, answers in _queries(collection, names, dialogue_id, asked).items():
            if key in judged:
                done["adjudicated before"] += 1
            elif len(answers) < len(names):
                done["not answered by all"] += 1
            elif verdict := _verdict(_named(key, asked), answers, names, rule):
                append_line(path, as_line(verdict))
                done["adjudicated"] += 1
            else:
                done["left to a person: the answers differ"] += 1
    return done


def _queries(
    collection: Collection, names: Sequence[str], dialogue_id: str, asked: Mapping[str, str]
) -> dict[tuple[str, str], dict[str, Put]]:
    """Return query -> annotator -> answer, finished ones alone; in the order of the first annotator."""
    found: dict[tuple[str, str], dict[str, Put]] = {}
    for name in names:
        for put in read_labels(collection.labels(name, dialogue_id)).fragments.values():
            key = query_key(put.fragment, put.query, asked)
            if key[1] and (put.negative or put.utterance_ids or put.image_ids):
                found.setdefault(key, {})[name] = put
    return found


def _named(key: tuple[str, str], asked: Mapping[str, str]) -> tuple[str, str]:
    """Return the name and the text of a query."""
    return (key[1], asked[key[1]]) if key[0] == "asked" else (query_name(key[1]), key[1])


def _verdict(named: tuple[str, str], answers: Mapping[str, Put], names: Sequence[str], rule: Rule) -> Verdict | None:
    least = {"agreed": len(names), "majority": len(names) // 2 + 1, "union": 1, "intersection": len(names)}[rule]
    given = [((), ()) if put.negative else (put.utterance_ids, put.image_ids) for put in answers.values()]
    utterances = _named_by([ids for ids, _ in given], least)
    images = _named_by([ids for _, ids in given], least)
    same = len({(frozenset(u), frozenset(i)) for u, i in given}) == 1
    if rule == "agreed" and not same:
        return None
    first = answers[names[0]]
    return Verdict(
        name=named[0],
        query=named[1],
        level=first.level,
        utterance_ids=utterances,
        image_ids=images,
        negative=not utterances and not images,
        basis="agreed" if same else rule,
        annotators=tuple(names),
        by="rule",
    )


def _named_by(sets: Sequence[Sequence[int]], least: int) -> tuple[int, ...]:
    counts = Counter(i for ids in sets for i in set(ids))
    return tuple(sorted(i for i, count in counts.items() if count >= least))
