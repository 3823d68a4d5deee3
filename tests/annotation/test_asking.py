from __future__ import annotations

from pathlib import Path

import pytest

from mldr.annotation.adjudicating import adjudicate_by_rule
from mldr.annotation.agreement import agreement_of
from mldr.annotation.asking import ask_of
from mldr.annotation.labels import read_asked
from mldr.annotation.verdicts import read_verdicts
from mldr.errors import MldrError
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, put, say

ONE = dialogue_name(1)


def test_everybody_is_asked_the_queries_and_told_nothing_of_the_answers(tmp_path: Path) -> None:
    collection = collection_of(tmp_path / "c", [collected_dialogue(1)])
    say(
        collection,
        "ann",
        ONE,
        put("f1", "the trip ", [1, 2]),
        put("f2", "the dog", negative=True),
        put("f3", "unfinished"),
    )
    assert ask_of(collection, "ann") == {"asked": 2, "unfinished, not asked": 1}
    assert {query.text for query in read_asked(collection.queries(ONE))} == {"the trip", "the dog"}
    words = collection.queries(ONE).read_text(encoding="utf-8")
    assert "utterance_ids" not in words
    assert "negative" not in words
    assert ask_of(collection, "ann")["asked before"] == 2


def test_the_author_and_those_who_were_asked_are_compared_on_the_same_query(tmp_path: Path) -> None:
    collection = collection_of(tmp_path / "c", [collected_dialogue(1)])
    say(collection, "ann", ONE, put("f1", "the trip", [1, 2]))
    ask_of(collection, "ann")
    name = read_asked(collection.queries(ONE))[0].name
    say(collection, "bob", ONE, put(name, "the trip", [2, 3]))
    adjudicate_by_rule(collection, ["ann", "bob"], "union")
    (verdict,) = read_verdicts(collection.adjudicated(ONE)).values()
    assert (verdict.name, verdict.query, verdict.utterance_ids) == (name, "the trip", (1, 2, 3))


def test_an_annotator_who_said_nothing_cannot_ask(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="no labels of ann"):
        ask_of(collection_of(tmp_path / "c", [collected_dialogue(1)]), "ann")


def test_agreement_counts_the_author_s_own_answer_beside_that_of_those_who_were_asked(tmp_path: Path) -> None:
    collection = collection_of(tmp_path / "c", [collected_dialogue(1)])
    say(collection, "ann", ONE, put("f1", "the trip", [1, 2]), put("f2", "the dog", negative=True))
    ask_of(collection, "ann")
    for query in read_asked(collection.queries(ONE)):
        answer = put(query.name, query.text, [1, 2]) if query.text == "the trip" else put(query.name, query.text, [3])
        say(collection, "bob", ONE, answer)
    told = agreement_of(collection, ["ann", "bob"], resamples=0)
    assert (told.overall.shared, told.overall.only) == (2, {"ann": 0, "bob": 0})
    assert told.overall.of["utterances"].exact.value == 0.5
