from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mldr.annotation.privacy.reviewed import apply_reviews
from mldr.annotation.records import Collected, CollectedMask
from mldr.annotation.reviews import Choice, Reviewed, SpanReview
from mldr.annotation.spans import Mask
from mldr.errors import InputError
from tests.annotation.support_labels import collected_dialogue, small_picture

TEXT = "call Dana at [phone1] or ask Robin, please"


def one() -> Collected:
    """Return a dialogue whose first message holds three masks."""
    collected = collected_dialogue(1, 4, [small_picture()])
    utterances = (replace(collected.dialogue.utterances[0], text=TEXT), *collected.dialogue.utterances[1:])
    masks = tuple(
        CollectedMask(0, Mask(TEXT.index(word), TEXT.index(word) + len(word), "name", word, 0.5, "hints"))
        for word in ("Dana", "[phone1]", "Robin")
    )
    return replace(collected, dialogue=replace(collected.dialogue, utterances=utterances), masks=masks)


def review(word: str, choice: Choice, text: str = "") -> SpanReview:
    start = TEXT.index(word)
    return SpanReview(utterance_id=0, start=start, end=start + len(word), choice=choice, text=text)


def applied(*reviews: SpanReview, **more: object) -> Collected:
    reviewed = Reviewed(**more)  # type: ignore[arg-type]
    for statement in reviews:
        reviewed.take(statement)
    return apply_reviews(one(), reviewed)


def test_other_words_move_every_mask_behind_them_along() -> None:
    now = applied(review("Dana", "edit", "somebody I know"), review("Robin", "edit", ""), review("please", "mask"))
    text = now.dialogue.utterances[0].text
    assert text == "call somebody I know at [phone1] or ask , [other]"
    for mask in now.masks:
        assert text[mask.mask.start : mask.mask.end] == mask.mask.surrogate
    assert [mask.mask.surrogate for mask in now.masks] == ["somebody I know", "[phone1]", "[other]"]


def test_keep_says_that_nothing_more_need_be_done_and_brings_nothing_back() -> None:
    now = applied(review("Dana", "keep"), review("call", "keep"))
    assert now.dialogue.utterances[0].text == TEXT
    assert [mask.decision for mask in now.masks] == ["keep", "", ""]


def test_a_wide_mark_takes_in_what_it_covers_and_one_that_crosses_another_is_refused() -> None:
    assert (
        applied(review("Dana at [phone1]", "mask")).dialogue.utterances[0].text == "call [other] or ask Robin, please"
    )
    with pytest.raises(InputError, match="overlaps"):
        applied(review("Dana at", "mask"), review("at [phone1]", "edit", "x"))


def test_a_removed_message_keeps_its_id_and_loses_its_words_and_pictures() -> None:
    now = applied(removed={0})
    assert now.dialogue.n_utterances == 4
    assert now.dialogue.utterances[0].text == ""
    assert now.dialogue.utterances[0].image_ids == (0,)
    assert (now.images[0].status, now.dialogue.images[0].image_key) == ("withheld", "ref:withheld/0")
    assert now.masks == ()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"removed": {9}}, "message 9"),
        ({"images": {4: "yes"}}, "picture 4"),
    ],
)
def test_a_decision_about_what_is_not_there_is_a_fault(more: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        applied(**more)
    with pytest.raises(InputError, match="no such message"):
        applied(SpanReview(utterance_id=9, start=0, end=1, choice="mask"))
    with pytest.raises(InputError, match="no stretch"):
        applied(SpanReview(utterance_id=0, start=40, end=99, choice="mask"))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 41), st.integers(1, 42), st.sampled_from(["mask", "keep", "edit"]), st.text(max_size=5)
        ),
        max_size=5,
    )
)
def test_masks_always_stand_where_they_say_or_the_whole_is_refused(
    marks: list[tuple[int, int, Choice, str]],
) -> None:
    reviews = [
        SpanReview(utterance_id=0, start=start, end=end, choice=choice, text=text)
        for start, end, choice, text in marks
        if start < end <= len(TEXT)
    ]
    try:
        now = applied(*reviews)
    except InputError as error:
        refused = str(error)
        assume("overlaps" not in refused)
        raise
    text = now.dialogue.utterances[0].text
    ends = 0
    for mask in now.masks:
        assert text[mask.mask.start : mask.mask.end] == mask.mask.surrogate
        assert mask.mask.start >= ends
        ends = mask.mask.end
    changed = {(r.start, r.end) for r in reviews if r.choice != "keep"}
    if not changed:
        assert text == TEXT
