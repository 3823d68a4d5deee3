from __future__ import annotations

from pathlib import Path

import pytest

from mldr.annotation.adjudicating import RULES, Rule, adjudicate_by_rule
from mldr.annotation.collection import Collection
from mldr.annotation.labels import Asked, as_line
from mldr.annotation.store import append_line
from mldr.annotation.verdicts import Verdict, read_verdicts
from mldr.errors import MldrError
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, put, say

ONE = dialogue_name(1)


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    made = collection_of(tmp_path / "collection", [collected_dialogue(1)])
    say(
        made, "ann", ONE, put("f1", "the trip", [1, 2, 3], [0]), put("f2", "the cat", [5]), put("f3", "mine alone", [6])
    )
    say(made, "bob", ONE, put("f1", "the cat", [5]), put("f2", "the trip", [2, 3, 4]))
    say(made, "cat", ONE, put("f9", "the trip", [3], [0]), put("f1", "the cat ", [5]))
    return made


def ids(verdict: Verdict) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return verdict.utterance_ids, verdict.image_ids


@pytest.mark.parametrize(
    ("rule", "trip"),
    [("majority", ((2, 3), (0,))), ("union", ((1, 2, 3, 4), (0,))), ("intersection", ((3,), ()))],
)
def test_a_rule_makes_one_answer_of_three(
    collection: Collection, rule: Rule, trip: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    done = adjudicate_by_rule(collection, ["ann", "bob", "cat"], rule)
    verdicts = {verdict.query: verdict for verdict in read_verdicts(collection.adjudicated(ONE)).values()}
    assert done == {"adjudicated": 2, "not answered by all": 1}
    assert ids(verdicts["the trip"]) == trip
    assert verdicts["the trip"].basis == rule
    assert (verdicts["the cat"].basis, verdicts["the cat"].by) == ("agreed", "rule")
    assert verdicts["the cat"].annotators == ("ann", "bob", "cat")


def test_what_differs_is_left_to_a_person_where_only_agreement_counts(collection: Collection) -> None:
    done = adjudicate_by_rule(collection, ["ann", "bob"], "agreed")
    assert done["left to a person: the answers differ"] == 1
    assert [verdict.query for verdict in read_verdicts(collection.adjudicated(ONE)).values()] == ["the cat"]


def test_a_second_run_judges_nothing_twice_and_never_a_person_s_verdict(collection: Collection) -> None:
    own = Verdict(name="p1", query="the trip", utterance_ids=(7,), basis="edit", by="eve")
    append_line(collection.adjudicated(ONE), as_line(own))
    adjudicate_by_rule(collection, ["ann", "bob"], "union")
    again = adjudicate_by_rule(collection, ["ann", "bob"], "union")
    assert again["adjudicated before"] == 2
    assert read_verdicts(collection.adjudicated(ONE))["p1"] == own


def test_annotators_logs_stay_as_they_are(collection: Collection) -> None:
    before = {path: path.read_bytes() for path in (collection.folder / "labels").rglob("*.jsonl")}
    adjudicate_by_rule(collection, ["ann", "bob"], "union")
    assert {path: path.read_bytes() for path in (collection.folder / "labels").rglob("*.jsonl")} == before


def test_a_query_that_everybody_was_asked_is_known_by_its_name(collection: Collection) -> None:
    append_line(collection.queries(ONE), as_line(Asked(name="q1", text="which hotel?")))
    say(collection, "ann", ONE, put("q1", "", [0]))
    say(collection, "bob", ONE, put("q1", "which hotel?", [0]))
    adjudicate_by_rule(collection, ["ann", "bob"], "agreed")
    verdict = read_verdicts(collection.adjudicated(ONE))["q1"]
    assert (verdict.query, ids(verdict)) == ("which hotel?", ((0,), ()))


def test_two_who_say_that_nothing_answers_agree(collection: Collection) -> None:
    for name in ("ann", "bob"):
        say(collection, name, ONE, put("f8", "the dog", negative=True))
    adjudicate_by_rule(collection, ["ann", "bob"], "agreed")
    verdict = next(v for v in read_verdicts(collection.adjudicated(ONE)).values() if v.query == "the dog")
    assert verdict.negative
    assert ids(verdict) == ((), ())


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("names", [["ann"], ["ann", "nobody"], []])
def test_one_annotator_or_an_unknown_one_is_refused(collection: Collection, rule: Rule, names: list[str]) -> None:
    with pytest.raises(MldrError, match=r"two annotators|no labels of nobody"):
        adjudicate_by_rule(collection, names, rule)
    assert not collection.adjudicated(ONE).exists()
