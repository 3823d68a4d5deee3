"""The templates come in two languages, say that they are no legal advice, and leave open what nobody but their users can know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mldr.annotation.consents import SCOPES, Consent

FOLDER = Path(__file__).parents[2] / "docs" / "consent"
NAMES = ("notice", "consent-form", "impact-assessment", "withdrawal-letter", "data-use-terms")
DISCLAIMERS = {"en": "no legal advice", "zh": "不构成法律意见"}


def text_of(name: str, language: str) -> str:
    return (FOLDER / f"{name}.{language}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", sorted(DISCLAIMERS))
@pytest.mark.parametrize("name", NAMES)
def test_each_template_says_first_that_it_is_no_legal_advice_and_has_places_to_fill_in(
    name: str, language: str
) -> None:
    text = text_of(name, language)
    assert DISCLAIMERS[language] in text.split("\n\n")[1]
    assert len(re.findall(r"\[[^\] ]", text)) >= 3
    assert bool(re.search("[\u4e00-\u9fff]", text)) == (language == "zh")


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_have_the_same_parts(name: str) -> None:
    parts = [
        (len(re.findall(r"^#", text, re.MULTILINE)), len(re.findall(r"^\|", text, re.MULTILINE)))
        for text in (text_of(name, "en"), text_of(name, "zh"))
    ]
    assert parts[0] == parts[1]


@pytest.mark.parametrize("language", sorted(DISCLAIMERS))
def test_the_form_asks_for_every_scope_the_age_and_every_method(language: str) -> None:
    text = text_of("consent-form", language)
    methods = Consent.model_json_schema()["properties"]["method"]["enum"]
    assert all(f"`{word}`" in text for word in (*SCOPES, *methods))
    assert "18" in text or "十八" in text


def test_the_page_explains_every_scope_and_links_every_template() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{scope}` |" in page for scope in SCOPES)
    linked = set(re.findall(r"\]\(([^)]+)\)", page))
    assert linked == {path.name for path in FOLDER.glob("*.md")} - {"README.md"}
    assert "legal advice" in page
