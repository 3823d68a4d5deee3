from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from mldr.builders.duplicates import Duplicates, source_marks
from mldr.builders.match import Match, match
from mldr.builders.plan import plan
from mldr.builders.split import SourceSplit, split_sources, topic_deviation
from mldr.builders.spool import SourceHead
from mldr.components import ties_of_shared
from mldr.identity import stitched_dialogue_id

SHARES = {"validation": 0.4, "test": 0.6}


def head(number: int, topic: str, images: tuple[str, ...] = (), text: str = "", language: str = "en") -> SourceHead:
    name = f"s{number:03d}"
    return SourceHead(name, language, topic, 4, images, text or name, number)


def heads_of(*made: SourceHead) -> dict[str, SourceHead]:
    return {one.source_id: one for one in made}


@st.composite
def corpora(draw: st.DrawFn) -> dict[str, SourceHead]:
    n = draw(st.integers(1, 30))
    made = []
    for number in range(n):
        images = draw(st.lists(st.sampled_from(["i0", "i1", "i2", "i3", "i4"]), max_size=2, unique=True))
        topic, language = draw(st.sampled_from("abcde")), draw(st.sampled_from(["en", "zh"]))
        made.append(head(number, topic, tuple(images), draw(st.sampled_from(["", "same"])), language))
    return heads_of(*made)


def keys_of(heads: dict[str, SourceHead]) -> dict[str, str]:
    return {ref: f"key-{ref}" for one in heads.values() for ref in one.image_refs}


def split(heads: dict[str, SourceHead], seed: int = 0) -> SourceSplit:
    return split_sources(heads, keys_of(heads), SHARES, seed)


@given(corpora(), st.integers(0, 5))
def test_no_image_and_no_text_is_in_two_splits(heads: dict[str, SourceHead], seed: int) -> None:
    home: dict[str, str] = {}
    for source_id, name in split(heads, seed).split_of.items():
        for mark in (*heads[source_id].image_refs, heads[source_id].text_hash):
            assert home.setdefault(mark, name) == name


@given(corpora(), st.integers(0, 5))
def test_every_source_is_in_a_split_or_counted_as_dropped(heads: dict[str, SourceHead], seed: int) -> None:
    found = split(heads, seed)
    assert len(found.split_of) + sum(found.dropped.values()) == len(heads)


@given(corpora(), st.integers(0, 3))
def test_a_split_does_not_depend_on_the_order_of_the_sources(heads: dict[str, SourceHead], seed: int) -> None:
    backwards = dict(reversed(list(heads.items())))
    assert split(heads, seed) == split(backwards, seed)


def test_single_sources_are_dealt_out_by_their_shares() -> None:
    heads = heads_of(*(head(i, "t") for i in range(100)))
    assert Counter(split(heads).split_of.values()) == {"validation": 40, "test": 60}


def test_sources_outside_the_shares_are_dropped_and_counted() -> None:
    heads = heads_of(*(head(i, "t") for i in range(100)))
    found = split_sources(heads, {}, {"test": 0.25}, 0)
    assert len(found.split_of) == 25
    assert found.dropped == {"sources outside the shares of the splits": 75}


def test_a_component_larger_than_its_split_is_cut_down_and_the_cut_is_counted() -> None:
    heads = heads_of(*(head(i, "t", ("shared",) if i < 90 else ()) for i in range(100)))
    found = split(heads)
    shared = [source_id for source_id in found.split_of if heads[source_id].image_refs]
    assert len(shared) == 60
    assert len({found.split_of[source_id] for source_id in shared}) == 1
    assert found.dropped["sources of a component larger than its split"] == 30


def test_another_seed_gives_another_split() -> None:
    heads = heads_of(*(head(i, "t") for i in range(40)))
    assert split(heads, 1).split_of != split(heads, 2).split_of


def matched(heads: dict[str, SourceHead], seed: int = 0) -> tuple[list[Match], SourceSplit, Counter[str]]:
    parts = split(heads, seed)
    dropped: Counter[str] = Counter()
    return match(heads, parts.split_of, keys_of(heads), seed, dropped), parts, dropped


@given(corpora(), st.integers(0, 5))
@settings(max_examples=200)
def test_a_match_has_three_topics_of_one_split_and_language_and_no_shared_image(
    heads: dict[str, SourceHead], seed: int
) -> None:
    matches, parts, dropped = matched(heads, seed)
    used = Counter(source_id for one in matches for source_id in one.source_ids)
    assert all(count == 1 for count in used.values())
    assert len(used) + sum(dropped.values()) == len(parts.split_of)
    for one in matches:
        told = [heads[source_id] for source_id in one.source_ids]
        assert len({h.topic for h in told}) == 3
        assert {h.language for h in told} == {one.language}
        assert {parts.split_of[h.source_id] for h in told} == {one.split}
        images = [ref for h in told for ref in set(h.image_refs)]
        assert len(images) == len(set(images))


@given(corpora(), st.integers(0, 3))
@settings(max_examples=200)
def test_nothing_that_could_still_be_matched_is_left_over(heads: dict[str, SourceHead], seed: int) -> None:
    matches, parts, _ = matched(heads, seed)
    used = {source_id for one in matches for source_id in one.source_ids}
    left: dict[tuple[str, str], list[SourceHead]] = defaultdict(list)
    for source_id, name in parts.split_of.items():
        if source_id not in used:
            left[name, heads[source_id].language].append(heads[source_id])
    for pool in left.values():
        alone = heads_of(*pool)
        again = match(alone, dict.fromkeys(alone, "test"), keys_of(alone), seed, Counter())
        assert again == []


def test_full_topics_are_used_first_so_that_few_sources_are_left() -> None:
    heads = heads_of(*(head(i, "abc"[i % 3] if i < 9 else "a") for i in range(12)))
    dropped: Counter[str] = Counter()
    matches = match(heads, dict.fromkeys(heads, "test"), {}, 0, dropped)
    assert len(matches) == 3
    assert sum(dropped.values()) == 3


def test_the_plan_is_sorted_and_its_ids_come_from_the_sources() -> None:
    heads = heads_of(*(head(i, "abcdef"[i % 6]) for i in range(36)))
    matches, parts, _ = matched(heads)
    rows = plan(matches, heads, parts, 2, 0)
    assert rows == sorted(rows, key=lambda row: (row.split, row.dialogue_id))
    assert all(row.dialogue_id == stitched_dialogue_id(row.source_ids, "en") for row in rows)
    assert len({row.dialogue_id for row in rows}) == len(rows) == len(matches)


@given(corpora(), st.integers(0, 3))
@settings(max_examples=150)
def test_strangers_are_of_other_topics_and_components_of_the_same_split(
    heads: dict[str, SourceHead], seed: int
) -> None:
    matches, parts, _ = matched(heads, seed)
    for row in plan(matches, heads, parts, 2, seed):
        topics = {heads[source_id].topic for source_id in row.source_ids}
        near = {parts.component_of[source_id] for source_id in row.source_ids}
        for stranger in row.strangers:
            assert parts.split_of[stranger] == row.split
            assert heads[stranger].language == row.language
            assert heads[stranger].topic not in topics
            assert parts.component_of[stranger] not in near


@given(corpora(), st.integers(0, 3))
@settings(max_examples=150)
def test_dialogues_that_share_a_source_component_are_one_cluster_and_no_cluster_is_in_two_splits(
    heads: dict[str, SourceHead], seed: int
) -> None:
    matches, parts, _ = matched(heads, seed)
    cluster_of: dict[str, str] = {}
    split_of: dict[str, str] = {}
    for row in plan(matches, heads, parts, 0, seed):
        assert split_of.setdefault(row.cluster_id, row.split) == row.split
        for source_id in row.source_ids:
            assert cluster_of.setdefault(parts.component_of[source_id], row.cluster_id) == row.cluster_id


def test_dialogues_without_anything_in_common_are_clusters_of_their_own() -> None:
    heads = heads_of(*(head(i, "abc"[i % 3]) for i in range(9)))
    parts = split_sources(heads, {}, {"test": 1.0}, 0)
    matches = match(heads, parts.split_of, {}, 0, Counter())
    rows = plan(matches, heads, parts, 0, 0)
    assert len({row.cluster_id for row in rows}) == len(rows) == 3


def test_a_large_pool_is_sampled_for_strangers() -> None:
    heads = heads_of(*(head(i, f"t{i % 7}") for i in range(700)))
    parts = split_sources(heads, {}, {"test": 1.0}, 0)
    rows = plan(match(heads, parts.split_of, {}, 0, Counter()), heads, parts, 2, 0)
    assert all(len(row.strangers) == len(set(row.strangers)) == 16 for row in rows)


@st.composite
def twins(draw: st.DrawFn) -> tuple[dict[str, SourceHead], Duplicates]:
    """Return sources, and groups of near-duplicates among them and among their pictures."""
    heads = draw(corpora())
    groups = draw(st.lists(st.sets(st.sampled_from(sorted(heads)), min_size=2), max_size=2)) if len(heads) > 1 else []
    texts = {member: min(group) for group in groups for member in sorted(group)}
    images = draw(st.sampled_from([{}, {"key-i0": "key-i0", "key-i3": "key-i0"}]))
    return heads, Duplicates(texts, images)


@given(twins(), st.integers(0, 3))
@settings(max_examples=100)
def test_near_duplicates_are_neither_in_two_splits_nor_in_one_dialogue(
    made: tuple[dict[str, SourceHead], Duplicates], seed: int
) -> None:
    heads, duplicates = made
    marks = source_marks(heads, keys_of(heads), duplicates)
    parts = split_sources(heads, keys_of(heads), SHARES, seed, ties_of_shared(marks))
    home: dict[str, str] = {}
    for source_id, name in parts.split_of.items():
        assert {home.setdefault(mark, name) for mark in marks[source_id]} == {name}
    for one in match(heads, parts.split_of, keys_of(heads), seed, Counter(), marks=marks, neighbours=4):
        told = [mark for source_id in one.source_ids for mark in marks[source_id]]
        assert len(told) == len(set(told))
        for near in one.neighbours:
            assert not marks[near] & set(told)
            assert near not in one.source_ids


@given(twins(), st.integers(0, 3))
@settings(max_examples=50)
def test_neighbours_by_topic_are_of_the_topics_split_and_language_of_their_match(
    made: tuple[dict[str, SourceHead], Duplicates], seed: int
) -> None:
    heads, _ = made
    parts = split(heads, seed)
    for one in match(heads, parts.split_of, keys_of(heads), seed, Counter(), neighbours=3):
        topics = {heads[source_id].topic for source_id in one.source_ids}
        assert len(one.neighbours) == len(set(one.neighbours)) <= 3
        for near in one.neighbours:
            assert heads[near].topic in topics
            assert parts.split_of[near] == one.split
            assert heads[near].language == one.language


def test_neighbours_change_no_match_and_come_from_all_three_topics() -> None:
    heads = heads_of(*(head(i, "abc"[i % 3]) for i in range(60)))
    home = dict.fromkeys(heads, "test")
    plain = match(heads, home, {}, 0, Counter())
    near = match(heads, home, {}, 0, Counter(), neighbours=6)
    assert [one.source_ids for one in plain] == [one.source_ids for one in near]
    assert all({heads[s].topic for s in one.neighbours} == {"a", "b", "c"} and len(one.neighbours) == 6 for one in near)
    assert len({one.neighbours for one in near}) > 1


def test_ties_of_sources_that_were_dropped_are_passed_over() -> None:
    heads = heads_of(*(head(i, "t") for i in range(4)))
    parts = split_sources(heads, {}, SHARES, 0, [("s000", "s001"), ("s002", "gone"), ("gone", "s003")])
    assert parts.component_of == {"s000": "s000", "s001": "s000", "s002": "s002", "s003": "s003"}


FOUR = {"train_sft": 0.2, "train_grpo": 0.6, "validation": 0.1, "test": 0.1}


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(0, 5))
@settings(max_examples=60)
def test_single_sources_are_dealt_out_topic_by_topic(sizes: list[int], seed: int) -> None:
    topics = [f"t{number}" for number, size in enumerate(sizes) for _ in range(size)]
    heads = heads_of(*(head(i, topic) for i, topic in enumerate(topics)))
    parts = split_sources(heads, {}, FOUR, seed)
    held = Counter((parts.split_of[s], heads[s].topic) for s in heads)
    for number, size in enumerate(sizes):
        if size >= 10:
            for name, share in FOUR.items():
                assert abs(held[name, f"t{number}"] - share * size) <= 2.5
    counts = Counter(parts.split_of.values())
    assert all(abs(counts[name] - share * len(heads)) <= len(sizes) / 2 + 1 for name, share in FOUR.items())


def test_topics_that_come_once_do_not_push_the_frequent_ones_out_of_a_split() -> None:
    heads = heads_of(*(head(i, f"once{i}" if i % 2 else f"t{i % 10}") for i in range(1000)))
    parts = split_sources(heads, {}, FOUR, 0)
    held = Counter((parts.split_of[s], heads[s].topic[:4]) for s in heads)
    for name, share in FOUR.items():
        assert abs(held[name, "once"] - 500 * share) <= 3
        assert all(abs(held[name, f"t{topic}"] - 100 * share) <= 3 for topic in range(0, 10, 2))


def test_components_of_many_sizes_keep_the_mix_of_topics() -> None:
    heads = heads_of(*(head(i, f"t{i % 6}", (f"i{i * i % 211}",)) for i in range(900)))
    parts = split_sources(heads, keys_of(heads), FOUR, 1)
    assert len(set(parts.component_of.values())) < 300
    assert max(topic_deviation(heads, parts.split_of).values()) < 0.1


def test_the_deviation_is_the_share_of_sources_that_would_have_to_change_their_topic() -> None:
    heads = heads_of(*(head(i, "a" if i < 4 else "b") for i in range(8)))
    home = {f"s{i:03d}": "test" if i in (0, 1, 2, 4) else "validation" for i in range(8)}
    assert topic_deviation(heads, home) == {"test": 0.25, "validation": 0.25}
