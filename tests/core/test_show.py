from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import mldr
from mldr.errors import MldrError
from mldr.show import shown_html, shown_text
from tests.conftest import small_dialogue, stored_picture, write_dataset

FIRST = f"{16:016x}"


def test_a_dialogue_is_shown_with_its_queries_and_gold(small_dataset: mldr.Dataset) -> None:
    lines = shown_text(small_dataset, FIRST).splitlines()
    assert lines[0] == f"{FIRST} · en · stitched · cluster cluster16"
    assert lines[1] == "   0 p0: dialogue 16 says word0 [image 0: picture 0]"
    assert lines[7] == f"   ? word0 of {FIRST}  ({FIRST}-00000000)"
    assert lines[8] == "     multimodal: utterances [0, 2], images [0]"
    assert len(lines) == 7 + 2 * 3


def test_an_unknown_dialogue_is_refused_with_one_that_is_there(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(MldrError, match=f"no dialogue 'x' in .*; there is '{0:016x}', say"):
        shown_text(small_dataset, "x")
    with pytest.raises(MldrError, match="no dialogue 'x'"):
        shown_html(small_dataset, "x", tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    base = small_dialogue(1, 1)
    hostile = replace(base, utterances=(replace(base.utterances[0], speaker="a\x1b[2J", text="b\x9b31m\u202e\nc\r"),))
    shown = shown_text(write_dataset(tmp_path, {"test": {"dialogues": [hostile]}}), hostile.dialogue_id)
    assert len(shown.splitlines()) == 2
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert "b" in shown


def test_a_page_holds_the_words_and_the_pictures(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    out = tmp_path / "pages" / "a.html"
    shown_html(small_dataset, FIRST, out)
    written = out.read_text(encoding="utf-8")
    assert written.startswith("<!DOCTYPE html>")
    assert all(f"dialogue 16 says word{i}" in written for i in range(6))
    assert written.count('src="data:image/jpeg;base64,') == 1
    assert "Content-Security-Policy" in written


def test_a_page_is_replaced_only_when_it_is_asked_for(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    out = tmp_path / "a.html"
    out.write_text("mine")
    with pytest.raises(MldrError, match="exists; replace it with --force"):
        shown_html(small_dataset, FIRST, out)
    assert out.read_text() == "mine"
    shown_html(small_dataset, FIRST, out, force=True)
    assert FIRST in out.read_text(encoding="utf-8")


def test_a_page_says_its_language(tmp_path: Path) -> None:
    image = stored_picture("red")
    chinese = replace(small_dialogue(1, images=[image]), language="zh")
    dataset = write_dataset(tmp_path / "data", {"test": {"dialogues": [chinese], "images": [image]}})
    shown_html(dataset, chinese.dialogue_id, tmp_path / "a.html")
    assert '<html lang="zh">' in (tmp_path / "a.html").read_text(encoding="utf-8")
