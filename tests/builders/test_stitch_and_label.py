from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.builders.labels import Labelled
from mldr.builders.plan import PlanRow
from mldr.builders.rulequery import RuleQueries, terms
from mldr.builders.settings import QuerySettings
from mldr.builders.sources.record import SourceDialogue, SourceTag, SourceTurn
from mldr.builders.stitch import Stitched, bridges, stitch
from mldr.builders.tags import source_tags, tag_query
from mldr.identity import query_ids
from tests.builders.support import label, source

KEYS = {f"src/{name}": f"sha256:{name}" for name in "xyz"}


def row_of(*sources: SourceDialogue, strangers: tuple[str, ...] = ()) -> PlanRow:
    ids = tuple(one.source_id for one in sources)
    return PlanRow("0123456789abcdef", "test", sources[0].language, "c", ids, strangers)


def three() -> list[SourceDialogue]:
    return [source("one", "boats", 3, ("x",)), source("two", "bread", 4), source("three", "bikes", 5, ("y", "z"))]


def stitched(sources: list[SourceDialogue], seed: int = 0) -> Stitched:
    return stitch(row_of(*sources), sources, KEYS, seed)


@given(st.lists(st.integers(1, 6), min_size=3, max_size=3), st.integers(0, 20))
def test_every_turn_and_image_stands_once_and_in_order(lengths: list[int], seed: int) -> None:
    sources = [source(f"s{k}", f"t{k}", n, ("x", "y", "z")[k : k + 1]) for k, n in enumerate(lengths)]
    made = stitched(sources, seed)
    assert made.dialogue.n_utterances == sum(lengths) + 2
    for position, one in enumerate(sources):
        for turn, utterance_id in zip(one.turns, made.utterance_ids[position], strict=True):
            assert made.dialogue.utterances[utterance_id].text == turn.text
    carried = [i for utterance in made.dialogue.utterances for i in utterance.image_ids]
    assert carried == list(range(made.dialogue.n_images))
    assert [image.image_key for image in made.dialogue.images] == ["sha256:x", "sha256:y", "sha256:z"]


def test_a_bridge_is_a_written_one_said_by_whoever_starts_the_next_topic() -> None:
    made = stitched(three())
    told = {i for ids in made.utterance_ids for i in ids}
    between = [i for i in range(made.dialogue.n_utterances) if i not in told]
    texts = [made.dialogue.utterances[i].text for i in between]
    assert set(texts) <= set(bridges()["en"])
    assert len(set(texts)) == 2
    for i in between:
        assert made.dialogue.utterances[i].speaker == made.dialogue.utterances[i + 1].speaker


def test_the_people_of_the_first_source_tell_everything() -> None:
    sources = [replace(one, speakers=(f"{one.source_id}-a", f"{one.source_id}-b")) for one in three()]
    speakers = {utterance.speaker for utterance in stitched(sources).dialogue.utterances}
    assert speakers == {"one-a", "one-b"}


def test_further_people_keep_their_names_and_names_stay_apart() -> None:
    crowd = replace(
        source("two", "bread", 3), speakers=("q", "r", "a"), turns=tuple(SourceTurn(i, "hi") for i in range(3))
    )
    made = stitched([source("one", "boats"), crowd, source("three", "bikes")])
    ids = made.utterance_ids[1]
    assert [made.dialogue.utterances[i].speaker for i in ids] == ["a", "b", "a 2"]


def test_licences_and_attributions_of_all_sources_are_kept() -> None:
    one, two, three_ = three()
    made = stitched([replace(one, licence="MIT", attribution="Ann"), replace(two, licence="CC0-1.0"), three_])
    assert made.dialogue.licence == "CC0-1.0; MIT; unknown"  # the third states none, which must not be lost
    assert made.dialogue.attribution == "Ann"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_there_are_enough_bridges_and_none_stands_twice(language: str) -> None:
    texts = bridges()[language]
    assert len(texts) >= 15
    assert len(set(texts)) == len(texts)


def labelled(
    sources: list[SourceDialogue], strangers: list[SourceDialogue], negatives: int = 2
) -> tuple[Stitched, Labelled]:
    row = row_of(*sources, strangers=tuple(one.source_id for one in strangers))
    rules = RuleQueries()
    for one in (*sources, *strangers):
        rules.add(one)
    made = stitch(row, sources, KEYS, 0)
    return made, label(row, made, sources, strangers, rules, 0, settings=QuerySettings(negatives=negatives))


def test_fragments_are_the_three_topics_and_the_tags() -> None:
    made, found = labelled(three(), [])
    by_level = Counter(fragment.level for fragment in found.fragments)
    assert by_level == {"topic": 3, "fine": 3}
    for fragment in found.fragments:
        position = ["one", "two", "three"].index(fragment.source_id)
        if fragment.level == "topic":
            assert fragment.utterance_ids == made.utterance_ids[position]
            assert fragment.image_ids == made.image_ids[position]
            assert fragment.topic == ["boats", "bread", "bikes"][position]
        else:
            ids = made.utterance_ids[position]
            assert fragment.utterance_ids == (ids[0], ids[-1])


def test_bridges_belong_to_no_fragment() -> None:
    made, found = labelled(three(), [])
    told = {i for ids in made.utterance_ids for i in ids}
    assert {i for fragment in found.fragments for i in fragment.utterance_ids} <= told


def test_a_turn_without_text_is_in_no_fragment_by_its_text() -> None:
    silent = replace(
        source("one", "boats", 3, ("x",)), turns=(SourceTurn(0, "", 0), SourceTurn(1, "hm"), SourceTurn(0, "so"))
    )
    made, found = labelled([replace(silent, tags=()), *three()[1:]], [])
    topic = next(f for f in found.fragments if f.source_id == "one" and f.level == "topic")
    assert topic.utterance_ids == made.utterance_ids[0][1:]
    assert topic.image_ids == (0,)


def test_gold_is_the_fragment_that_its_query_asks_for() -> None:
    _, found = labelled(three(), [source("far", "stars")])
    fragments = {fragment.fragment_id: fragment for fragment in found.fragments}
    for query, gold in zip(found.queries, found.gold, strict=True):
        assert query.query_id == gold.query_id
        if gold.kind == "negative":
            assert (gold.fragment_id, gold.negative_type) == ("", "unrelated")
        else:
            fragment = fragments[gold.fragment_id]
            assert (gold.utterance_ids, gold.image_ids) == (fragment.utterance_ids, fragment.image_ids)


def test_queries_are_sorted_by_id_and_an_id_comes_from_the_text_alone() -> None:
    _, found = labelled(three(), [source("far", "stars")])
    ids = [query.query_id for query in found.queries]
    assert ids == sorted(ids)
    assert all(query_ids(query.dialogue_id, [query.text]) == [query.query_id] for query in found.queries)


def test_a_brought_query_keeps_the_label_source_and_one_by_rule_says_so() -> None:
    _, found = labelled(three(), [])
    sources = {query.text: gold.label_source for query, gold in zip(found.queries, found.gold, strict=True)}
    assert sources["one asks"] == "human"
    assert {origin for text, origin in sources.items() if not text.endswith("asks")} == {"rule"}


def test_negatives_come_from_strangers_and_missing_ones_are_counted() -> None:
    _, found = labelled(three(), [source("far", "stars", language="en")], negatives=3)
    negatives = [gold for gold in found.gold if gold.kind == "negative"]
    assert len(negatives) == 1
    assert found.counts["negatives for which no unrelated query was found"] == 2


def test_a_query_that_stands_twice_in_a_dialogue_is_asked_once_and_counted() -> None:
    one, two, last = three()
    same = replace(two, tags=(SourceTag("pair", "fine", (0, 3), (), "one asks"),))
    _, found = labelled([one, same, last], [])
    assert [query.text for query in found.queries].count("one asks") == 1
    assert found.counts["queries that stood twice in a dialogue"] == 1


def test_a_source_without_tags_has_one_for_each_image_and_its_topic() -> None:
    bare = replace(source("one", "boats", 4, ("x", "y")), tags=())
    tags = source_tags(bare)
    assert [(tag.level, tag.turns, tag.images) for tag in tags] == [
        ("topic", (0, 1, 2, 3), (0, 1)),
        ("fine", (), (0,)),
        ("fine", (), (1,)),
    ]


def test_a_topic_tag_with_ids_of_its_own_keeps_them() -> None:
    own = replace(source("one", "boats"), tags=(SourceTag("part", "topic", (1, 2), ()),))
    assert source_tags(own)[0].turns == (1, 2)


def test_a_query_by_rule_has_up_to_four_terms_that_tell_the_fragment_from_the_rest() -> None:
    rules = RuleQueries()
    speech = replace(
        source("one", "boats"),
        turns=tuple(SourceTurn(0, text) for text in ("the sail is torn", "the sail and the mast", "the rudder too")),
        tags=(),
    )
    for one in (speech, *(replace(source(f"s{i}", "x"), turns=(SourceTurn(0, "the and is too"),)) for i in range(5))):
        rules.add(one)
    text, origin, model = tag_query(speech, source_tags(speech)[0], rules)
    assert text.split() == ["sail", "torn", "mast", "rudder"]
    assert (origin, model) == ("rule", "")


def test_a_chinese_query_by_rule_is_made_of_character_pairs_that_do_not_overlap() -> None:
    rules = RuleQueries()
    speech = replace(
        source("一", "茶", language="zh"), turns=(SourceTurn(0, "龙井茶叶真香"), SourceTurn(1, "龙井哪里买")), tags=()
    )
    rules.add(speech)
    rules.add(source("other", "x"))
    pairs = rules.query(turn.text for turn in speech.turns).split()
    assert 1 <= len(pairs) <= 4
    assert all(len(pair) == 2 for pair in pairs)
    assert len(set("".join(pairs))) == 2 * len(pairs)


def test_a_fragment_without_a_term_is_not_asked_for_and_counted() -> None:
    mute = replace(source("one", "boats", 2), turns=(SourceTurn(0, "!!"), SourceTurn(1, "??")), tags=())
    _, found = labelled([mute, *three()[1:]], [])
    assert found.counts["fragments without a term to ask for"] == 1


def test_a_rules_negative_that_names_the_dialogues_own_words_is_passed_over() -> None:
    near = replace(source("near", "x"), tags=(), turns=(SourceTurn(0, "one two turn"),))
    _, found = labelled(three(), [near], negatives=1)
    assert not [gold for gold in found.gold if gold.kind == "negative"]


def test_terms_leave_out_numbers_single_letters_and_what_nobody_would_type() -> None:
    assert terms("A 12 boats x2") == ["boats", "x2"]
    assert terms(f"boats http://{'x' * 41}/{'y' * 40}") == ["boats", "http", "y" * 40]
