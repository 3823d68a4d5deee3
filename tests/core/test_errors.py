from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import (
    SHOWN_IN_FULL,
    Fault,
    Faults,
    InputError,
    InterruptedRun,
    MissingExtra,
    MldrError,
    fault,
    printable,
)


def test_the_first_twenty_faults_are_shown_and_the_rest_counted() -> None:
    faults = Faults()
    for number in range(1_234):
        faults.add(f"a.jsonl, line {number + 1}", "not JSON")
    with pytest.raises(InputError) as caught:
        faults.check()
    lines = str(caught.value).splitlines()
    assert lines[0] == "1,234 faults:"
    assert lines[1] == "  a.jsonl, line 1: not JSON"
    assert lines[20] == "  a.jsonl, line 20: not JSON"
    assert lines[21:] == ["  ... and 1,214 more"]


def test_twenty_faults_are_all_shown() -> None:
    error = InputError([Fault("a", str(number)) for number in range(SHOWN_IN_FULL)])
    assert "more" not in str(error)
    assert len(str(error).splitlines()) == SHOWN_IN_FULL + 1


def test_a_million_faults_keep_only_those_that_are_shown() -> None:
    faults = Faults()
    for number in range(10_000):
        faults.add("a", str(number))
    assert (len(faults.kept), faults.total) == (SHOWN_IN_FULL, 10_000)
    assert [kept.message for kept in faults] == [str(number) for number in range(SHOWN_IN_FULL)]


def test_no_faults_raise_nothing() -> None:
    faults = Faults()
    faults.extend([])
    faults.check()
    assert not faults
    faults.extend([Fault("a", "b")])
    assert faults


def test_one_fault_is_said_in_the_singular() -> None:
    assert str(fault("a.yaml, line 2", "an unknown key")) == "1 fault:\n  a.yaml, line 2: an unknown key"


def test_control_characters_of_a_hostile_file_are_made_visible() -> None:
    shown = str(Fault("a\x1b[2J", "line\nbreak \u202e\x00\ud800"))
    assert shown == "a\\x1b[2J: line\\nbreak \\u202e\\x00\\ud800"


@given(st.text(st.characters(), max_size=500), st.integers(3, 450))
def test_printable_text_is_one_short_line_of_visible_characters(text: str, limit: int) -> None:
    line = printable(text, limit)
    assert line.isprintable()
    assert len(line) <= limit


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=400).filter(str.isprintable))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_long_text_is_cut_and_says_so() -> None:
    assert printable("x" * 401) == "x" * 397 + "..."


def test_each_failure_has_its_exit_code() -> None:
    assert (MldrError("a").exit_code, fault("a", "b").exit_code, InterruptedRun("a").exit_code) == (1, 1, 3)


def test_a_missing_extra_says_what_to_install() -> None:
    assert str(MissingExtra("the embedder", "embed")).endswith("pip install 'mldr[embed]'")


@pytest.mark.parametrize(
    "error",
    [
        MldrError("no such split"),
        InterruptedRun("no space"),
        InputError([Fault("a", "b"), Fault("c", "d")], 9),
        MissingExtra("the embedder", "embed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_the_way_between_processes(error: MldrError) -> None:
    arrived = copy.copy(error)  # by the protocol with which an executor sends it
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)
