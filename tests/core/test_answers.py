from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.answers import Answer, format_answer, is_bare_answer, parse_answer
from tests.core.support import hostile_text

ids = st.lists(st.integers(-5, 10**12), max_size=6)


@given(ids, ids)
def test_a_formatted_answer_parses_back_to_its_ids(utterance_ids: list[int], image_ids: list[int]) -> None:
    parsed = parse_answer(format_answer(utterance_ids, image_ids))
    assert parsed == Answer(tuple(utterance_ids), tuple(image_ids))


@given(ids, ids, hostile_text, hostile_text)
def test_an_answer_is_found_within_other_words(first: list[int], second: list[int], before: str, after: str) -> None:
    response = f"{before}{format_answer(first, second)}{after}"
    assert parse_answer(response) == Answer(tuple(first), tuple(second))


def test_the_form_is_that_of_the_papers() -> None:
    answer = "<|utt_ids_start|>[1, 2]<|utt_ids_end|>;<|img_ids_start|>[0]<|img_ids_end|>"
    assert format_answer([1, 2], [0]) == answer
    assert format_answer([], []) == "<|utt_ids_start|>[]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>"


def test_white_space_and_line_breaks_inside_an_answer_are_tolerated() -> None:
    spread = "<|utt_ids_start|> [ 1\n,2 ]\n<|utt_ids_end|> ;\n <|img_ids_start|>[\t]<|img_ids_end|>"
    assert parse_answer(spread) == Answer((1, 2), ())


def test_the_last_complete_answer_counts() -> None:
    cut_off = "<|utt_ids_start|>[9]<|utt_ids_end|>;<|img_ids_start|>[9"
    assert parse_answer(format_answer([1], []) + format_answer([2], [0]) + cut_off) == Answer((2,), (0,))


def test_repeated_ids_are_kept_as_written() -> None:
    assert parse_answer(format_answer([3, 3, 1], [])) == Answer((3, 3, 1), ())


@pytest.mark.parametrize(
    "response",
    [
        "",
        "utterances 1 and 2",
        "<|utt_ids_start|>[1]<|utt_ids_end|>",
        "<|utt_ids_start|>[1,]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
        "<|utt_ids_start|>[1 2]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
        "<|utt_ids_start|>[1.5]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
        "<|utt_ids_start|>[a]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
        "<|utt_ids_start|>[\u0661]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
        "<|utt_ids_start|>[" + "9" * 5_000 + "]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>",
    ],
)
def test_what_is_no_complete_answer_is_none(response: str) -> None:
    assert parse_answer(response) is None


def test_an_id_of_four_thousand_digits_is_read() -> None:
    huge = 10**3_999
    assert parse_answer(format_answer([huge], [])) == Answer((huge,), ())


@given(st.lists(st.sampled_from(["<|utt_ids_start|>", "[", "]", "1", ",", " ", "<|utt_ids_end|>;<|img_ids_start|>"])))
def test_reading_never_fails(pieces: list[str]) -> None:
    parsed = parse_answer("".join(pieces) + "<|img_ids_end|>")
    assert parsed is None or isinstance(parsed, Answer)


@given(st.lists(st.integers(0, 99), unique=True, max_size=5), st.lists(st.integers(0, 99), unique=True, max_size=5))
def test_a_formatted_answer_is_bare(utterance_ids: list[int], image_ids: list[int]) -> None:
    assert is_bare_answer(format_answer(utterance_ids, image_ids))


@pytest.mark.parametrize(
    "response",
    [
        format_answer([1, 1], []),
        format_answer([], [2, 2]),
        format_answer([-1], []),
        format_answer([1], []) + "\n",
        "Answer: " + format_answer([1], []),
        format_answer([1], []).replace(";", " ;"),
        format_answer([1], []) + format_answer([1], []),
    ],
)
def test_a_repeat_a_sign_or_a_word_more_is_not_bare(response: str) -> None:
    assert not is_bare_answer(response)


def test_an_id_written_twice_in_two_ways_is_a_repeat() -> None:
    for ids_text in ("1, 2,1", "1,01"):
        assert not is_bare_answer(f"<|utt_ids_start|>[{ids_text}]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>")


def test_an_id_of_thousands_of_digits_does_not_crash_the_format_reward() -> None:
    huge = "<|utt_ids_start|>[" + "9" * 5_000 + "]<|utt_ids_end|>;<|img_ids_start|>[]<|img_ids_end|>"
    assert is_bare_answer(huge) in (True, False)
