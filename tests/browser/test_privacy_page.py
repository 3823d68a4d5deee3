"""The privacy pass over a collection, by real keys: yes, no, other words, a mark of one's own, a message out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mldr.annotation.collection import Collection
from mldr.annotation.privacy.reviewed import apply_reviews
from mldr.annotation.records import Collected, CollectedMask
from mldr.annotation.reviews import read_reviews
from mldr.annotation.serving.apps import privacy_app
from mldr.annotation.spans import Mask
from mldr.web import Running, running
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, small_picture
from tests.browser.support_label import Seen, context_of, tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ONE = dialogue_name(1)
TEXT = "😀 call Dana or Lee at [phone1] <b>now</b>"
HOSTILE = "<img src=x onerror=window.hacked=1><script>window.hacked=2</script>"


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    """Two pictures at 0 and 1; at 4 two doubtful names and a sure number; at 6 a hostile name, doubtful too."""
    pictures = [small_picture(0), small_picture(1)]
    masks = (
        CollectedMask(4, Mask(7, 11, "name", "Dana", 0.5, "hints")),
        CollectedMask(4, Mask(15, 18, "name", "Lee", 0.5, "hints")),
        CollectedMask(4, Mask(22, 30, "mobile", "[phone1]", 0.9, "phones")),
        CollectedMask(6, Mask(0, len(HOSTILE), "name", HOSTILE, 0.5, "hints")),
    )
    made = collected_dialogue(1, 20, pictures, masks=masks, read=False)
    utterances = list(made.dialogue.utterances)
    utterances[4], utterances[6] = replace(utterances[4], text=TEXT), replace(utterances[6], text=HOSTILE)
    dialogue = replace(made.dialogue, utterances=tuple(utterances))
    images = tuple(replace(image, decision="") for image in made.images)
    return collection_of(tmp_path / "c", [replace(made, dialogue=dialogue, images=images)], pictures)


@pytest.fixture
def here(collection: Collection) -> Iterator[Running]:
    with running(privacy_app(collection)) as served:
        yield served


@pytest.fixture
def seen(here: Running, browser: Browser) -> Iterator[Seen]:
    context = context_of(browser)
    yield tab(context, here.url)
    context.close()


def now(collection: Collection) -> Collected:
    """Return the dialogue with everything carried out."""
    return apply_reviews(collection.read(ONE), read_reviews(collection.reviews(ONE)))


def decided(seen: Seen, collection: Collection, lines: int) -> None:
    """Wait until so many decisions are written down."""
    seen.until(lambda: read_reviews(collection.reviews(ONE)).lines == lines)


def test_a_dialogue_is_decided_and_read_by_keys_alone(seen: Seen, here: Running, collection: Collection) -> None:
    assert seen.words("aside .figures")[0].startswith("5 to decide")
    assert seen.page.locator("button.strong").is_disabled()
    for lines, key in enumerate(("y", "n", "y", "n", "y"), 1):  # pictures 0 and 1, Dana, Lee, the hostile one
        seen.press(key)
        decided(seen, collection, lines)
        seen.until(lambda lines=lines: seen.words("aside .figures")[0].startswith(f"{5 - lines} to decide"))  # type: ignore[misc]
    seen.press("Enter")
    assert "Read on to the end first." in " ".join(seen.words(".notice"))
    seen.go(19)
    seen.until(lambda: seen.page.locator("button.strong").is_enabled())
    seen.press("Enter")
    decided(seen, collection, 6)
    done = now(collection)
    assert [image.decision for image in done.images] == ["yes", "no"]
    assert [held.decision for held in done.masks] == ["mask", "keep", "", "mask"]
    assert (done.dialogue.utterances[4].text, done.treatment["read"]) == (TEXT, True)
    seen.clean(here.origin)


def test_keys_pressed_faster_than_the_server_answers_decide_one_finding_each(
    seen: Seen, collection: Collection
) -> None:
    seen.press("y", "n", "y", "n", "y")
    decided(seen, collection, 5)
    done = now(collection)
    assert [image.decision for image in done.images] == ["yes", "no"]
    assert [held.decision for held in done.masks] == ["mask", "keep", "", "mask"]


def test_other_words_are_put_where_a_name_stands_after_an_emoji(seen: Seen, collection: Collection) -> None:
    seen.press("f", "f")
    assert seen.words("mark.finding.now") == ["Dana"]
    seen.press("e")
    seen.type("Robin")
    seen.press("Enter")
    decided(seen, collection, 1)
    assert now(collection).dialogue.utterances[4].text == TEXT.replace("Dana", "Robin")
    seen.wait("#m4 .becomes")
    assert [words.strip() for words in seen.words("#m4 .becomes")] == ["→ Robin"]


def test_words_that_no_detector_found_are_marked_one_by_one(seen: Seen, collection: Collection) -> None:
    seen.go(8)
    seen.press("m")
    seen.wait(".picking mark")
    seen.press("ArrowRight", "Shift+ArrowRight", "Enter")
    decided(seen, collection, 1)
    assert now(collection).dialogue.utterances[8].text == "message [other] dialogue 1"
    seen.wait("#m8 mark.finding")
    seen.press("m")
    seen.wait(".picking")
    seen.press("Escape")
    assert seen.page.locator(".picking").count() == 0


def test_a_selection_by_the_mouse_is_what_m_marks(seen: Seen, collection: Collection) -> None:
    seen.go(4)
    seen.script(
        """() => { const text = document.querySelector("#m4 p.text"), range = document.createRange();
        const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT); walker.nextNode();
        range.setStart(walker.currentNode, 3); range.setEnd(walker.currentNode, 7);
        getSelection().removeAllRanges(); getSelection().addRange(range); }"""
    )  # `call` after an emoji, which is two units of JavaScript and one character
    seen.press("m", "Enter")
    decided(seen, collection, 1)
    assert now(collection).dialogue.utterances[4].text == TEXT.replace("call", "[other]")


def test_a_message_is_taken_out_and_back_in(seen: Seen, collection: Collection) -> None:
    seen.go(4)
    seen.press("x")
    decided(seen, collection, 1)
    seen.wait("#m4 .gone")
    assert "Dana" not in seen.words("#m4")[0]
    assert seen.words("aside .figures")[0].startswith("3 to decide")
    seen.go(4)
    seen.press("x")
    decided(seen, collection, 2)
    seen.wait("#m4 mark.finding")
    assert now(collection).dialogue == collection.read(ONE).dialogue


def test_a_mark_that_crosses_another_is_refused_on_the_page_and_nothing_is_written(
    seen: Seen, collection: Collection
) -> None:
    seen.go(4)
    seen.press("m")
    seen.wait(".picking mark")
    for _ in range(7):
        seen.press("ArrowRight")
    assert seen.words(".picking mark") == ["phone1"]  # a part of [phone1]
    seen.press("Enter")
    seen.wait(".notice.bad")
    assert "overlaps" in seen.words(".notice.bad")[0]
    assert not collection.reviews(ONE).exists()


def test_sure_masks_are_gone_through_when_asked_for(seen: Seen) -> None:
    before = seen.page.locator("aside .fragments li").count()
    seen.press("t")
    assert seen.page.locator("aside .fragments li").count() == before + 1
    seen.press("t")
    assert seen.page.locator("aside .fragments li").count() == before


def test_a_whole_dialogue_is_left_out_and_taken_back(seen: Seen, collection: Collection) -> None:
    seen.press("Shift+X")
    decided(seen, collection, 1)
    assert read_reviews(collection.reviews(ONE)).left_out
    seen.wait("text=The dialogue is left out.")
    seen.press("Shift+X")
    decided(seen, collection, 2)
    assert not read_reviews(collection.reviews(ONE)).left_out


def test_the_chinese_page_says_no_english_word(collection: Collection, browser: Browser) -> None:
    context = context_of(browser)
    with running(privacy_app(collection, language="zh")) as served:
        page = tab(context, served.url)
        assert page.script("document.documentElement.lang") == "zh-CN"
        for selector in ("header button:not(.language)", "aside h2", "aside button", "aside .tag", ".status"):
            for words in page.words(selector):
                assert any("\u4e00" <= one <= "\u9fff" for one in words), words
        page.clean(served.origin)
    context.close()
