"""The agreement of a collection: which answers belong together, what counts as an answer, and what people are shown."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mldr.annotation.agreement.models import FIGURES, Agreement
from mldr.annotation.agreement.report import agreement_of
from mldr.annotation.agreement.shown import card_section, notes, tables
from mldr.annotation.collection import Collection
from mldr.console import show_table
from mldr.errors import InputError, MldrError
from tests.annotation.agreement.labelled import add_dialogue, ask, decide, done, new_collection, put


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return new_collection(tmp_path)


def test_given_queries_are_compared_by_their_name_whatever_each_wrote(collection: Collection) -> None:
    name = add_dialogue(collection, 1)
    ask(collection, name, ["q1", "q2", "q3", "q4"])
    put(collection, "ann", name, "q1", (1, 2), query="what of q1?")
    put(collection, "bob", name, "q1", (1, 3), query="another wording")
    put(collection, "ann", name, "q2")
    put(collection, "bob", name, "q2")
    put(collection, "ann", name, "q3", (4,))
    found = agreement_of(collection, ["ann", "bob"])
    assert (found.asked, found.unanswered) == (4, 1)
    assert found.overall == found.pairs[0]
    assert (found.overall.shared, found.overall.only) == (2, {"ann": 1, "bob": 0})
    assert found.overall.of["utterances"].f1.value == pytest.approx((0.5 + 1) / 2)
    assert found.overall.of["utterances"].exact.value == 0.5
    assert found.overall.own is None
    assert found.adjudicated == []


def test_the_author_of_a_query_that_all_were_asked_later_answers_it_under_a_name_of_their_own(
    collection: Collection,
) -> None:
    name = add_dialogue(collection, 1)
    ask(collection, name, ["q1", "q2"])
    put(collection, "ann", name, "f1", (1, 2), query=" what of q1? ")
    put(collection, "bob", name, "q1", (1, 3), query="what of q1?")
    put(collection, "bob", name, "q2", (4,))
    put(collection, "ann", name, "f2", (4,), query="")
    decide(collection, name, "q1", (1, 2))
    found = agreement_of(collection, ["ann", "bob"])
    assert (found.unanswered, found.repeated) == (0, {})
    assert (found.overall.shared, found.overall.only) == (1, {"ann": 0, "bob": 1})
    assert found.overall.of["utterances"].f1.value == pytest.approx(0.5)
    assert [one.of["utterances"].f1.value for one in found.adjudicated] == [1.0, pytest.approx(0.5)]


def test_of_two_answers_to_a_query_the_later_counts_and_the_other_is_counted(collection: Collection) -> None:
    name = add_dialogue(collection, 1)
    ask(collection, name, ["q1"])
    put(collection, "ann", name, "q1", (1,))
    put(collection, "ann", name, "f1", (2,), query="what of q1?")
    put(collection, "ann", name, "f2", query="what of q1?", negative=False)
    put(collection, "bob", name, "q1", (2,))
    found = agreement_of(collection, ["ann", "bob"])
    assert (found.repeated, found.unfinished) == ({"ann": 1}, {"ann": 1})
    assert found.overall.of["utterances"].exact.value == 1.0
    told = "answers beside a later one to the same query, ignored: 1 of"
    assert f"{told} ann" in notes(found)
    assert f"{told} annotator 1" in card_section(found)


def test_images_stand_apart_from_utterances_and_joint_needs_both(collection: Collection) -> None:
    name = add_dialogue(collection, 1)
    ask(collection, name, ["q1", "q2"])
    for query in ("q1", "q2"):
        put(collection, "ann", name, query, (1, 2), (0,))
    put(collection, "bob", name, "q1", (1, 2), (1,))
    put(collection, "bob", name, "q2", (1, 2), (0,))
    of = agreement_of(collection, ["ann", "bob"]).overall.of
    assert of["utterances"].exact.value == 1.0
    assert of["images"].exact.value == of["joint"].exact.value == 0.5
    assert of["images"].f1.value == 0.5
    assert of["joint"].f1.value == pytest.approx((2 / 3 + 1) / 2)
    assert (of["images"].n_units, of["utterances"].n_units) == (4, 16)


def test_a_collection_without_images_gives_no_figure_for_them_and_says_why(collection: Collection) -> None:
    for number in range(3):
        name = add_dialogue(collection, number, images=0)
        ask(collection, name, ["q1"])
        put(collection, "ann", name, "q1", (number,))
        put(collection, "bob", name, "q1", (number,))
    found = agreement_of(collection, ["ann", "bob"])
    images = found.overall.of["images"]
    assert {getattr(images, name).value for name in FIGURES} == {None}
    assert found.overall.of["joint"].alpha_masi.value == 1.0
    assert any(note.startswith("images: no figure (no query about a dialogue with images") for note in notes(found))


def test_queries_that_annotators_wrote_alike_are_the_same_query(collection: Collection) -> None:
    name = add_dialogue(collection, 1)
    put(collection, "ann", name, "f1", (1, 2), query="The  Trip, ｔｏ the sea")
    put(collection, "bob", name, "f7", (1, 2), query="the trip, to the sea ")
    found = agreement_of(collection, ["ann", "bob"]).overall
    assert found.shared == 1
    assert found.of["utterances"].exact.value == 1.0
    assert found.own is None


def test_own_fragments_are_matched_by_what_they_hold_and_the_rest_counts_as_nothing(collection: Collection) -> None:
    name = add_dialogue(collection, 1)
    put(collection, "ann", name, "f1", (1, 2), (0,), query="one")
    put(collection, "ann", name, "f2", (4, 5), query="two")
    put(collection, "bob", name, "f1", (5,), query="zwei")
    put(collection, "bob", name, "f2", (1, 2), query="eins")
    put(collection, "bob", name, "f3", (7,), query="drei")
    done(collection, name, "ann", "bob")
    own = agreement_of(collection, ["ann", "bob"]).overall.own
    assert own is not None
    assert (own.matched, own.single) == (2, {"ann": 0, "bob": 1})
    assert own.f1["utterances"].value == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert own.f1["joint"].value == pytest.approx((4 / 5 + 2 / 3 + 0) / 3)
    assert own.f1["images"].value == 0.0


def test_own_fragments_of_a_dialogue_that_one_is_not_done_with_are_not_held_against_the_other(
    collection: Collection,
) -> None:
    name = add_dialogue(collection, 1)
    put(collection, "ann", name, "f1", (1, 2), query="one")
    put(collection, "bob", name, "f1", (7,), query="two")
    done(collection, name, "ann")
    assert agreement_of(collection, ["ann", "bob"]).overall.own is None


def test_unfinished_fragments_are_no_answers_and_are_counted(collection: Collection) -> None:
    name = add_dialogue(collection, 1)
    ask(collection, name, ["q1", "q2", "q3"])
    put(collection, "ann", name, "q1", negative=False)
    put(collection, "ann", name, "q2", (1,), negative=True)
    put(collection, "ann", name, "q3", (1,))
    for query in ("q1", "q2", "q3"):
        put(collection, "bob", name, query, (1,))
    found = agreement_of(collection, ["ann", "bob"])
    assert found.unfinished == {"ann": 2}
    assert (found.overall.shared, found.overall.only) == (1, {"ann": 0, "bob": 2})
    assert found.overall.of["utterances"].alpha_masi.reason == "a single query"


def test_utterances_without_text_are_outside_the_universe_and_are_counted(collection: Collection) -> None:
    name = add_dialogue(collection, 1, textless=(0,))
    ask(collection, name, ["q1"])
    put(collection, "ann", name, "q1", (0, 1))
    put(collection, "bob", name, "q1", (1,))
    found = agreement_of(collection, ["ann", "bob"])
    assert found.textless == {"ann": 1}
    assert found.overall.of["utterances"].exact.value == 1.0
    assert found.overall.of["utterances"].n_units == 7


def test_every_id_that_a_dialogue_lacks_is_a_fault_with_its_file_and_fragment(collection: Collection) -> None:
    name = add_dialogue(collection, 1)
    ask(collection, name, ["q1"])
    put(collection, "ann", name, "q1", (-1, 8), (2,))
    put(collection, "bob", name, "q1", (1,))
    with pytest.raises(InputError) as error_info:
        agreement_of(collection, ["ann", "bob"])
    assert [fault.message for fault in error_info.value.faults] == [
        "utterance -1 is not in the dialogue, which has 8",
        "utterance 8 is not in the dialogue, which has 8",
        "image 2 is not in the dialogue, which has 2",
    ]
    assert error_info.value.faults[0].place == f"{collection.labels('ann', name)}, fragment q1"


@pytest.mark.parametrize(("names", "words"), [(["ann"], "two annotators"), (["ann", "ann"], "each named once")])
def test_fewer_than_two_annotators_are_refused(collection: Collection, names: list[str], words: str) -> None:
    with pytest.raises(MldrError, match=words):
        agreement_of(collection, names)


def test_an_annotator_who_labelled_nothing_is_named_with_those_who_did(collection: Collection) -> None:
    name = add_dialogue(collection, 1)
    put(collection, "ann", name, "f1", (1,))
    with pytest.raises(MldrError, match="'bob' labelled nothing here; known are ann"):
        agreement_of(collection, ["ann", "bob"])


def simulated(collection: Collection, n: int = 24) -> Collection:
    """Three annotators of two queries a dialogue, two dialogues a chat, one of whom skips some; then adjudicated."""
    draw = np.random.default_rng(5)
    for number in range(n):
        name = add_dialogue(collection, number, cluster=f"chat{number // 2:03d}")
        ask(collection, name, ["q1", "q2"])
        for query in ("q1", "q2"):
            gold = draw.random(8) < 0.4
            for annotator, noise in (("ann", 0.02), ("bob", 0.1), ("cas", 0.2)):
                if annotator == "cas" and draw.random() < 0.2:
                    continue
                ids = tuple(np.flatnonzero(gold ^ (draw.random(8) < noise)).tolist())
                put(collection, annotator, name, query, ids, (0,) if ids and ids[0] == 0 else ())
            decide(collection, name, query, tuple(np.flatnonzero(gold).tolist()), (0,) if gold[0] else ())
    decide(collection, name, "q2", (1,), basis="dropped")
    return collection


def test_three_annotators_are_compared_together_two_by_two_and_with_what_was_adjudicated(
    collection: Collection,
) -> None:
    found = agreement_of(simulated(collection), ["ann", "bob", "cas"], resamples=200)
    assert [one.annotators for one in found.pairs] == [("ann", "bob"), ("ann", "cas"), ("bob", "cas")]
    assert [one.annotators for one in found.adjudicated] == [(who, "(adjudicated)") for who in ("ann", "bob", "cas")]
    assert (found.dropped, found.adjudicated_queries) == (1, 47)
    against = [one.of["utterances"].alpha_masi.value for one in found.adjudicated]
    assert against == sorted(against, reverse=True, key=lambda value: value or 0)
    overall = found.overall.of["utterances"]
    assert (overall.kappa_of, overall.n_queries, overall.n_clusters) == ("Fleiss", 48, 12)
    assert found.pairs[1].shared < 48
    assert overall.alpha_masi.low is not None
    assert overall.alpha_masi.value is not None
    assert overall.alpha_masi.low < overall.alpha_masi.value
    assert "12 clusters" in found.overall.interval_note
    assert Agreement.model_validate(json.loads(found.model_dump_json())) == found


def test_with_fewer_than_ten_chats_there_are_no_intervals_and_it_is_said(collection: Collection) -> None:
    found = agreement_of(simulated(collection, 18), ["ann", "bob"], resamples=200)
    assert found.overall.of["joint"].f1.low is None
    assert "no intervals: 9 clusters" in "\n".join(notes(found))


def test_the_card_shows_figures_and_no_name_of_an_annotator(collection: Collection) -> None:
    found = agreement_of(simulated(collection), ["ann", "bob", "cas"], resamples=200)
    text = card_section(found)
    assert text.startswith("## Agreement\n\n3 people labelled")
    for name in ("ann ", "bob", "cas"):
        assert name not in text
    assert "annotator 2 and the adjudicated answer" in text
    alpha = found.overall.of["utterances"].alpha_masi
    assert f"{alpha.value:.3f} [{alpha.low:.3f}, {alpha.high:.3f}]" in text
    assert "47 answers stand after adjudication; queries left out: 1." in text
    assert text == card_section(found)


def test_the_tables_show_every_comparison(collection: Collection, capsys: pytest.CaptureFixture[str]) -> None:
    found = agreement_of(simulated(collection), ["ann", "bob", "cas"], resamples=200)
    for one in tables(found):
        show_table(one)
    printed = capsys.readouterr().out
    for words in ("ann - bob", "cas - (adjudicated)", "alpha, MASI", "ann, bob, cas, before adjudication"):
        assert words in printed
    assert max(map(len, printed.splitlines())) <= 120


def test_a_collection_in_which_nobody_shares_a_query_gives_reasons_and_no_number(collection: Collection) -> None:
    name = add_dialogue(collection, 1)
    put(collection, "ann", name, "f1", (1,), query="one")
    put(collection, "bob", name, "f1", (2,), query="two")
    found = agreement_of(collection, ["ann", "bob"])
    assert found.overall.shared == 0
    assert found.overall.interval_note == ""
    assert all(getattr(of, name).reason for of in found.overall.of.values() for name in FIGURES)
    assert "no query was answered by two" in card_section(found)
