from __future__ import annotations

import pytest

from mldr.progress import Lines, Progress, duration, shown_progress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_line_says_what_is_done_what_is_left_and_what_it_cost() -> None:
    lines: list[str] = []
    clock = Clock()
    progress = Lines(lines.append, clock)
    progress.start("stitch", 100)
    progress.note("0.12 USD")
    for second in range(1, 26):
        clock.now = float(second)
        progress.advance()
    assert lines[0] == "stitch: 100"
    assert lines[1] == "stitch: 10 of 100, 2 min left, 0.12 USD"
    assert lines[2] == "stitch: 20 of 100, 80 s left, 0.12 USD"


def test_a_step_of_unknown_length_says_only_what_is_done() -> None:
    lines: list[str] = []
    clock = Clock()
    progress = Lines(lines.append, clock)
    progress.start("reading", None)
    clock.now = 11.0
    progress.advance(7)
    assert lines == ["reading", "reading: 7"]


def test_before_the_first_piece_is_done_nobody_says_what_is_left() -> None:
    lines: list[str] = []
    clock = Clock()
    progress = Lines(lines.append, clock)
    progress.start("asking", 5)
    progress.note("3 requests, 3 failed")
    clock.now = 11.0
    progress.advance(0)
    assert lines == ["asking: 5", "asking: 0 of 5, 3 requests, 3 failed"]


def test_items_pass_through_a_silent_progress() -> None:
    assert list(Progress().over(iter("abc"), "letters", 3)) == ["a", "b", "c"]


def test_where_stderr_is_no_terminal_lines_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress() as progress:
        progress.start("pictures", 3)
        progress.say("a message")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "pictures: 3\na message\n"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (7500, "2 h 5 min")]
)
def test_a_duration_is_said_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_progress_without_lines_passes_everything_on_and_says_nothing_to_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with shown_progress(lines=False) as progress:
        assert list(progress.over(iter("abc"), "counting", 3)) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")
