from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given

from mldr.answers import parse_answer
from mldr.dialogue import Dialogue
from mldr.errors import MldrError
from mldr.markup import ImageSlot, render_parts
from mldr.prompts import Order, PromptLanguage, load_prompt, prompt, prompt_language
from tests.core.support import dialogues, hostile_text

GOOD = "user: |\n  <|query_start|>{query}<|query_end|>\n  {dialogue}\n"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("order", ["query_first", "dialogue_first"])
def test_every_prompt_shows_the_answer_form_and_both_slots(language: PromptLanguage, order: Order) -> None:
    made = prompt(language, order)
    assert made.name == f"mldr-1-{language}-{order}"
    assert made.user.count("{query}") == made.user.count("{dialogue}") == 1
    assert (made.user.index("{query}") < made.user.index("{dialogue}")) == (order == "query_first")
    assert parse_answer(made.user) is not None
    assert made.system


def test_words_have_an_identity() -> None:
    hashes = {
        prompt(language, order).sha256 for language in ("zh", "en") for order in ("query_first", "dialogue_first")
    }
    assert len(hashes) == 4


def test_dialogues_of_other_languages_get_english_words() -> None:
    assert [prompt_language(language) for language in ("zh", "en", "de", "")] == ["zh", "en", "en", "en"]


@given(dialogues(), hostile_text)
def test_filling_keeps_slots_and_lets_no_query_forge_anything(dialogue: Dialogue, query: str) -> None:
    for order in ("query_first", "dialogue_first"):
        parts = prompt("en", order).filled(render_parts(dialogue, "pixels"), query)
        assert [p.image_id for p in parts if isinstance(p, ImageSlot)] == list(range(dialogue.n_images))
        text = "".join(p for p in parts if isinstance(p, str))
        assert text.count("<|query_start|>") == text.count("<|query_end|>") == 1
        assert text.count("<|utt_id_start|>") == dialogue.n_utterances
        assert "<image>" not in text
        assert not any(isinstance(a, str) and isinstance(b, str) for a, b in pairwise(parts))


def test_slots_in_a_query_stay_words() -> None:
    filled = prompt("en").filled(["D"], "{dialogue} {query}")
    assert "<|query_start|>{dialogue} {query}<|query_end|>" in "".join(str(part) for part in filled)


def test_ones_own_prompt_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("system: Be brief.\n" + GOOD, "utf-8")
    own = load_prompt(tmp_path / "mine.yaml")
    assert (own.name, own.system) == ("mine", "Be brief.")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1]", "has the key 'user'"),
        (GOOD + "more: x\n", "has the key 'user'"),
        ("user: 7", "are texts"),
        ("user: '{query}'", r"holds \{dialogue\} 0 times"),
        (GOOD.replace("{dialogue}", "{dialogue}\n  {dialogue}"), r"holds \{dialogue\} 2 times"),
        (GOOD.replace("{dialogue}", "D: {dialogue}"), "on a line of its own"),
        (GOOD.replace("<|query_start|>", ""), "stands in its tags"),
        (GOOD + "  <image>\n", "which only the dialogue may hold"),
        ("user: [", "not YAML"),
        ("user: !!python/object:os.system x", "not YAML"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_a_fault(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "own.yaml").write_text(text, "utf-8")
    with pytest.raises(MldrError, match=told):
        load_prompt(tmp_path / "own.yaml")


def test_a_prompt_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="No such file"):
        load_prompt(tmp_path / "nowhere.yaml")
