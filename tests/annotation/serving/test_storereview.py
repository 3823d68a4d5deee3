"""The giver's pass over raw texts: what is shown, what may be decided, and that marking never frees anything private."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldr.annotation.privacy.protect import StorePictures, reviewed_of
from mldr.annotation.privacy.treat import treat
from mldr.annotation.reviews import ImageReview, Remove, SpanReview, Whole
from mldr.annotation.serving.reviewing import Finding
from mldr.annotation.serving.storereview import StoreReview
from mldr.annotation.store import Store
from mldr.errors import InputError
from mldr.web import Refusal
from tests.annotation.support_donations import MOBILE, PEOPLE, cut_store, only, raw


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return cut_store(tmp_path / "store")


@pytest.fixture
def review(store: Store) -> StoreReview:
    return StoreReview(store)


def finding(review: StoreReview, kind: str) -> Finding:
    return next(one for one in review.reading(only(review.store)).findings if one.kind == kind)


def said(one: Finding, choice: str, text: str = "") -> SpanReview:
    told = {"utterance_id": one.utterance_id, "start": one.start, "end": one.end, "kind": one.kind}
    return SpanReview.model_validate({**told, "choice": choice, "text": text})


def copy_of(store: Store) -> list[str]:
    cut = raw(store)
    pictures = StorePictures(store, cut.chat_key)
    treated = treat(cut, store, reviewed_of(store, only(store)), pictures, undecided=False)
    return [one.text for one in treated.collected.dialogue.utterances]


def test_raw_texts_and_names_are_shown_and_the_very_words_that_will_stand_there(
    store: Store, review: StoreReview
) -> None:
    reading = review.reading(only(store))
    assert reading.raw
    assert reading.page["utterances"][1]["text"].endswith(MOBILE)
    assert [one["speaker"] for one in reading.page["utterances"][:3]] == ["欧阳明月", "Bartholomew Quill", "钱多宝"]
    for one in reading.findings:
        assert one.surrogate in copy_of(store)[one.utterance_id]


def test_mask_keep_and_edit_are_carried_out_in_the_copy(store: Store, review: StoreReview) -> None:
    number = finding(review, "mobile")
    assert MOBILE not in copy_of(store)[1]
    review.decide(only(store), said(number, "keep"))
    assert MOBILE in copy_of(store)[1]
    assert finding(review, "mobile").decision == "keep"
    review.decide(only(store), said(number, "edit", "某号码"))
    assert copy_of(store)[1].endswith("某号码")
    review.decide(only(store), said(number, "mask"))
    assert MOBILE not in copy_of(store)[1]


def test_a_stretch_that_a_person_marks_is_masked_and_can_be_taken_back(store: Store, review: StoreReview) -> None:
    mark = SpanReview(utterance_id=4, start=1, end=3, choice="mask")
    review.decide(only(store), mark)
    (one,) = [one for one in review.reading(only(store)).findings if one.by_person]
    assert "东门" not in copy_of(store)[4]
    review.decide(only(store), said(one, "keep"))
    assert "东门" in copy_of(store)[4]
    assert not [one for one in review.reading(only(store)).findings if one.by_person]


def test_taking_a_mark_back_frees_nothing_that_it_covered(store: Store, review: StoreReview) -> None:
    length = len(raw(store).dialogue.utterances[1].text)
    whole = {"utterance_id": 1, "start": 0, "end": length}
    review.decide(only(store), SpanReview.model_validate({**whole, "choice": "mask"}))
    assert MOBILE not in copy_of(store)[1]
    review.decide(only(store), SpanReview.model_validate({**whole, "choice": "keep"}))
    assert MOBILE not in copy_of(store)[1]


def test_a_mark_over_something_kept_masks_it(store: Store, review: StoreReview) -> None:
    number = finding(review, "mobile")
    review.decide(only(store), said(number, "keep"))
    length = len(raw(store).dialogue.utterances[1].text)
    review.decide(only(store), SpanReview(utterance_id=1, start=number.start, end=length, choice="mask"))
    review.decide(only(store), SpanReview(utterance_id=1, start=0, end=length, choice="mask"))
    assert MOBILE not in copy_of(store)[1]


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        (SpanReview(utterance_id=6, start=0, end=1, choice="mask"), "no such message"),
        (SpanReview(utterance_id=5, start=0, end=3, choice="mask"), "which has 2 characters"),
        (SpanReview(utterance_id=5, start=1, end=1, choice="mask"), "no stretch"),
        (SpanReview(utterance_id=5, start=0, end=2, choice="keep"), "nothing is masked there"),
        (Remove(utterance_id=6), "no such message"),
        (ImageReview(image_id=0, choice="yes"), "no such picture"),
    ],
)
def test_a_decision_about_nothing_is_refused_and_not_written(
    store: Store, review: StoreReview, decision: SpanReview | Remove | ImageReview, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        review.decide(only(store), decision)
    assert reviewed_of(store, only(store)).lines == 0


def test_marks_that_cross_are_refused(store: Store, review: StoreReview) -> None:
    review.decide(only(store), SpanReview(utterance_id=4, start=1, end=3, choice="mask"))
    for start, end in ((0, 2), (2, 4), (1, 2)):
        with pytest.raises(InputError, match="overlaps what was decided about characters 1 to 3"):
            review.decide(only(store), SpanReview(utterance_id=4, start=start, end=end, choice="mask"))
    review.decide(only(store), SpanReview(utterance_id=4, start=0, end=4, choice="mask"))


@pytest.mark.parametrize("name", ["../../store", "0" * 16, "", "x" * 999])
def test_an_unknown_dialogue_is_refused(review: StoreReview, name: str) -> None:
    for ask in (review.reading, lambda one: review.decide(one, Whole(read=True)), lambda one: review.picture(one, "0")):
        with pytest.raises(Refusal) as caught:
            ask(name)
        assert caught.value.status == 404


def test_a_decision_of_another_process_is_seen(store: Store, review: StoreReview) -> None:
    assert not review.reading(only(store)).removed
    StoreReview(store).decide(only(store), Remove(utterance_id=3))
    assert review.reading(only(store)).removed == [3]


def test_only_the_giver_can_read_the_log(store: Store, review: StoreReview) -> None:
    review.decide(only(store), Whole(read=True))
    assert (store.reviews / f"{only(store)}.jsonl").stat().st_mode & 0o077 == 0
    assert store.reviews.stat().st_mode & 0o077 == 0


def test_where_detectors_fail_the_dialogue_is_shown_as_left_out(
    store: Store, review: StoreReview, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("mldr.annotation.privacy.treat.find_spans", broken)
    reading = review.reading(only(store))
    assert (reading.left_out, list(reading.findings)) == (True, [])
    assert [one["done"] for one in review.listed()] == [True]
    review.decide(only(store), Whole(left_out=False))
    assert review.reading(only(store)).left_out  # tried again, and failed again
    monkeypatch.undo()
    review.decide(only(store), Whole(left_out=False))
    assert review.reading(only(store)).findings


def test_people_of_one_name_are_told_apart(store: Store) -> None:
    from mldr.annotation.chat import Member
    from mldr.annotation.serving.storereview import shown_names

    members = tuple(Member(person, ("小王",)) for person in PEOPLE)
    assert list(shown_names(members).values()) == ["小王", "小王 (2)", "小王 (3)"]
    assert shown_names((Member("7"),)) == {"7": "7"}
