"""Nothing of a person is released without their living consent, and what is left is numbered soundly."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.consent_rules import releasable, scopes_of_all, why_not, without_speakers
from mldr.annotation.consents import SCOPES, Consent
from mldr.annotation.records import Collected
from mldr.errors import MldrError
from tests.annotation.support_collections import TODAY, collected, consent, subject

ALL = {subject(number): consent(number) for number in range(1, 5)}


def test_a_dialogue_whose_speakers_all_agreed_is_released_as_it_is() -> None:
    verdict = releasable(collected("1221"), ALL, ["research"], TODAY, "drop_dialogue")
    assert (verdict.release, verdict.removed, verdict.images, verdict.reason) == (True, frozenset(), True, "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"adult": False}, "not known to be an adult"),
        ({"withdrawn": "2026-04-01"}, "consent withdrawn"),
        ({"withdrawn": "2027-01-01"}, "consent withdrawn"),
        ({"expires": "2026-04-30"}, "consent expired"),
        ({"date": "2026-05-02"}, "consent dated in the future"),
        ({"scopes": ("images", "public")}, "no consent to research"),
        ({"scopes": ()}, "no consent to research"),
    ],
)
@pytest.mark.parametrize("mode", ["drop_dialogue", "drop_speaker"])
def test_a_consent_that_does_not_hold_takes_the_speaker_or_the_dialogue_away(
    changes: dict[str, Any], reason: str, mode: str
) -> None:
    consents = {**ALL, subject(2): consent(2, **changes)}
    verdict = releasable(collected("12313"), consents, ["research"], TODAY, mode)
    assert verdict.reasons == (reason,)
    assert verdict.removed == {"S2"}
    assert not verdict.images
    assert verdict.release == (mode == "drop_speaker")


def test_a_consent_holds_until_the_end_of_its_last_day() -> None:
    assert why_not(consent(1, expires=TODAY), ["research"], TODAY) == ""
    assert why_not(consent(1, expires=TODAY), ["research"], TODAY + dt.timedelta(days=1)) == "consent expired"


def test_every_scope_that_lacks_is_named() -> None:
    reason = why_not(consent(1, "research"), ["cross_border", "research", "public"], TODAY)
    assert reason == "no consent to public, cross_border"


def test_a_person_who_never_answered_or_is_not_known_is_refused() -> None:
    known = {subject(1): ALL[subject(1)], subject(3): ALL[subject(3)]}
    assert releasable(collected("123"), known, ["research"], TODAY, "drop_speaker").reasons == ("no consent on record",)
    stranger = collected("123")
    del stranger.subjects["S2"]
    verdict = releasable(stranger, ALL, ["research"], TODAY, "drop_dialogue")
    assert (verdict.release, verdict.removed, verdict.images) == (False, frozenset({"S2"}), False)


def test_one_person_alone_is_no_dialogue() -> None:
    verdict = releasable(collected("1212"), {subject(1): ALL[subject(1)]}, ["research"], TODAY, "drop_speaker")
    assert not verdict.release
    assert verdict.reason == "fewer than two speakers whose consent holds"


def test_an_empty_dialogue_is_not_released() -> None:
    assert not releasable(collected(""), ALL, ["research"], TODAY, "drop_speaker").release


def test_pictures_stay_away_where_one_speaker_did_not_agree_to_them_and_the_words_stay() -> None:
    consents = {**ALL, subject(2): consent(2, "research")}
    verdict = releasable(collected("1221"), consents, ["research"], TODAY, "drop_dialogue")
    assert (verdict.release, verdict.images, verdict.refused) == (True, False, {})


def test_the_scope_of_pictures_does_not_decide_about_words() -> None:
    consents = {subject(number): consent(number, "research") for number in (1, 2)}
    verdict = releasable(collected("12"), consents, ["research", "images"], TODAY, "drop_dialogue")
    assert (verdict.release, verdict.images) == (True, False)


@pytest.mark.parametrize("scopes", [[], ["images"], ["research", "all"]])
def test_a_release_for_nothing_or_for_something_unknown_is_refused(scopes: list[Any]) -> None:
    with pytest.raises(MldrError, match="say what the release is for"):
        releasable(collected("12"), ALL, scopes, TODAY, "drop_dialogue")


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(MldrError, match="drop_speaker is expected"):
        releasable(collected("12"), ALL, ["research"], TODAY, "keep")


def test_speakers_are_named_in_the_order_of_their_labels() -> None:
    base = collected("12")
    turns = tuple(base.dialogue.utterances[0].__class__(f"S{n}", "x") for n in (10, 2, 1))
    many = Collected(base.dialogue.__class__("0" * 16, "en", "real", "c", turns), {}, (), (), {})
    assert list(releasable(many, {}, ["research"], TODAY, "drop_speaker").refused) == ["S1", "S2", "S10"]


def test_a_speaker_goes_with_messages_pictures_masks_and_the_links_of_replies() -> None:
    whole = collected("12321", images=(0, 1, 3, 4), replies={2: 1, 3: 0, 4: 2})
    left, utterances, images = without_speakers(whole, {"S2"})
    assert [utterance.text for utterance in left.dialogue.utterances] == ["word0 of S1", "word2 of S3", "word4 of S1"]
    assert [utterance.reply_to for utterance in left.dialogue.utterances] == [None, None, 1]
    assert [utterance.image_ids for utterance in left.dialogue.utterances] == [(0,), (), (1,)]
    assert utterances == {0: 0, 1: None, 2: 1, 3: None, 4: 2}
    assert images == {0: 0, 1: None, 2: None, 3: 1}
    assert len(left.images) == len(left.dialogue.images) == 2
    assert left.subjects == {"S1": subject(1), "S3": subject(3)}
    assert left.masks == ()


def test_a_dialogue_that_loses_nobody_is_the_same() -> None:
    whole = collected("121", images=(1,))
    assert without_speakers(whole, set()) == (whole, {0: 0, 1: 1, 2: 2}, {0: 0})


@st.composite
def dialogues(draw: st.DrawFn) -> tuple[Collected, set[str]]:
    turns = draw(st.text("1234", min_size=1, max_size=12))
    images = sorted(draw(st.sets(st.integers(0, len(turns) - 1))))
    replies = {place: draw(st.integers(0, place - 1)) for place in range(1, len(turns)) if draw(st.booleans())}
    return collected(turns, images=images, replies=replies), draw(st.sets(st.sampled_from(["S1", "S2", "S3", "S4"])))


@given(dialogues())
def test_whoever_goes_what_is_left_is_sound_and_the_maps_lead_to_it(case: tuple[Collected, set[str]]) -> None:
    whole, gone = case
    left, utterances, images = without_speakers(whole, gone)
    before, after = whole.dialogue, left.dialogue
    assert list(utterances) == list(range(before.n_utterances))
    assert list(images) == list(range(before.n_images))
    assert after.carried_ids == tuple(range(after.n_images))
    assert len(left.images) == after.n_images
    assert not gone & ({utterance.speaker for utterance in after.utterances} | set(left.subjects))
    for old, new in utterances.items():
        assert (new is None) == (before.utterances[old].speaker in gone)
        if new is None:
            continue
        assert after.utterances[new].text == before.utterances[old].text
        assert after.utterances[new].image_ids == tuple(images[i] for i in before.utterances[old].image_ids)
        answered = before.utterances[old].reply_to
        assert after.utterances[new].reply_to == (None if answered is None else utterances[answered])
    for mask in left.masks:
        assert after.utterances[mask.utterance_id].text[mask.mask.start : mask.mask.end] == mask.mask.surrogate
    assert sorted(new for new in images.values() if new is not None) == list(range(after.n_images))


@st.composite
def statements(draw: st.DrawFn) -> Consent:
    scopes = draw(st.sets(st.sampled_from(SCOPES)))
    dates = st.sampled_from([None, dt.date(2026, 3, 1), TODAY, dt.date(2027, 1, 1)])
    return consent(1, adult=draw(st.booleans()), expires=draw(dates), withdrawn=draw(dates)).model_copy(
        update={
            "scopes": tuple(sorted(scopes)),
            "date": draw(st.sampled_from([dt.date(2026, 1, 1), dt.date(2026, 6, 1)])),
        }
    )


@given(statements(), st.sets(st.sampled_from(SCOPES), min_size=1))
def test_a_reason_is_given_exactly_where_a_consent_is_not_alive(statement: Consent, scopes: set[Any]) -> None:
    assert (why_not(statement, scopes, TODAY) == "") == all(statement.alive(scope, TODAY) for scope in scopes)


def test_the_scopes_of_a_set_are_those_that_every_speaker_gave() -> None:
    consents = {**ALL, subject(2): consent(2, "public", "research"), subject(3): consent(3, "research", "images")}
    assert scopes_of_all([collected("12")], consents, TODAY) == ["research", "public"]
    assert scopes_of_all([collected("12"), collected("13")], consents, TODAY) == ["research"]
    assert scopes_of_all([collected("11")], consents, TODAY) == list(SCOPES)


def test_no_scope_is_common_to_nobody_or_to_a_stranger() -> None:
    assert scopes_of_all([], ALL, TODAY) == []
    assert scopes_of_all([collected("11"), collected("19")], ALL, TODAY) == []
