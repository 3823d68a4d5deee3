from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.builders.labels import Labelled
from mldr.builders.negatives import Absence
from mldr.builders.rulequery import RuleQueries
from mldr.builders.settings import KindShares, QuerySettings
from mldr.builders.sources.record import SourceDialogue, SourceTag
from mldr.builders.stitch import ORDERS, Stitched, stitch
from mldr.verify import dialogue_faults
from tests.builders.support import label, source
from tests.builders.test_stitch_and_label import KEYS, row_of, three

SETTINGS = QuerySettings(negatives=0, near=1)


def mixed(sources: list[SourceDialogue], seed: int = 0) -> Stitched:
    return stitch(row_of(*sources), sources, KEYS, seed, interleave=True)


def topics_of(made: Stitched) -> list[int]:
    """Return the topic of each utterance, -1 for a bridge."""
    home = {i: position for position, ids in enumerate(made.utterance_ids) for i in ids}
    return [home.get(i, -1) for i in range(made.dialogue.n_utterances)]


@given(st.lists(st.integers(1, 8), min_size=3, max_size=3), st.integers(0, 50))
def test_every_turn_and_image_stands_once_when_topics_return(lengths: list[int], seed: int) -> None:
    sources = [source(f"s{k}", f"t{k}", n, ("x", "y", "z")[k : k + 1]) for k, n in enumerate(lengths)]
    made = mixed(sources, seed)
    assert list(dialogue_faults(made.dialogue, set(KEYS.values()))) == []
    for position, one in enumerate(sources):
        ids = made.utterance_ids[position]
        assert list(ids) == sorted(set(ids))
        for turn, utterance_id in zip(one.turns, ids, strict=True):
            utterance = made.dialogue.utterances[utterance_id]
            assert utterance.text == turn.text
            if turn.image is not None:
                assert utterance.image_ids == (made.image_ids[position][turn.image],)
                key = KEYS[one.images[turn.image].ref]
                assert made.dialogue.images[utterance.image_ids[0]].image_key == key
    topics = topics_of(made)
    assert list(dict.fromkeys(topic for topic in topics if topic >= 0)) == [0, 1, 2]
    for before, after in pairwise(topics):
        assert before == after or -1 in (before, after)
    bridges = [made.dialogue.utterances[i].text for i in made.bridge_ids]
    assert len(set(bridges)) == len(bridges)


def test_at_least_one_topic_returns_and_the_order_is_drawn() -> None:
    orders = set()
    for seed in range(60):
        topics = [topic for topic in topics_of(mixed(three(), seed)) if topic >= 0]
        blocks = [topics[0]] + [b for a, b in pairwise(topics) if a != b]
        assert len(blocks) > 3
        orders.add("".join("ABC"[block] for block in blocks))
    assert orders == set(ORDERS)


def test_a_topic_is_not_left_between_a_question_and_its_answer() -> None:
    asked = []
    for one in (source(f"s{k}", f"t{k}", 8) for k in range(3)):
        turns = [replace(turn, text=f"{turn.text}{'.' if i % 2 else '? '}") for i, turn in enumerate(one.turns)]
        asked.append(replace(one, turns=tuple(turns)))
    for seed in range(40):
        made = mixed(asked, seed)
        before = [made.dialogue.utterances[i - 1].text for i in made.bridge_ids]
        assert len(before) > 2
        assert all(text.endswith(".") for text in before)


def test_not_interleaved_is_the_default() -> None:
    sources = three()
    assert stitch(row_of(*sources), sources, KEYS, 0) == stitch(row_of(*sources), sources, KEYS, 0, interleave=False)
    assert topics_of(stitch(row_of(*sources), sources, KEYS, 0)) == [0, 0, 0, -1, 1, 1, 1, 1, -1, 2, 2, 2, 2, 2]


def labelled(neighbours: list[SourceDialogue], settings: QuerySettings = SETTINGS, **other: Any) -> Labelled:
    sources = three()
    rules = RuleQueries()
    for one in (*sources, *neighbours):
        rules.add(one)
    made = stitch(row_of(*sources), sources, KEYS, 0)
    return label(
        row_of(*sources),
        made,
        sources,
        [],
        rules,
        0,
        neighbours=neighbours,
        settings=settings,
        **other,
    )


def near_of(found: Labelled) -> list[str]:
    pairs = zip(found.queries, found.gold, strict=True)
    return [query.text for query, gold in pairs if gold.negative_type == "near"]


def says(name: str, topic: str, query: str, language: str = "en") -> SourceDialogue:
    return replace(source(name, topic, language=language), tags=(SourceTag(topic, "topic", (), (), query),))


def test_a_near_negative_is_a_neighbours_query() -> None:
    found = labelled([says("n", "harbours", "where the ferry lands")])
    assert near_of(found) == ["where the ferry lands"]
    gold = next(gold for gold in found.gold if gold.negative_type == "near")
    assert (gold.kind, gold.fragment_id, gold.label_source, gold.level) == ("negative", "", "human", "topic")


@pytest.mark.parametrize(
    "neighbour",
    [
        says("n", "boats", "where the ferry lands"),  # all of a topic that the dialogue has, too
        says("n", "harbours", "one turn two"),  # in the dialogue's own words
        says("n", "harbours", "One  ASKS"),  # a query of the dialogue
        says("n", "harbours", "where the ferry lands", language="zh"),
    ],
)
def test_what_the_dialogue_may_answer_is_no_near_negative(neighbour: SourceDialogue) -> None:
    found = labelled([neighbour])
    assert near_of(found) == []
    assert found.counts["negatives for which no near query was found"] == 1


def test_kinds_and_limit_hold_for_queries_by_rule() -> None:
    shares = KindShares(multimodal=0, utterance=1, image=0)
    found = labelled([], QuerySettings(negatives=0, limit=2, kinds=shares))
    assert [gold.kind for gold in found.gold] == ["utterance", "utterance"]
    assert len(found.fragments) == 6


def test_a_salt_keys_the_ids() -> None:
    plain, salted = labelled([]), labelled([], salt=b"secret")
    for table, name in (("queries", "query_id"), ("fragments", "fragment_id")):
        ids = [{getattr(one, name) for one in getattr(which, table)} for which in (plain, salted)]
        assert not ids[0] & ids[1]
    assert [query.text for query in plain.queries] != [query.text for query in salted.queries]  # another order
    assert {query.text for query in plain.queries} == {query.text for query in salted.queries}


def test_a_query_lacks_words_only_if_the_dialogue_does_not_hold_them_all() -> None:
    sources = three()
    absence = Absence(stitch(row_of(*sources), sources, KEYS, 0).dialogue, RuleQueries(), [], [])
    assert absence.lacks("one zebra")
    assert not absence.lacks("one turn")
    assert not absence.lacks("!!")
    assert Counter(absence.words)["turn"] == 1
