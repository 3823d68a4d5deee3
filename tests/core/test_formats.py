from __future__ import annotations

from typing import Any

import pytest

from mldr import formats
from mldr.errors import MldrError
from mldr.formats import CURRENT, format_line, upgraded


@pytest.mark.parametrize("kind", sorted(CURRENT))
def test_the_current_format_is_read_as_it_is(kind: str) -> None:
    document = {"format": format_line(kind), "name": "a"}
    assert upgraded(document, kind, "a.json") == document


def test_a_newer_format_is_refused_in_one_line() -> None:
    with pytest.raises(MldrError) as caught:
        upgraded({"format": f"mldr/dataset@{CURRENT['dataset'] + 1}"}, "dataset", "manifest.json")
    words = str(caught.value)
    assert words.startswith("manifest.json: ")
    assert "newer" in words
    assert "upgrade mldr" in words
    assert "\n" not in words


@pytest.mark.parametrize(
    "line",
    [
        None,
        7,
        "",
        "mldr/dataset",
        "mldr/dataset@",
        "mldr/dataset@1.0",
        "mldr/dataset@-1",
        "mldr/dataset@0",
        "mldr/dataset@\u0661",
        "mldr/dataset@" + "9" * 5_000,
        "mldr/recipe@1",
        "other/dataset@1",
        ["mldr/dataset@1"],
        "mldr/dataset@1\x1b[31m\n",
    ],
    ids=lambda line: repr(line)[:24],
)
def test_another_format_is_refused_in_one_line(line: object) -> None:
    with pytest.raises(MldrError) as caught:
        upgraded({"format": line}, "dataset", "manifest.json")
    assert str(caught.value).startswith("manifest.json: format is ")
    assert str(caught.value).isprintable()


def test_a_document_without_a_format_is_refused() -> None:
    with pytest.raises(MldrError, match="mldr/scores@1 is expected"):
        upgraded({}, "scores", "scores.json")


def test_an_older_format_is_upgraded_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def to_two(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "steps": [*document.get("steps", []), 2]}

    def to_three(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "steps": [*document.get("steps", []), 3]}

    monkeypatch.setitem(formats.CURRENT, "dataset", 3)
    monkeypatch.setitem(formats._UPGRADES, ("dataset", 1), to_two)
    monkeypatch.setitem(formats._UPGRADES, ("dataset", 2), to_three)
    old = {"format": "mldr/dataset@1", "name": "a"}
    assert upgraded(old, "dataset", "x") == {"format": "mldr/dataset@3", "name": "a", "steps": [2, 3]}
    assert upgraded({"format": "mldr/dataset@2"}, "dataset", "x")["steps"] == [3]
    assert old == {"format": "mldr/dataset@1", "name": "a"}


@pytest.mark.parametrize("kind", sorted(CURRENT))
def test_every_older_version_has_an_upgrade(kind: str) -> None:
    assert {step for name, step in formats._UPGRADES if name == kind} == set(range(1, CURRENT[kind]))
