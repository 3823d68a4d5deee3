"""The readers that are there: found by what their modules hold, each under a name of its own."""

from __future__ import annotations

import re

from mldr.annotation.readers import detect


def test_readers_are_sorted_by_unlike_names_in_kebab_case() -> None:
    names = detect.known()
    assert names == sorted(set(names))
    assert all(re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", name) for name in names)


def test_every_reader_says_in_a_line_what_it_knows_a_file_by() -> None:
    assert all(reader.SUMMARY.strip() and "\n" not in reader.SUMMARY for reader in detect.readers())


def test_modules_that_read_nothing_are_no_readers() -> None:
    assert not {"contract", "opening", "detect", "pictures", "replies"} & set(detect.known())
