from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

import pytest

from mldr.retrievers.listing import listed, listing
from tests.conftest import Command


def test_every_reference_system_has_a_line_with_what_it_sees_and_does() -> None:
    rows = {row.name: row for row in listed()}
    assert {"all", "none", "random", "bm25", "oracle-topic", "windows"} <= set(rows)
    for row in rows.values():
        assert row.sees.startswith("text")
        assert row.words.endswith(".") or ":" in row.words
    assert "threshold" in rows["bm25"].words


def test_the_oracle_says_that_it_is_no_system() -> None:
    assert "no system" in next(row.words for row in listed() if row.name == "oracle-topic")


def test_a_plug_in_that_cannot_be_loaded_is_named_and_the_others_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_broken_one(group: str) -> list[EntryPoint]:
        return [*entry_points(group=group), EntryPoint("broken", "no_such_module:Class", group)]

    monkeypatch.setattr("mldr.plugins.entry_points", with_a_broken_one)
    rows = {row.name: row for row in listed()}
    assert rows["broken"].words.startswith("cannot be used: no_such_module:Class: cannot be loaded")
    assert rows["bm25"].sees == "text"


def test_the_command_lists_the_systems_without_any_other_argument(command: Command) -> None:
    code, out, err = command("mldr", "retrieve", "--list")
    assert (code, err) == (0, "")
    assert out.splitlines() == list(listing())
    assert out.splitlines()[0].split() == ["name", "sees", "needs", "what", "it", "does"]
