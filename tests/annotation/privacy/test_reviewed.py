from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.privacy.reviewed import apply_reviews
from mldr.annotation.records import Collected, CollectedMask
from mldr.annotation.reviews import ImageReview, Remove, Review, Reviewed, SpanReview, Whole
from mldr.annotation.spans import Mask
from mldr.errors import InputError
from tests.annotation.support_labels import collected_dialogue, small_picture

WORDS = st.text(alphabet="ab林😀 \u0301[]", min_size=1, max_size=6)


def dialogue(text: str, *masks: tuple[int, int, str], confidence: float = 0.5) -> Collected:
    """A dialogue of six messages with two pictures; message 3 has the text and its masks."""
    made = collected_dialogue(1, 6, [small_picture(0), small_picture(1)])
    utterances = list(made.dialogue.utterances)
    utterances[3] = replace(utterances[3], text=text)
    held = tuple(
        CollectedMask(3, Mask(*at, "name", text[at[0] : at[1]], confidence, "member")) for at in _places(masks)
    )
    return replace(made, dialogue=replace(made.dialogue, utterances=tuple(utterances)), masks=held)


def _places(masks: tuple[tuple[int, int, str], ...]) -> list[tuple[int, int]]:
    return [(start, end) for start, end, _ in masks]


def after(collected: Collected, *statements: Review) -> Collected:
    reviewed = Reviewed()
    for statement in statements:
        reviewed.take(statement)
    return apply_reviews(collected, reviewed)


def attempt(collected: Collected, *statements: Review) -> tuple[Collected | None, list[str]]:
    """Return what becomes of a dialogue, or the places of the faults."""
    try:
        return after(collected, *statements), []
    except InputError as error:
        return None, [fault.place for fault in error.faults]


def span(start: int, end: int, choice: str, text: str = "", utterance_id: int = 3) -> SpanReview:
    told = {"utterance_id": utterance_id, "start": start, "end": end, "choice": choice, "text": text}
    return SpanReview.model_validate(told)


def text_of(collected: Collected) -> str:
    return collected.dialogue.utterances[3].text


def well_placed(collected: Collected) -> None:
    """Every mask stands where its words are, in order, and none in another."""
    own = [held.mask for held in collected.masks if held.utterance_id == 3]
    for mask in own:
        assert text_of(collected)[mask.start : mask.end] == mask.surrogate
        assert mask.surrogate
    assert all(one.end <= other.start for one, other in pairwise(own))


@st.composite
def decided(draw: st.DrawFn) -> tuple[Collected, list[Review], str]:
    """A text in pieces, some masked; what is decided about each piece; and the text that must come out."""
    text, wanted = "", ""
    masks: list[tuple[int, int, str]] = []
    statements: list[Review] = []
    for kind in draw(st.lists(st.sampled_from(["plain", "mark", "mark edit", "", "keep", "mask", "edit"]), max_size=8)):
        words, other = draw(WORDS), draw(st.text(alphabet="xy张😀", max_size=4))
        start, end = len(text), len(text) + len(words)
        text += words
        if kind not in ("plain", "mark", "mark edit"):
            masks.append((start, end, words))
        choice = {"mark": "mask", "mark edit": "edit"}.get(kind, kind)
        if kind not in ("plain", ""):
            statements.append(span(start, end, choice, other if choice == "edit" else ""))
        wanted += other if choice == "edit" else "[other]" if kind == "mark" else words
    return dialogue(text, *masks), draw(st.permutations(statements)), wanted


@given(decided())
def test_every_piece_becomes_what_was_decided_about_it_whatever_the_order(
    case: tuple[Collected, list[Review], str],
) -> None:
    collected, statements, wanted = case
    now = after(collected, *statements)
    assert text_of(now) == wanted
    well_placed(now)
    others = [said.text for i, said in enumerate(now.dialogue.utterances) if i != 3]
    assert others == [said.text for i, said in enumerate(collected.dialogue.utterances) if i != 3]


SPANS = st.builds(
    lambda start, length, choice, text: span(start, start + length, choice, text),
    st.integers(0, 22),
    st.integers(1, 12),
    st.sampled_from(["keep", "mask", "edit"]),
    st.sampled_from(["", "xy"]),
)


@given(st.lists(SPANS, max_size=5))
def test_whatever_is_marked_the_result_holds_together_or_is_refused(statements: list[SpanReview]) -> None:
    collected = dialogue("call 林晓雨 at [phone1] now", (5, 8, ""), (12, 20, ""))
    now, refused = attempt(collected, *statements)
    if now is None:
        assert all(place.startswith("message 3, characters ") for place in refused)
        return
    well_placed(now)
    newest = {(one.start, one.end): one for one in statements}
    places = [(5, 8), (12, 20), *(place for place, one in newest.items() if one.choice != "keep")]
    held = [(held.mask.start, held.mask.end) for held in now.masks]
    assert without(text_of(now), held) == without(text_of(collected), places)


def without(text: str, places: list[tuple[int, int]]) -> str:
    """Return what of a text stands in none of the places."""
    return "".join(one for at, one in enumerate(text) if not any(start <= at < end for start, end in places))


def test_nothing_decided_is_nothing_changed() -> None:
    collected = dialogue("call 林晓雨", (5, 8, ""))
    assert after(collected) == replace(collected, treatment={**collected.treatment, "left_out": False})


def test_a_mark_takes_in_the_masks_that_it_covers_whole() -> None:
    collected = dialogue("call 林晓雨 at [phone1] now", (5, 8, ""), (12, 20, ""))
    now = after(collected, span(5, 20, "mask"))
    assert text_of(now) == "call [other] now"
    assert [held.mask.detector for held in now.masks] == ["person"]


@pytest.mark.parametrize("place", [(6, 14), (0, 6), (6, 7), (13, 24), (7, 13)])
def test_a_mark_that_crosses_a_mask_is_refused(place: tuple[int, int]) -> None:
    collected = dialogue("call 林晓雨 at [phone1] now", (5, 8, ""), (12, 20, ""))
    with pytest.raises(InputError, match="overlaps"):
        after(collected, span(*place, "mask"))


def test_two_marks_that_cross_are_refused_and_one_of_them_taken_back_is_well() -> None:
    collected = dialogue("one two three four")
    marks = [span(0, 7, "mask"), span(4, 13, "mask")]
    with pytest.raises(
        InputError, match="message 3, characters 4 to 13: overlaps what was decided about characters 0 to 7"
    ):
        after(collected, *marks)
    assert text_of(after(collected, *marks, span(0, 7, "keep"))) == "one [other] four"


def test_an_edit_to_nothing_takes_the_stretch_out_and_leaves_no_mask() -> None:
    now = after(dialogue("call 林晓雨 now", (5, 8, "")), span(5, 8, "edit"))
    assert (text_of(now), [held for held in now.masks if held.utterance_id == 3]) == ("call  now", [])


def test_offsets_are_code_points() -> None:
    now = after(dialogue("😀😀 林晓雨"), span(3, 6, "edit", "她"))
    assert text_of(now) == "😀😀 她"


def test_a_removed_message_keeps_its_id_and_loses_words_masks_and_pictures() -> None:
    collected = collected_dialogue(1, 6, [small_picture(0), small_picture(1)])
    now = after(collected, Remove(utterance_id=1), span(0, 3, "mask", utterance_id=1))
    assert len(now.dialogue.utterances) == 6
    assert (now.dialogue.utterances[1].text, now.dialogue.utterances[1].image_ids) == ("", (1,))
    assert [image.status for image in now.images] == ["present", "withheld"]
    assert now.dialogue.images[1].image_key == now.images[1].image_key == "ref:withheld/1"
    assert now.treatment["removed"] == 1
    back = after(collected, Remove(utterance_id=1), Remove(utterance_id=1, removed=False))
    assert back.dialogue == collected.dialogue


def test_pictures_and_the_whole_are_decided() -> None:
    collected = collected_dialogue(1, 6, [small_picture(0), small_picture(1)], read=False)
    now = after(collected, ImageReview(image_id=0, choice="no"), Whole(read=True), Whole(left_out=True))
    assert [image.decision for image in now.images] == ["no", "yes"]
    assert (now.treatment["read"], now.treatment["left_out"]) == (True, True)


def test_every_decision_about_what_is_not_there_is_named() -> None:
    with pytest.raises(InputError) as caught:
        after(
            dialogue("short"),
            span(0, 2, "mask", utterance_id=6),
            span(3, 6, "mask"),
            span(4, 4, "mask"),
            Remove(utterance_id=9),
            ImageReview(image_id=2, choice="yes"),
        )
    assert [fault.place for fault in caught.value.faults] == [
        "message 6, characters 0 to 2",
        "message 9",
        "message 3, characters 3 to 6",
        "message 3, characters 4 to 4",
        "picture 2",
    ]


def test_a_picture_without_bytes_cannot_be_released() -> None:
    collected = collected_dialogue(1, 6, [small_picture(0)])
    withheld = replace(collected.images[0], status="withheld", image_key="ref:withheld/0")
    with pytest.raises(InputError, match="withheld: there is nothing that could be released"):
        after(replace(collected, images=(withheld,)), ImageReview(image_id=0, choice="yes"))
