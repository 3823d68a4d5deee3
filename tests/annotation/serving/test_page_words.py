from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import get_args

import pytest

from mldr.annotation.serving import checks, warnings
from mldr.annotation.serving.pagefiles import page_files
from mldr.annotation.spans import SPAN_KINDS
from mldr.annotation.verdicts import Basis

PAGE = {
    entry.name: entry.read_text(encoding="utf-8")
    for entry in files("mldr.annotation.page").iterdir()
    if entry.is_file()
}
WORDS: dict[str, dict[str, str]] = json.loads(PAGE["words.json"])
SCRIPTS = {name: text for name, text in PAGE.items() if name.endswith(".js") and not name.startswith("donate")}
BUILT = [
    *(f"problem_{code}" for code in get_args(checks.Code)),
    *(f"warning_{code}" for code in get_args(warnings.Code)),
    *(f"kind_{kind}" for kind in SPAN_KINDS),
    *(f"basis_{basis}" for basis in get_args(Basis)),
    *(f"decision_{choice}" for choice in ("mask", "keep", "edit", "yes", "no")),
]


def said() -> set[str]:
    """Return the keys that the scripts name whole."""
    found = set()
    for text in SCRIPTS.values():
        for inside in re.findall(r"(?<![.\w])say\(((?:[^()`]|\([^()]*\))*?)[,)]", text):
            found |= set(re.findall(r'(?<!=== )"([a-z][a-z_]+)"', inside))
        found |= set(re.findall(r'\bword: (?:place \? "" : )?"([a-z_]+)"', text))
    return found


def test_both_languages_have_the_same_words_with_the_same_places_to_fill() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    for key, text in WORDS["en"].items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", WORDS["zh"][key])), key


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_word_that_the_page_says_is_there(language: str) -> None:
    assert len(said()) > 100
    assert sorted({*said(), *BUILT} - WORDS[language].keys()) == []


def test_no_word_is_left_that_nothing_says() -> None:
    text = "\n".join(PAGE[name] for name in PAGE if name.endswith(".js"))
    unsaid = [key for key in WORDS["en"] if f'"{key}"' not in text and key not in BUILT]
    assert unsaid == []


def test_chinese_words_are_chinese() -> None:
    assert [key for key, text in WORDS["zh"].items() if not re.search(r"[\u4e00-\u9fff]", text)] == []


def test_nothing_on_the_page_parses_words_as_markup_or_runs_them() -> None:
    for name, text in PAGE.items():
        if name.endswith(".js"):
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc", text
            ), name
            assert not re.search(r"https?://", text), name
        if name.endswith(".css"):
            assert not re.search(r"https?://|@import", text), name
        if name.endswith(".html"):
            assert not re.search(r"<script>|\son\w+=|style=", text), name


def test_the_page_s_files_have_an_address_and_a_type_each_and_nothing_else_has() -> None:
    served = page_files()
    assert served["/"][0].startswith(b"<!DOCTYPE html>")
    assert served["/main.js"][1].startswith("text/javascript")
    assert not [address for address in served if address.endswith((".py", ".html")) and address != "/donate.html"]
