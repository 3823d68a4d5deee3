from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.dialogue import Dialogue, DialogueImage, Utterance
from mldr.markup import (
    IMAGE_SLOT,
    ImageSlot,
    RenderedUtterance,
    Sees,
    anonymous_speakers,
    escape,
    parse,
    render,
    render_parts,
    unescape,
)
from tests.core.support import dialogues, hostile_text


def lines_of(dialogue: Dialogue) -> list[RenderedUtterance]:
    names = anonymous_speakers(dialogue.utterances)
    return [
        RenderedUtterance(index, names[utterance.speaker], utterance.text, utterance.image_ids)
        for index, utterance in enumerate(dialogue.utterances)
    ]


@given(dialogues(), st.sampled_from(["text", "captions", "pixels"]))
def test_a_rendered_dialogue_parses_back(dialogue: Dialogue, sees: Sees) -> None:
    assert parse(render(dialogue, sees)) == lines_of(dialogue)


@given(dialogues(), st.sets(st.integers(0, 14)))
def test_it_parses_back_where_some_pixels_cannot_be_had(dialogue: Dialogue, without: set[int]) -> None:
    parts = render_parts(dialogue, "pixels", without=sorted(without))
    slots = [part.image_id for part in parts if isinstance(part, ImageSlot)]
    assert slots == [image_id for image_id in range(dialogue.n_images) if image_id not in without]
    text = "".join(IMAGE_SLOT if isinstance(part, ImageSlot) else part for part in parts)
    assert parse(text) == lines_of(dialogue)


@given(hostile_text)
def test_escaping_is_undone_exactly(text: str) -> None:
    assert unescape(escape(text)) == text


@given(hostile_text)
def test_escaped_text_is_one_line_without_tags_or_image_slots(text: str) -> None:
    escaped = escape(text)
    assert "\n" not in escaped
    assert "<|" not in escaped
    assert "<image>" not in escaped


@given(hostile_text, hostile_text)
def test_different_texts_stay_different(first: str, second: str) -> None:
    assert (escape(first) == escape(second)) == (first == second)


@pytest.mark.parametrize(
    ("text", "escaped"), [("\\", "\\\\"), ("\n", "\\n"), ("<|", "<\\|"), ("<image>", "<\\image>"), ("\\n", "\\\\n")]
)
def test_the_escapes_are_those_of_the_design(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@given(dialogues())
def test_no_message_can_forge_a_line_or_an_image(dialogue: Dialogue) -> None:
    rendered = render(dialogue, "pixels")
    assert rendered.count("<|utt_id_start|>") == dialogue.n_utterances
    assert rendered.count("<|img_id_start|>") == dialogue.n_images
    assert rendered.count(IMAGE_SLOT) == dialogue.n_images


def example() -> Dialogue:
    return Dialogue(
        "d",
        "en",
        "real",
        "c",
        (
            Utterance("Ann", "look\nhere", (0,)),
            Utterance("Bob", "", (1, 2)),
            Utterance("Ann", "<image>"),
        ),
        (DialogueImage("k0", "a dog"), DialogueImage("k1"), DialogueImage("k2", "a [cat]")),
    )


def test_captions_are_shown_only_where_they_are_asked_for() -> None:
    assert render(example(), "text") == (
        "<|utt_id_start|>0<|utt_id_end|> user1: look\\nhere <|img_id_start|>0<|img_id_end|>[image]\n"
        "<|utt_id_start|>1<|utt_id_end|> user2:  <|img_id_start|>1<|img_id_end|>[image]"
        " <|img_id_start|>2<|img_id_end|>[image]\n"
        "<|utt_id_start|>2<|utt_id_end|> user1: <\\image>"
    )
    assert "[image: a dog]" in render(example(), "captions")
    assert "a dog" not in render(example(), "pixels")
    assert "a dog" not in render(example(), "text")


def test_an_image_stands_where_its_utterance_carries_it() -> None:
    parts = render_parts(example(), "pixels", without=[1])
    assert [part for part in parts if isinstance(part, ImageSlot)] == [ImageSlot(0), ImageSlot(2)]
    assert parts[0] == "<|utt_id_start|>0<|utt_id_end|> user1: look\\nhere <|img_id_start|>0<|img_id_end|>"
    assert isinstance(parts[2], str)
    assert "<|img_id_start|>1<|img_id_end|>[image]" in parts[2]


def test_names_are_hidden_and_counted_by_first_appearance() -> None:
    assert anonymous_speakers(example().utterances) == {"Ann": "user1", "Bob": "user2"}
    assert "Ann" not in render(example(), "captions")


def test_an_empty_dialogue_is_an_empty_text() -> None:
    assert parse(render(Dialogue("d", "en", "real", "c", ()), "pixels")) == []


@pytest.mark.parametrize(
    "line",
    [
        "hello",
        "<|utt_id_start|>x<|utt_id_end|> user1: a",
        "<|utt_id_start|>0<|utt_id_end|> Ann: a",
        "<|utt_id_start|>0<|utt_id_end|> user1: <|utt_id_start|>",
        "<|utt_id_start|>0<|utt_id_end|> user1: a <|img_id_start|>0<|img_id_end|>",
        "<|utt_id_start|>0<|utt_id_end|> user1: a <|img_id_start|>0<|img_id_end|><image> and more",
        "<|utt_id_start|>" + "9" * 5_000 + "<|utt_id_end|> user1: a",
        "<|utt_id_start|>0<|utt_id_end|> user1: a\n",
    ],
    ids=lambda line: line[-24:],
)
def test_a_line_that_was_not_rendered_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"line \d"):
        parse(line)


@given(hostile_text)
def test_parsing_fails_only_with_a_value_error(text: str) -> None:
    try:
        parsed = parse(text)
    except ValueError:
        return
    assert all(isinstance(line, RenderedUtterance) for line in parsed)
