from __future__ import annotations

import base64
import hashlib
import io
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mldr.dialogue import Dialogue, StoredImage
from mldr.html import MARK_WORDS, THUMBNAIL, Marks, Markup, bubbles, joined, page, tag, thumbnail
from mldr.images import normalise
from tests.conftest import picture, small_dialogue, stored_picture
from tests.core.support import dialogues, plain_text, textless

Elements = list[tuple[str, list[tuple[str, str | None]]]]

PIECES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='x",
    "</p></li></title></style>",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[",
    "&lt;",
    "&#60;b&#62;",
    "&amp",
    "<",
    ">",
    '"',
    "'",
    "&",
    "=",
    "`",
    "\x00",
    "javascript:x",
    "<\n/b",
    "你",
)
hostile = st.lists(st.sampled_from(PIECES) | plain_text, max_size=5).map("".join)


class Seen(HTMLParser):
    """What a reader of HTML makes of a page: its elements with their attributes, and its text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: Elements = []
        self.words: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, attributes))

    def handle_data(self, text: str) -> None:
        self.words.append(text)

    def handle_comment(self, text: str) -> None:
        raise AssertionError(f"a comment: {text}")


def names(markup: str) -> list[tuple[str, list[str]]]:
    return [(name, [key for key, _ in attributes]) for name, attributes in Seen(markup).elements]


@given(hostile, hostile)
def test_a_string_never_becomes_an_element_or_an_attribute(text: str, value: str) -> None:
    seen = Seen(tag("p", text, title=value, class_="a").html)
    assert seen.elements == [("p", [("title", value), ("class", "a")])]
    assert "".join(seen.words) == text


@given(hostile)
def test_a_page_shows_hostile_words_and_runs_none(text: str) -> None:
    mild = page("a", "en", "p { color: red }", tag("p", "a"), "a")
    seen = page(text, "en", "p { color: red }", tag("p", text), text)
    assert names(seen) == names(mild)


@given(dialogues(hostile))
def test_bubbles_have_the_same_elements_whatever_is_said(dialogue: Dialogue) -> None:
    seen = Seen(bubbles(dialogue, {}).html)
    assert {name for name, _ in seen.elements} <= {"ol", "li", "span", "p", "figure", "figcaption"}
    assert sum(name == "li" for name, _ in seen.elements) == dialogue.n_utterances
    assert sum(name == "figure" for name, _ in seen.elements) == dialogue.n_images
    assert {key for _, attributes in seen.elements for key, _ in attributes} <= {"class"}
    text = "".join(seen.words)
    assert all(utterance.text in text for utterance in dialogue.utterances)


def test_markup_is_put_together_without_escaping_it_twice() -> None:
    inner = tag("b", "<")
    assert str(tag("p", inner, ">")) == "<p><b>&lt;</b>&gt;</p>"
    assert joined("&", inner) == Markup("&amp;<b>&lt;</b>")
    assert inner + inner == Markup("<b>&lt;</b><b>&lt;</b>")


def test_attributes_are_named_as_in_html() -> None:
    markup = tag("input", type="checkbox", checked=True, disabled=False, aria_label='a "b"', for_=3)
    assert str(markup) == '<input type="checkbox" checked aria-label="a &quot;b&quot;" for="3">'


def test_a_page_may_load_nothing_and_run_only_its_own_script() -> None:
    style, script = "p { color: red }", "let a = 1 < 2;"
    seen = Seen(page("t", "zh", style, script=script))
    policy = dict(next(attributes for name, attributes in seen.elements if ("content") in dict(attributes)))["content"]
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == digest(style)
    assert rules["script-src"] == digest(script)
    assert rules["img-src"] == "data:"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert ("html", [("lang", "zh")]) in seen.elements


def test_a_page_without_a_script_allows_none() -> None:
    markup = page("t", "en", "", tag("p", "a"))
    assert "script-src 'none'" in markup.replace("&#x27;", "'")
    assert "<script" not in markup


def decoded(markup: Markup) -> Image.Image:
    attributes = dict(Seen(markup.html).elements[0][1])
    source = attributes["src"]
    assert source is not None
    kind, _, content = source.partition(",")
    assert kind == "data:image/jpeg;base64"
    shown = Image.open(io.BytesIO(base64.b64decode(content)))
    assert (attributes["width"], attributes["height"]) == (str(shown.width), str(shown.height))
    return shown


def test_a_thumbnail_is_a_small_jpeg_inside_the_page() -> None:
    large = normalise(picture("red", (900, 300)))
    shown = decoded(thumbnail(StoredImage(large.image_key, "present", large.content), "a <red> picture"))
    assert shown.size == (THUMBNAIL, THUMBNAIL // 3 + 1)
    red, green, blue = shown.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert red > 240
    assert green < 16
    assert blue < 16


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16", "CMYK"])
def test_a_stored_picture_of_any_mode_has_a_thumbnail(mode: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (30, 20)).save(buffer, "TIFF" if mode == "CMYK" else "PNG")
    assert decoded(thumbnail(StoredImage("k", "present", buffer.getvalue()), "a")).size == (30, 20)


def test_an_image_without_pixels_is_shown_in_words() -> None:
    withheld = thumbnail(StoredImage("ref:x/1", "withheld"), "<b>a dog</b>")
    assert Seen(withheld.html).elements == [("span", [("class", "no-image")])]
    assert Seen(withheld.html).words == ["[withheld] <b>a dog</b>"]
    broken = thumbnail(StoredImage("k", "present", b"no picture"), "a dog")
    assert "[broken: not a picture" in broken.html


def test_marks_say_in_words_what_the_colours_say() -> None:
    image = stored_picture("red")
    dialogue = textless(small_dialogue(1, 4, [image]), 3)
    marks = Marks(gold=[0, 1, 3], predicted=[1, 2])
    markup = bubbles(dialogue, {image.image_key: image}, marks, Marks(gold=[0], predicted=[0]))
    classes = [dict(attributes).get("class") for name, attributes in Seen(markup.html).elements if name == "p"]
    assert classes == ["missed", "hit", "extra"]
    words = "".join(Seen(markup.html).words)
    assert words.count(MARK_WORDS["hit"]) == 2
    assert words.count(MARK_WORDS["missed"]) == words.count(MARK_WORDS["extra"]) == 1
    assert [dict(a)["class"] for name, a in Seen(markup.html).elements if name == "figure"] == ["hit"]


def test_speakers_take_sides() -> None:
    sides = [dict(a)["class"] for name, a in Seen(bubbles(small_dialogue(1, 3), {}).html).elements if name == "li"]
    assert sides == ["bubble left", "bubble right", "bubble left"]
