from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mldr.annotation.collection import open_collection
from mldr.annotation.labels import as_line
from mldr.annotation.reviews import Whole
from mldr.annotation.store import append_line
from mldr.cli import app
from mldr.console import run
from tests.annotation.support_labels import put, say

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mldr_annotate(capsys: pytest.CaptureFixture[str]) -> Command:
    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            run(app, ["annotate", *arguments])
        out, err = capsys.readouterr()
        return int(str(ended.value.code or 0)), out, err

    return command


@pytest.fixture
def places(tmp_path: Path, mldr_annotate: Command) -> tuple[str, str]:
    """A store and a collection of the example."""
    store, collection = str(tmp_path / "store"), str(tmp_path / "collection")
    for arguments in (
        ("example", "--out", str(tmp_path / "export")),
        ("import", str(tmp_path / "export"), "--store", store),
        ("cut", store),
    ):
        assert mldr_annotate(*arguments)[0] == 0
    (path,) = (tmp_path / "store" / "dialogues").glob("*.json")
    append_line(tmp_path / "store" / "reviews" / f"{path.stem}.jsonl", as_line(Whole(read=True)))
    assert mldr_annotate("privacy", store, "--out", collection)[0] == 0
    return store, collection


def consents(places: tuple[str, str], mldr_annotate: Command) -> None:
    for person in ("wxid_lin8fq2k7p3xw1", "wxid_xu4m9d0s2c6ab5", "wxid_chen1h7e5t9vq8"):
        told = ("--notice", "1", "--method", "signed", "--date", "2026-01-02", "--scope", "research", "--adult")
        assert mldr_annotate("consent", "give", places[0], "--person", person, *told)[0] == 0


def test_every_step_is_a_command_from_the_export_to_the_score(
    places: tuple[str, str], mldr_annotate: Command, tmp_path: Path
) -> None:
    store, collection = places
    consents(places, mldr_annotate)
    opened = open_collection(Path(collection))
    (dialogue_id,) = opened.ids()
    say(opened, "ann", dialogue_id, put("f1", "去哪里爬山？", [0, 3, 6], [0]))
    assert mldr_annotate("ask", collection, "--of", "ann")[1].split() == ["1", "asked"]
    say(opened, "bob", dialogue_id, put("f4", "去哪里爬山？", [0, 3], [0]))
    code, out, _ = mldr_annotate("agreement", collection, "--json")
    assert code == 0
    assert json.loads(out)["overall"]["shared"] == 1
    assert "F1" in mldr_annotate("agreement", collection)[1]
    assert "adjudicated" in mldr_annotate("adjudicate", collection, "--between", "ann,bob", "--rule", "union")[1]
    out_folder = str(tmp_path / "set")
    told = ("--out", out_folder, "--name", "hills", "--store", store, "--today", "2026-06-01")
    code, out, err = mldr_annotate("release", collection, *told)
    assert (code, out.split(": ")[1].split(",")[0]) == (0, "1 dialogue"), err
    code, out, _ = mldr_annotate("release", collection, *told, "--force", "--json")
    assert json.loads(out)["queries"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("import", "nowhere", "--store", "s"), "nowhere"),
        (("cut", "nowhere"), "no private store"),
        (("privacy", "nowhere", "--out", "c"), "no private store"),
        (("serve", "nowhere", "--annotator", "ann"), "no collection"),
        (("agreement", "nowhere"), "no collection"),
        (("ask", "nowhere", "--of", "ann"), "no collection"),
        (("adjudicate", "nowhere", "--between", "a,b", "--rule", "union"), "no collection"),
        (("release", "nowhere", "--out", "x", "--name", "y"), "no collection"),
        (("release", "nowhere", "--out", "x", "--name", "Y Z"), "name"),
        (("consent", "list", "nowhere"), "no private store"),
        (("import", __file__, "--collection", "c"), "no sealed bundle"),
        (("label-studio", "out", "nowhere", "--out", "x"), "no collection"),
        (("audit", "nowhere", "--split", "test", "--out", "x"), "nowhere"),
    ],
)
def test_a_wrong_place_is_one_line_and_exit_1(
    mldr_annotate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = mldr_annotate(*arguments)
    assert code == 1
    assert told in err
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "x"),
        ("adjudicate", "c", "--between", "a,b"),
        ("audit", "d", "--split", "test"),
        ("release", "c", "--out", "x", "--name", "y", "--today", "soon"),
        ("cut", "s", "--min-images", "-1"),
    ],
)
def test_wrong_usage_is_exit_2(mldr_annotate: Command, arguments: tuple[str, ...]) -> None:
    assert mldr_annotate(*arguments)[0] == 2


def test_the_formats_are_listed_by_structure_and_no_tool_is_named(mldr_annotate: Command) -> None:
    code, out, _ = mldr_annotate("formats")
    assert code == 0
    assert "session-json" in out
    for tool in ("WeFlow", "EchoTrace", "MemoTrace", "PyWxDump", "WeClone"):
        assert tool not in out


def test_labels_go_to_label_studio_and_back(places: tuple[str, str], mldr_annotate: Command, tmp_path: Path) -> None:
    _, collection = places
    opened = open_collection(Path(collection))
    (dialogue_id,) = opened.ids()
    say(opened, "ann", dialogue_id, put("f1", "去哪里爬山？", [0, 3, 6], [0]))
    folder = str(tmp_path / "studio")
    assert mldr_annotate("label-studio", "out", collection, "--out", folder, "--annotators", "ann")[0] == 0
    code, out, _ = mldr_annotate("label-studio", "in", collection, f"{folder}/tasks.json")
    assert (code, out.split()) == (0, ["1", "as", "it", "was"])
