from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.answers import format_answer, parse_answer
from mldr.eval.outcomes import FAILURES, OUTCOMES
from mldr.eval.prediction import CLAIMABLE, Prediction
from tests.eval.support import Answered, Verdict, answered_queries, ask, judge, unhurried

ANSWER = format_answer([1, 2], [0])


def judged(prediction: Prediction | None) -> Verdict:
    """Judge against six utterances, of which number 3 has no text, and two images."""
    return judge(prediction, ask(6, 2, textless=[3], gold_utterances=[1, 2], gold_images=[0]))


def responded(response: str) -> Verdict:
    return judged(Prediction("q", response=response))


def test_outcomes_stand_in_their_order_of_precedence() -> None:
    assert OUTCOMES == ("missing", "api_error", "refused", "parse_error", "out_of_range", "empty", "ok")


def test_all_outcomes_but_the_last_three_are_failures() -> None:
    assert set(OUTCOMES) - FAILURES == set(OUTCOMES[-3:])


@pytest.mark.parametrize(
    ("prediction", "outcome"),
    [
        (None, "missing"),
        (Prediction("q", outcome="api_error"), "api_error"),
        (Prediction("q", outcome="refused"), "refused"),
        (Prediction("q", outcome="parse_error"), "parse_error"),
        (Prediction("q", response="no answer here"), "parse_error"),
        (Prediction("q", response=""), "parse_error"),
        (Prediction("q", (6,), ()), "out_of_range"),
        (Prediction("q", (1,), (2,)), "out_of_range"),
        (Prediction("q", (), ()), "empty"),
        (Prediction("q", (3,), ()), "empty"),  # nothing is left once the textless one is ignored
        (Prediction("q", (1,), ()), "ok"),
        (Prediction("q", (), (1,)), "ok"),
    ],
)
def test_each_query_ends_in_the_first_outcome_that_applies(prediction: Prediction | None, outcome: str) -> None:
    assert judged(prediction).outcome == outcome


@unhurried
@given(answered_queries())
def test_every_query_has_one_outcome_and_failures_score_no_ids(query: Answered) -> None:
    found = judge(query.prediction, query.asked())
    assert found.outcome in OUTCOMES
    assert (found.outcome in FAILURES) == (query.case.answer is None)
    if found.outcome in FAILURES or found.outcome == "empty":
        assert (found.utterance_ids, found.image_ids) == ((), ())


@pytest.mark.parametrize("claim", CLAIMABLE)
def test_a_claimed_outcome_wins_over_ids_and_a_good_response(claim: str) -> None:
    assert judged(Prediction("q", (1,), (0,), response=ANSWER, outcome=claim)) == Verdict(
        next(outcome for outcome in OUTCOMES if outcome == claim)
    )


def test_ids_are_scored_where_ids_and_response_are_both_given() -> None:
    found = judged(Prediction("q", (4,), (), response=ANSWER))
    assert (found.utterance_ids, found.image_ids) == ((4,), ())


def test_a_response_that_cannot_be_read_does_no_harm_beside_ids() -> None:
    assert judged(Prediction("q", (4,), (), response="I refuse")).outcome == "ok"


@pytest.mark.parametrize(
    "response",
    [
        ANSWER,
        f"Sure! Here it is:\n{ANSWER}\nAnything else?",
        "<|utt_ids_start|>\n[1,\n 2]\n<|utt_ids_end|>\n;\n<|img_ids_start|>\t[ 0 ]\r\n<|img_ids_end|>",
        f"{format_answer([5], [1])} hm, no. Final answer: {ANSWER}",
        f"{ANSWER} <|utt_ids_start|>[5, ",
        f"{ANSWER} <|utt_ids_start|>[5]<|utt_ids_end|>",
        f"<|utt_ids_start|>[5]<|utt_ids_end|>; {ANSWER}",
        ANSWER.replace("[1, 2]", "[2,1]"),
        f"<think>{format_answer([], [])}</think>{ANSWER}",
    ],
)
def test_the_last_complete_answer_of_a_response_counts_whatever_stands_around_it(response: str) -> None:
    found = responded(response)
    assert (found.outcome, found.utterance_ids, found.image_ids) == ("ok", (1, 2), (0,))


@pytest.mark.parametrize(
    "response",
    [
        "<|utt_ids_start|>[1, 2]<|utt_ids_end|>",
        "[1, 2]; [0]",
        "<|utt_ids_start|>[1 2]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
        "<|utt_ids_start|>[1.5]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
        "<|utt_ids_start|>[one]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
        "<|utt_ids_start|>['1']<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
        "<|utt_ids_start|>[1,]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
        "<|img_ids_start|>[0]<|img_ids_end|>;<|utt_ids_start|>[1]<|utt_ids_end|>",
        "<|utt_ids_start|>[١]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",  # no digit of ours
    ],
)
def test_a_response_without_a_complete_answer_is_a_parse_error(response: str) -> None:
    assert responded(response) == Verdict("parse_error")


@pytest.mark.parametrize(
    "identifier", [10**29, -1, -(10**29), 6, 10**3000], ids=["30 digits", "-1", "-30", "6", "3001"]
)
def test_an_impossible_id_in_a_response_is_out_of_range_and_a_false_positive(identifier: int) -> None:
    found = responded(format_answer([1, identifier], [0]))
    assert found.outcome == "out_of_range"
    assert len(found.utterance_ids) == 2
    assert 1 in found.utterance_ids
    if abs(identifier) < 2**31:  # larger ones are moved to where no dialogue reaches
        assert identifier in found.utterance_ids
    assert found.out_of_range == 1


def test_a_number_that_python_cannot_read_does_not_stop_the_reader() -> None:
    assert responded(format_answer([1], []).replace("1", "1" * 50_000)).outcome in ("parse_error", "out_of_range")


def test_ids_outside_in_both_modalities_are_counted_together() -> None:
    found = judged(Prediction("q", (6, 7, 1), (2, 0)))
    assert (found.outcome, found.out_of_range) == ("out_of_range", 3)


def test_textless_ids_are_ignored_and_counted() -> None:
    found = judged(Prediction("q", (3, 1, 3), (0,)))
    assert (found.outcome, found.utterance_ids, found.textless) == ("ok", (1,), 2)


def test_a_textless_id_is_no_id_outside_the_dialogue() -> None:
    assert judged(Prediction("q", (3,), ())).out_of_range == 0


def test_an_image_with_the_number_of_a_textless_utterance_is_kept() -> None:
    asked = ask(2, 2, textless=[1])
    assert judge(Prediction("q", (1,), (1,)), asked).image_ids == (1,)


def test_repeated_ids_count_once_and_are_counted() -> None:
    found = judged(Prediction("q", (2, 1, 2, 2), (0, 0)))
    assert (found.utterance_ids, found.image_ids, found.repeated) == ((1, 2), (0,), 3)


def test_scores_follow_their_ids_through_sorting_repeats_and_textless_ids() -> None:
    found = judged(Prediction("q", (5, 3, 1, 5), (1, 0), utterance_scores=(0.5, 9.0, 0.1, 7.0), image_scores=(2, 3)))
    assert (found.utterance_ids, found.utterance_scores) == ((1, 5), (0.1, 0.5))
    assert (found.image_ids, found.image_scores) == ((0, 1), (3.0, 2.0))


IDS = st.lists(st.integers(-(10**40), 10**40), max_size=6)


@unhurried
@given(IDS, IDS, st.text(), st.text())
def test_a_formatted_answer_reads_back_from_any_text_around_it(
    utterances: Sequence[int], images: Sequence[int], before: str, after: str
) -> None:
    answer = parse_answer(before + format_answer(utterances, images) + after)
    assert answer is not None
    assert (answer.utterance_ids, answer.image_ids) == (tuple(utterances), tuple(images))


@unhurried
@given(
    st.text()
    | st.lists(st.sampled_from(["<|utt_ids_start|>", "<|utt_ids_end|>", ";", "[", "]", "1", ",", "-"])).map("".join)
)
def test_any_response_is_judged_without_an_error(response: str) -> None:
    assert responded(response).outcome in OUTCOMES
