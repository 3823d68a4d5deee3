from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mldr import plugins
from mldr.errors import MldrError
from mldr.plugins import names, resolve
from tests.core.support import python


def test_registered_names_are_listed_in_order() -> None:
    found = names("mldr.retrievers")
    assert found == sorted(set(found))
    assert {"all", "none", "random", "bm25"} <= set(found)
    assert names("mldr.no_such_group") == []


def test_a_registered_name_is_what_its_entry_point_names() -> None:
    from mldr.retrievers.trivial import Nothing

    assert resolve("mldr.retrievers", "none") is Nothing


def test_an_unknown_name_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(MldrError) as caught:
        resolve("mldr.retrievers", "bm52")
    for known in names("mldr.retrievers"):
        assert known in str(caught.value)
    assert "module:Class" in str(caught.value)


def test_a_class_of_any_module_is_found_by_its_name() -> None:
    assert resolve("mldr.retrievers", "json:JSONDecoder") is json.JSONDecoder
    assert resolve("mldr.retrievers", "json:JSONDecoder.decode") is json.JSONDecoder.decode
    assert resolve("mldr.retrievers", "mldr.plugins:resolve") is plugins.resolve


def test_a_module_of_the_current_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class Retriever:\n    name = 'mine'\n")
    code = "from mldr.plugins import resolve; print(resolve('mldr.retrievers', 'mine:Retriever').name)"
    (tmp_path / "run.py").write_text(code)
    assert python("import runpy, sys; sys.path.remove(''); runpy.run_path('run.py')", tmp_path) == "mine\n"


@pytest.mark.parametrize(
    "name",
    [
        "no_such_module:Class",
        "json:NoSuchClass",
        "json:",
        ":Class",
        "json:loads.x",
        ".json:loads",
        "..:x",
        "\0:x",
        "a b:c",
    ],
)
def test_what_cannot_be_found_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(MldrError, match="cannot be loaded") as caught:
        resolve("mldr.retrievers", name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "source"),
    [("unread", "def broken(:\n"), ("absent", "import no_such_module_of_mine\n"), ("failing", "1 / 0\n")],
)
def test_a_module_that_cannot_be_loaded_is_refused_with_the_reason(
    name: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"mldr_test_{name}.py").write_text(source)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(MldrError, match=f"mldr_test_{name}:Class: cannot be loaded"):
        resolve("mldr.sources", f"mldr_test_{name}:Class")
