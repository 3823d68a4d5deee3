from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.chat import Member
from mldr.annotation.privacy.pictures import Covered
from mldr.annotation.privacy.treat import LEAST_SHIFT, SHIFTS, Treated, findings, treat, without
from mldr.annotation.records import CutDialogue
from mldr.annotation.reviews import ImageReview, Remove, Reviewed, SpanReview, Whole
from mldr.annotation.store import Store, open_store
from mldr.dialogue import Dialogue, DialogueImage, Utterance
from tests.annotation.support_labels import collected_dialogue, dialogue_name, small_picture, subject

START = datetime(2025, 3, 4, 8, 0)
MEMBERS = (Member("wxid_a", ("林晓雨", "晓雨"), True), Member("wxid_b", ("徐子航",)), Member("wxid_c", ("陈立",)))
TEXTS = ("子航，我的电话13812345678", "好的晓雨", "看这张", "晚上给徐子航打电话", "行")
SPEAKERS = ("wxid_a", "wxid_b", "wxid_a", "wxid_c", "wxid_b")


def cut(number: int = 1) -> CutDialogue:
    keys = [small_picture(0).image_key, small_picture(1).image_key, "ref:missing/2"]
    utterances = tuple(
        Utterance(
            speaker,
            text,
            {1: (0,), 2: (1, 2)}.get(index, ()),
            START + timedelta(minutes=index),
            {3: 0, 4: 1}.get(index),
        )
        for index, (speaker, text) in enumerate(zip(SPEAKERS, TEXTS, strict=True))
    )
    dialogue = Dialogue(
        dialogue_name(number), "zh", "real", "c" * 12, utterances, tuple(DialogueImage(key) for key in keys)
    )
    return CutDialogue(dialogue, "f" * 16, "wechat", tuple((f"m{i}",) for i in range(5)), MEMBERS)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "store", create=True)


def covered(key: str) -> Covered:
    picture = small_picture(int(key[-1], 16))
    return Covered(picture.content, picture.image_key, picture.width, picture.height, picture.media_type, 1, 0)


def treated(store: Store, *statements: object, undecided: bool = True) -> Treated:
    reviewed = Reviewed()
    for statement in statements:
        reviewed.take(statement)  # type: ignore[arg-type]
    return treat(cut(), store, reviewed, covered, undecided=undecided)


def words(told: Treated) -> list[str]:
    return [utterance.text for utterance in told.collected.dialogue.utterances]


def test_people_numbers_and_days_are_others_and_the_rest_is_as_it_was(store: Store) -> None:
    told = treated(store)
    text = "\n".join(words(told))
    for private in ("13812345678", "子航", "晓雨", "陈立", "wxid_"):
        assert private not in text
    assert words(told)[2] == "看这张"
    dialogue = told.collected.dialogue
    assert [utterance.speaker for utterance in dialogue.utterances] == ["S1", "S2", "S1", "S3", "S2"]
    assert [utterance.reply_to for utterance in dialogue.utterances] == [None, None, None, 0, 1]
    shift = {
        START + timedelta(minutes=index) - utterance.time
        for index, utterance in enumerate(dialogue.utterances)
        if utterance.time
    }
    assert len(shift) == 1
    (days,) = shift
    assert days % timedelta(days=1) == timedelta()
    assert LEAST_SHIFT <= days.days < LEAST_SHIFT + SHIFTS


def test_one_person_has_one_surrogate_in_every_form_and_another_in_another_dialogue(store: Store) -> None:
    one = treated(store).collected
    names = [mask.mask.surrogate for mask in one.masks if mask.mask.kind == "name"]
    full = next(mask.mask.surrogate for mask in one.masks if mask.utterance_id == 3)
    given_name = next(mask.mask.surrogate for mask in one.masks if mask.utterance_id == 0 and mask.mask.kind == "name")
    assert full.endswith(given_name)
    other = treat(cut(2), store, Reviewed(), covered, undecided=True).collected
    assert [mask.mask.surrogate for mask in other.masks if mask.mask.kind == "name"] != names
    assert treated(store).collected == one


def test_masks_tell_where_surrogates_stand(store: Store) -> None:
    told = treated(store, SpanReview(utterance_id=2, start=0, end=1, choice="edit", text="瞧瞧"))
    for mask in told.collected.masks:
        text = words(told)[mask.utterance_id]
        assert text[mask.mask.start : mask.mask.end] == mask.mask.surrogate
    assert words(told)[2] == "瞧瞧这张"


def test_a_person_may_keep_what_a_detector_found_mask_more_or_take_words_out(store: Store) -> None:
    (phone,) = (f for f in findings(cut(), Reviewed()) if f.span.kind == "mobile")

    def say(choice: Literal["keep", "mask"]) -> SpanReview:
        return SpanReview(utterance_id=0, start=phone.span.start, end=phone.span.end, choice=choice)

    assert words(treated(store, say("keep")))[0].endswith("13812345678")
    told = treated(store, say("keep"), say("mask"))
    assert "138" not in words(told)[0]
    assert words(treated(store, SpanReview(utterance_id=3, start=0, end=2, choice="edit")))[3].startswith("给")
    marked = treated(store, SpanReview(utterance_id=4, start=0, end=1, choice="mask", kind="other"))
    assert words(marked)[4] != "行"


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 22), st.sampled_from(["mask", "keep", "edit"])), max_size=4)
)
def test_marking_never_brings_a_number_out_that_nobody_chose_to_keep_whole(
    tmp_path_factory: pytest.TempPathFactory, marks: list[tuple[int, int, str]]
) -> None:
    store = open_store(tmp_path_factory.getbasetemp() / "one-store", create=True)
    (phone,) = (f.span for f in findings(cut(), Reviewed()) if f.span.kind == "mobile")
    statements = [
        SpanReview(utterance_id=0, start=start, end=end, choice=choice)  # type: ignore[arg-type]
        for start, end, choice in marks
        if start < end
    ]
    told = treated(store, *statements)
    newest = {(statement.start, statement.end): statement.choice for statement in statements}
    kept = any(
        choice == "keep" and start <= phone.start and end >= phone.end for (start, end), choice in newest.items()
    )
    assert kept or "13812345678" not in words(told)[0]


def test_messages_taken_out_are_gone_with_their_pictures_and_the_links_to_them(store: Store) -> None:
    told = treated(store, Remove(utterance_id=1), Whole(read=True)).collected
    assert told.dialogue.n_utterances == 4
    assert [utterance.reply_to for utterance in told.dialogue.utterances] == [None, None, 0, None]
    assert [utterance.image_ids for utterance in told.dialogue.utterances] == [(), (0, 1), (), ()]
    assert told.treatment["read"] is True
    assert told.treatment["removed"] == 1


def test_who_said_only_what_was_taken_out_is_nobody_in_the_copy(store: Store) -> None:
    told = treated(store, Remove(utterance_id=3)).collected
    assert sorted(told.subjects) == ["S1", "S2"]
    assert store.subject_key("wechat", "wxid_c") not in told.subjects.values()


def test_pictures_wait_for_a_yes(store: Store) -> None:
    told = treated(store, ImageReview(image_id=0, choice="yes"), undecided=False)
    assert [image.status for image in told.collected.images] == ["present", "withheld", "missing"]
    assert list(told.pictures) == [small_picture(0).image_key] or len(told.pictures) == 1
    assert told.withheld == {"nobody said yes yet": 1, "missing from the export": 1}
    shown = treated(store, ImageReview(image_id=1, choice="no"))
    assert [(image.status, image.decision) for image in shown.collected.images] == [
        ("present", ""),
        ("withheld", "no"),
        ("missing", ""),
    ]


def test_a_picture_that_cannot_be_covered_is_withheld_with_the_reason(store: Store) -> None:
    reviewed = Reviewed(images={0: "yes"})
    told = treat(cut(), store, reviewed, lambda key: "could not be covered: broken", undecided=True)
    assert told.pictures == {}
    assert [image.status for image in told.collected.images] == ["withheld", "withheld", "missing"]
    assert told.withheld["could not be covered: broken"] == 2


@given(st.sets(st.integers(0, 9)))
def test_what_stays_keeps_its_words_pictures_and_answers(removed: set[int]) -> None:
    pictures = [small_picture(shade) for shade in range(3)]
    whole = collected_dialogue(1, 10, pictures)
    left = without(whole, removed)
    stays = [i for i in range(10) if i not in removed]
    assert [u.text for u in left.dialogue.utterances] == [whole.dialogue.utterances[i].text for i in stays]
    assert left.dialogue.carried_ids == tuple(range(left.dialogue.n_images))
    for new, old in enumerate(stays):
        before, after = whole.dialogue.utterances[old], left.dialogue.utterances[new]
        keys = [whole.dialogue.images[i].image_key for i in before.image_ids]
        assert [left.dialogue.images[i].image_key for i in after.image_ids] == keys
        if before.reply_to is None or before.reply_to in removed:
            assert after.reply_to is None
        else:
            assert after.reply_to == stays.index(before.reply_to)
    assert [image.image_key for image in left.images] == [image.image_key for image in left.dialogue.images]


def test_a_copy_without_changes_is_the_copy() -> None:
    whole = replace(collected_dialogue(1), subjects={"S1": subject(1), "S2": subject(2)})
    assert without(whole, set()) is whole
