"""The bundled demo, held to what its users were promised."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import mldr
from mldr.builders.recipe import load_recipe
from mldr.builders.sources.demo import DEMO_FOLDER, DemoSource, package_folder, photos
from mldr.builders.sources.record import Reading, SourceDialogue
from mldr.errors import MissingExtra
from mldr.images import normalise
from mldr.tokens import tokens
from mldr.verify import verify


@pytest.fixture(scope="module")
def dialogues() -> list[SourceDialogue]:
    reading = Reading()
    source = DemoSource(load_recipe(DEMO_FOLDER / "recipe.yaml").sources[0], DEMO_FOLDER)
    found = list(source.read(reading))
    assert not reading.faults, list(reading.faults)
    assert not reading.counts
    return found


def test_there_are_sixty_dialogues_or_more_half_of_them_chinese(dialogues: list[SourceDialogue]) -> None:
    languages = Counter(dialogue.language for dialogue in dialogues)
    assert len(dialogues) >= 60
    assert languages["zh"] == languages["en"] == len(dialogues) / 2


def test_there_are_twelve_topics_or_more(dialogues: list[SourceDialogue]) -> None:
    assert len({dialogue.topic for dialogue in dialogues}) >= 12


def test_a_dialogue_has_six_to_eleven_utterances_of_two_people_who_share_a_photo(
    dialogues: list[SourceDialogue],
) -> None:
    for dialogue in dialogues:
        assert 6 <= len(dialogue.turns) <= 11, dialogue.source_id
        assert {turn.speaker for turn in dialogue.turns} == {0, 1}, dialogue.source_id
        assert dialogue.images, dialogue.source_id


def test_every_dialogue_has_a_topic_tag_and_fine_tags_each_with_its_own_query(dialogues: list[SourceDialogue]) -> None:
    queries = Counter(tag.query for dialogue in dialogues for tag in dialogue.tags)
    assert max(queries.values()) == 1
    assert "" not in queries
    for dialogue in dialogues:
        levels = Counter(tag.level for tag in dialogue.tags)
        assert levels["topic"] == 1, dialogue.source_id
        assert levels["fine"] >= 2, dialogue.source_id


def test_a_fine_tag_marks_two_elements_or_one_image_and_some_are_scattered(dialogues: list[SourceDialogue]) -> None:
    scattered = 0
    for dialogue in dialogues:
        for tag in dialogue.tags:
            if tag.level == "fine":
                assert len(tag.turns) + len(tag.images) >= 2 or (not tag.turns and len(tag.images) == 1)
                scattered += bool(tag.turns) and tag.turns[-1] - tag.turns[0] >= len(tag.turns)
    assert scattered >= 30


def test_no_query_quotes_the_text(dialogues: list[SourceDialogue]) -> None:
    for dialogue in dialogues:
        spoken = " ".join(" ".join(tokens(turn.text.replace("'", ""), (1,))) for turn in dialogue.turns)
        size = 6 if dialogue.language == "zh" else 4
        for tag in dialogue.tags:
            words = tokens(tag.query.replace("'", ""), (1,))
            for start in range(len(words) - size + 1):
                run = " ".join(words[start : start + size])
                assert f" {run} " not in f" {spoken} ", (dialogue.source_id, tag.query)


def test_no_text_stands_in_two_dialogues(dialogues: list[SourceDialogue]) -> None:
    texts = Counter(turn.text for dialogue in dialogues for turn in dialogue.turns if len(turn.text) > 8)
    assert not [text for text, count in texts.items() if count > 1]


def test_nobody_is_named_in_the_texts(dialogues: list[SourceDialogue]) -> None:
    for dialogue in dialogues:
        for turn in dialogue.turns:
            for name in dialogue.speakers:
                assert not re.search(rf"\b{re.escape(name)}\b", turn.text), (dialogue.source_id, name)


def test_the_photographs_fall_into_groups_that_no_source_crosses(dialogues: list[SourceDialogue]) -> None:
    groups: dict[str, set[str]] = defaultdict(set)
    for dialogue in dialogues:
        refs = {image.ref for image in dialogue.images}
        for ref in refs:
            groups[ref] |= refs
    assert all(groups[other] == group for group in groups.values() for other in group)
    assert len({frozenset(group) for group in groups.values()}) == 8


def test_there_are_fourteen_photographs_or_more_each_with_licence_credit_and_captions() -> None:
    found = photos()
    assert len(found) >= 14
    for name, photo in found.items():
        assert photo.licence, name
        assert photo.attribution, name
        assert set(photo.caption) == {"en", "zh"}, name
        assert photo.package in ("skimage", "sklearn")


def test_the_photographs_are_distinct_pictures_that_decode() -> None:
    keys = set()
    for photo in photos().values():
        image = normalise((package_folder(photo.package) / photo.file).read_bytes())
        assert min(image.width, image.height) >= 150
        keys.add(image.image_key)
    assert len(keys) == len(photos())


def test_no_face_set_drawing_or_noise_is_used() -> None:
    files = {Path(photo.file).stem for photo in photos().values()}
    assert files.isdisjoint({"lfw_subset", "motorcycle_right", "logo", "phantom", "color", "horse", "chessboard_RGB"})


def test_a_package_that_is_not_installed_is_named_with_what_to_install() -> None:
    with pytest.raises(MissingExtra, match=r"pip install 'mldr\[demo\]'"):
        package_folder("mldr_no_such_package")


def test_the_built_demo_verifies_and_has_both_splits(demo_dataset: mldr.Dataset) -> None:
    assert verify(demo_dataset) == {}
    assert demo_dataset.splits == ("validation", "test")


@pytest.mark.parametrize("split", ["validation", "test"])
def test_stitched_dialogues_have_three_topics_and_22_to_29_utterances_on_average(
    demo_dataset: mldr.Dataset, split: str
) -> None:
    dialogues = list(demo_dataset.dialogues(split))
    topics: dict[str, set[str]] = defaultdict(set)
    for fragment in demo_dataset.fragments(split):
        if fragment.level == "topic":
            topics[fragment.dialogue_id].add(fragment.topic)
    assert all(len(topics[dialogue.dialogue_id]) == 3 for dialogue in dialogues)
    assert 22 <= sum(dialogue.n_utterances for dialogue in dialogues) / len(dialogues) <= 29


@pytest.mark.parametrize("split", ["validation", "test"])
def test_queries_of_all_four_kinds_are_asked(demo_dataset: mldr.Dataset, split: str) -> None:
    kinds = Counter(gold.kind for gold in demo_dataset.gold(split))
    assert all(kinds[kind] >= 20 for kind in ("multimodal", "utterance", "image", "negative")), kinds


def test_ids_and_order_do_not_tell_negatives_from_others(demo_dataset: mldr.Dataset) -> None:
    for split in demo_dataset.splits:
        ids = [query.query_id for query in demo_dataset.queries(split)]
        assert ids == sorted(ids)
        assert {len(query_id) for query_id in ids} == {25}
        assert {query.meta for query in demo_dataset.queries(split)} == {""}


def test_the_card_warns_that_it_is_a_demonstration(demo_dataset: mldr.Dataset) -> None:
    text = (demo_dataset.folder / "README.md").read_text(encoding="utf-8")
    warning = text.split("# mldr-ffr-demo")[1][:400]
    for words in ("language model", "demonstration", "Never quote"):
        assert words in warning
    for photo in photos().values():
        assert photo.attribution.split(",")[0].split(" (")[0] in text
