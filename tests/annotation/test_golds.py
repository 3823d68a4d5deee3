from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mldr.annotation.asking import ask_of
from mldr.annotation.collection import Collection
from mldr.annotation.golds import Answer, Moved, answers, labelled, pseudonyms
from mldr.annotation.labels import as_line
from mldr.annotation.store import append_line
from mldr.annotation.verdicts import Verdict
from mldr.dialogue import Annotation
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, put, say, small_picture

ONE = dialogue_name(1)
SAME = Moved({i: i for i in range(8)}, {0: 0})


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    picture = small_picture()
    made = collection_of(tmp_path / "c", [collected_dialogue(1, pictures=[picture])], [picture])
    say(made, "bob", ONE, put("f1", "the trip", [1, 2], [0]), put("f2", "the cat", [5]))
    say(made, "ann", ONE, put("f7", "the trip", [2, 1, 3]), put("f8", "", [4]), put("f9", "empty"))
    return made


def judge(collection: Collection, **told: object) -> None:
    verdict = Verdict.model_validate({"name": "v1", "query": "the trip", "basis": "edit", "by": "eve", **told})
    append_line(collection.adjudicated(ONE), as_line(verdict))


def test_what_was_adjudicated_stands_and_the_annotators_own_is_kept_beside_it(collection: Collection) -> None:
    judge(collection, utterance_ids=(1, 2, 3), image_ids=(0,))
    counts: Counter[str] = Counter()
    (answer,) = answers(collection, ONE, "", counts)
    assert (answer.query, answer.utterance_ids, answer.image_ids, answer.verified) == (
        "the trip",
        (1, 2, 3),
        (0,),
        True,
    )
    assert answer.annotations == (Annotation("A1", (1, 2, 3)), Annotation("A2", (1, 2), (0,)))
    assert pseudonyms(collection) == {"ann": "A1", "bob": "A2"}
    assert counts["nobody adjudicated it"] == 3


def test_one_person_s_answers_stand_where_that_is_wanted_and_are_not_verified(collection: Collection) -> None:
    counts: Counter[str] = Counter()
    found = {answer.query: answer for answer in answers(collection, ONE, "bob", counts)}
    assert sorted(found) == ["the cat", "the trip"]
    assert not any(answer.verified for answer in found.values())
    assert found["the trip"].utterance_ids == (1, 2)


def test_what_is_no_answer_is_left_out_by_reason(collection: Collection) -> None:
    judge(collection, basis="dropped")
    counts: Counter[str] = Counter()
    assert answers(collection, ONE, "ann", counts) == []
    assert counts == {
        "dropped by the adjudicator": 1,
        "nobody adjudicated it": 1,
        "no query was written": 1,
        "empty, and nobody said that nothing answers it": 1,
    }


def test_a_negative_has_no_ids_whatever_else_its_statement_says(collection: Collection) -> None:
    judge(collection, utterance_ids=(1,), negative=True)
    (answer,) = answers(collection, ONE, "", Counter())
    assert (answer.utterance_ids, answer.image_ids) == ((), ())


def test_a_query_that_everybody_was_asked_brings_all_answers_together(collection: Collection) -> None:
    ask_of(collection, "bob")
    name = (
        next(path for path in [collection.queries(ONE)]).read_text(encoding="utf-8").split('"name": "')[1].split('"')[0]
    )
    say(collection, "cat", ONE, put(name, "", [6]))
    judge(collection, name=name, query="", utterance_ids=(1,))
    told = [answer for answer in answers(collection, ONE, "", Counter()) if answer.utterance_ids == (1,)]
    assert len(told) == 1
    assert told[0].query in ("the trip", "the cat")
    assert "A3" in {annotation.annotator for annotation in told[0].annotations}


def test_rows_refer_to_one_another_and_negatives_have_no_fragment(collection: Collection) -> None:
    dialogue = collection.read(ONE).dialogue
    found = [
        Answer("one", "free", (1, 2), (0,), True, ()),
        Answer("same answer", "free", (1, 2), (0,), True, ()),
        Answer("nothing", "free", (), (), True, ()),
    ]
    item = labelled(dialogue, found, SAME, Counter())
    assert [query.query_id for query in item.queries] == [gold.query_id for gold in item.golds]
    assert [query.query_id for query in item.queries] == sorted(query.query_id for query in item.queries)
    assert len(item.fragments) == 1
    assert {gold.fragment_id for gold in item.golds} == {item.fragments[0].fragment_id, ""}
    assert {gold.label_source for gold in item.golds} == {"human"}


def test_answers_follow_their_messages_and_what_lost_all_goes(collection: Collection) -> None:
    dialogue = collection.read(ONE).dialogue
    moved = Moved({0: None, 1: 0, 2: None}, {0: None})
    counts: Counter[str] = Counter()
    found = [
        Answer("part", "free", (1, 2), (0,), True, (Annotation("A1", (2,), (0,)),)),
        Answer("all", "free", (2,), (0,), True, ()),
        Answer("none", "free", (), (), True, ()),
    ]
    item = labelled(dialogue, found, moved, counts)
    golds = {query.text: gold for query, gold in zip(item.queries, item.golds, strict=True)}
    assert sorted(golds) == ["none", "part"]
    assert (golds["part"].utterance_ids, golds["part"].image_ids) == ((0,), ())
    assert golds["part"].annotations == (Annotation("A1"),)
    assert counts["nothing is left of the answer"] == 1
    assert counts["answers that lost a part (kept)"] == 1


def test_an_answer_is_verified_where_a_person_decided_or_all_said_the_same(collection: Collection) -> None:
    for basis, by, verified in (("union", "rule", False), ("agreed", "rule", True), ("union", "eve", True)):
        judge(collection, utterance_ids=(1,), basis=basis, by=by)
        (answer,) = answers(collection, ONE, "", Counter())
        assert answer.verified is verified


def test_an_unfinished_later_fragment_hides_no_finished_answer(collection: Collection) -> None:
    ask_of(collection, "bob")
    say(collection, "bob", ONE, put("late", "the trip"))
    found = {answer.query: answer for answer in answers(collection, ONE, "bob", Counter())}
    assert found["the trip"].utterance_ids == (1, 2)
