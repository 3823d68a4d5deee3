from __future__ import annotations

from mldr.retrievers.listing import listing
from tests.conftest import Command


def test_every_reference_system_has_a_line_with_what_it_sees_and_does() -> None:
    lines = {line.split()[0]: line for line in listing()}
    assert {"all", "none", "random", "bm25"} <= set(lines)
    for line in lines.values():
        assert " sees text" in line
        assert line.endswith(".") or ":" in line
    assert "threshold" in lines["bm25"]


def test_the_command_lists_the_systems_without_any_other_argument(command: Command) -> None:
    code, out, err = command("mldr", "retrieve", "--list")
    assert (code, err) == (0, "")
    assert out.splitlines() == list(listing())
