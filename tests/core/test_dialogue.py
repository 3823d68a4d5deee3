from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.dialogue import Dialogue, DialogueImage, Gold, StoredImage, Utterance, kind_of
from tests.conftest import small_dialogue
from tests.core.support import dialogues, textless


@pytest.mark.parametrize(
    ("utterance_ids", "image_ids", "kind"),
    [((0,), (0,), "multimodal"), ((0,), (), "utterance"), ((), (0,), "image"), ((), (), "negative")],
)
def test_the_kind_says_what_an_answer_is_made_of(
    utterance_ids: tuple[int, ...], image_ids: tuple[int, ...], kind: str
) -> None:
    assert kind_of(utterance_ids, image_ids) == kind
    assert Gold("q", "f", "fine", utterance_ids, image_ids).kind == kind


@given(dialogues())
def test_utterances_are_with_or_without_text(dialogue: Dialogue) -> None:
    with_text = {i for i, utterance in enumerate(dialogue.utterances) if utterance.text != ""}
    assert with_text | set(dialogue.textless_ids) == set(range(dialogue.n_utterances))
    assert with_text.isdisjoint(dialogue.textless_ids)


def test_counts_include_textless_utterances() -> None:
    dialogue = textless(small_dialogue(1, 4), 2)
    assert (dialogue.n_utterances, dialogue.textless_ids, dialogue.n_images) == (4, (2,), 0)


def test_records_do_not_change() -> None:
    utterance = Utterance("a", "hello")
    with pytest.raises(dataclasses.FrozenInstanceError):
        utterance.text = "bye"  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        DialogueImage("k").colour = "red"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("media_type", "name"), [("image/jpeg", "ab.jpg"), ("image/png", "ab.png"), ("image/webp", "ab"), ("../x", "ab")]
)
def test_a_stored_image_is_named_after_its_hash(media_type: str, name: str) -> None:
    assert StoredImage("sha256:ab", "present", b"x", media_type=media_type).file_name == name


def test_an_image_without_bytes_has_no_file_name() -> None:
    assert StoredImage("ref:x/1", "url_only", url="https://example.org/a.jpg").file_name == ""


@given(st.integers(0, 9), st.integers(0, 9))
def test_equal_records_are_equal_and_hash_alike(first: int, second: int) -> None:
    one, two = small_dialogue(first), small_dialogue(second)
    assert (one == two) == (first == second)
    assert len({one, two}) == (1 if first == second else 2)
