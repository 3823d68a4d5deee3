from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mldr
from mldr.summary import ROWS, Range, SplitSummary, is_scattered, shown, summarise
from mldr.tables import Record
from tests.conftest import small_dialogue, small_rows, write_dataset
from tests.core.support import textless


def test_a_split_is_counted(small_dataset: mldr.Dataset) -> None:
    summary = summarise(small_dataset, "test")
    assert (summary.dialogues, summary.clusters, summary.languages) == (2, 2, {"en": 2})
    assert (summary.utterances.mean, summary.utterances.low, summary.utterances.high) == (6, 6, 6)
    assert (summary.images.mean, summary.images.low, summary.images.high) == (0.5, 0, 1)
    assert (summary.queries.mean, summary.queries.low, summary.queries.high) == (2, 1, 3)
    assert summary.kinds == {"image": 1, "multimodal": 1, "negative": 1, "utterance": 1}
    assert summary.levels == {"fine": 4}
    assert summary.label_sources == {"rule": 4}
    assert summary.image_status == {"present": 1}
    assert summary.licences == {"not stated": 3}


def test_shares_are_of_the_queries_that_have_an_answer(small_dataset: mldr.Dataset) -> None:
    summary = summarise(small_dataset, "test")
    assert summary.gold_utterances.total == 4
    assert summary.utterance_share == 4 / 18
    assert summary.gold_images.total == 2
    assert summary.image_share == 2 / 3
    assert summary.scattered == 2


def test_textless_utterances_are_outside_the_share(tmp_path: Path) -> None:
    rows = small_rows(0, "red")
    dialogue = rows["dialogues"][0]
    assert isinstance(dialogue, mldr.Dialogue)
    rows["dialogues"][0] = textless(textless(dialogue, 3), 5)
    summary = summarise(write_dataset(tmp_path, {"test": rows}), "test")
    assert summary.textless == 2
    assert summary.utterance_share == 4 / 12


def test_topics_are_fragments_of_level_topic(tmp_path: Path) -> None:
    rows = small_rows(0, "red")
    first = rows["fragments"][0]
    assert isinstance(first, mldr.Fragment)
    rows["fragments"] += [replace(first, fragment_id=f"{first.fragment_id}-{i}", level="topic") for i in range(3)]
    assert summarise(write_dataset(tmp_path, {"test": rows}), "test").topics.mean == 3


def test_a_split_without_gold_is_counted_too(tmp_path: Path) -> None:
    summary = summarise(write_dataset(tmp_path, {"test": {"dialogues": [small_dialogue(1)]}}), "test")
    assert (summary.dialogues, summary.kinds, summary.utterance_share) == (1, {}, 0.0)
    for field in ("kinds", "utterance_share", "image_share_all", "scattered", "span", "verified"):
        assert shown(summary, field) == "-", field


@given(st.sets(st.integers(0, 7)), st.sets(st.integers(0, 7)))
def test_gold_is_scattered_if_text_that_is_not_gold_lies_between(gold: set[int], without: set[int]) -> None:
    dialogue = small_dialogue(1, 8)
    for position in without:
        dialogue = textless(dialogue, position)
    ids = tuple(sorted(gold - without))
    between = [
        i for i in range(8) if i not in ids and i not in without and any(j < i for j in ids) and any(j > i for j in ids)
    ]
    assert is_scattered(ids, dialogue) == bool(between)


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=20))
def test_a_range_is_the_mean_and_the_extremes(values: list[int]) -> None:
    found = Range()
    for value in values:
        found.add(value)
    assert (found.low, found.high, found.count) == (min(values), max(values), len(values))
    assert found.mean == pytest.approx(mean(values))


def test_statistics_are_shown_in_words() -> None:
    summary = SplitSummary(dialogues=1_234, utterance_share=0.25, kinds={"image": 2_000, "negative": 1})
    assert shown(summary, "dialogues") == "1,234"
    assert shown(summary, "utterance_share") == "25.0 %"
    assert shown(summary, "kinds") == "image 2,000, negative 1"
    assert shown(summary, "utterances") == "-"
    summary.utterances.add(3)
    summary.fragment_length["fine"] = summary.utterances
    assert shown(summary, "utterances") == "3.00 (3 to 3)"
    assert shown(summary, "fragment_length") == "fine 3.00 (3 to 3)"


def test_every_statistic_is_shown() -> None:
    assert [field for field, _ in ROWS] == list(SplitSummary.model_fields)


def test_spread_lengths_and_densities_are_those_of_a_brute_force_count(demo_dataset: mldr.Dataset) -> None:
    for split in demo_dataset.splits:
        summary = summarise(demo_dataset, split)
        spans, scatters, texts, images, candidates, pictures = [], [], 0, 0, 0, 0
        for asked in demo_dataset.asked(split):
            said = [i for i, utterance in enumerate(asked.dialogue.utterances) if utterance.text]
            for gold in asked.gold:
                candidates += len(said)
                pictures += asked.dialogue.n_images
                texts += len(gold.utterance_ids)
                images += len(gold.image_ids)
                touched = [
                    i
                    for i, utterance in enumerate(asked.dialogue.utterances)
                    if i in gold.utterance_ids or set(utterance.image_ids) & set(gold.image_ids)
                ]
                if touched:
                    spans.append((touched[-1] - touched[0]) / asked.dialogue.n_utterances)
                if gold.utterance_ids:
                    inside = [i for i in said if min(gold.utterance_ids) <= i <= max(gold.utterance_ids)]
                    scatters.append(sum(i not in gold.utterance_ids for i in inside) / len(inside))
        assert summary.span.mean == pytest.approx(mean(spans))
        assert summary.scatter.mean == pytest.approx(mean(scatters))
        assert sum(share > 0 for share in scatters) == summary.scattered
        assert summary.utterance_share_all == pytest.approx(texts / candidates)
        assert summary.image_share_all == pytest.approx(images / pictures)
        lengths = [len(query.text) for query in demo_dataset.queries(split)]
        assert summary.query_length.mean == pytest.approx(mean(lengths))
        assert summary.query_length.high == max(lengths)
        for level, found in summary.fragment_length.items():
            sizes = [len(f.utterance_ids) + len(f.image_ids) for f in demo_dataset.fragments(split) if f.level == level]
            assert found.count == len(sizes)
            assert found.mean == pytest.approx(mean(sizes))


@pytest.mark.parametrize(
    ("sizes", "bins"),
    [
        ([4], {"0-4": 1}),
        ([5, 9, 21], {"5-9": 2, "10-14": 0, "15-19": 0, "20-24": 1}),
        ([99, 100, 250], {"95-99": 1, "100 or more": 2}),
    ],
)
def test_dialogues_are_counted_by_fives_of_utterances(tmp_path: Path, sizes: list[int], bins: dict[str, int]) -> None:
    dialogues: list[Record] = [small_dialogue(number, size) for number, size in enumerate(sizes)]
    assert list(summarise(write_dataset(tmp_path, {"test": {"dialogues": dialogues}}), "test").turns.items()) == list(
        bins.items()
    )


def test_verified_labels_and_types_of_negatives_are_counted(tmp_path: Path) -> None:
    rows = small_rows(0, "red")
    rows["gold"] = [replace(gold, verified=True) for gold in rows["gold"] if isinstance(gold, mldr.Gold)]
    summary = summarise(write_dataset(tmp_path, {"test": rows}), "test")
    assert (summary.verified, summary.negative_types) == (4, {"unrelated": 1})
