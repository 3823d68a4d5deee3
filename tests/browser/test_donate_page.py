"""The donation walk in a real browser: the example chat from its export to a received bundle, by clicks and keys."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mldr.annotation.bundle import receive
from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.cutreport import CutSettings
from mldr.annotation.cutting import cut_chats
from mldr.annotation.example import write_example
from mldr.annotation.importing import Import, import_chats
from mldr.annotation.reviews import ImageReview, SpanReview, Whole
from mldr.annotation.serving.donation import donation_app
from mldr.annotation.serving.storereview import StoreReview
from mldr.annotation.store import Store, open_store
from mldr.web import running
from tests.annotation.support_donations import TODAY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page


PRIVATE = (
    "林晓雨", "徐子航", "陈立", "阿旭", "老陈", "林姐", "wxid_", "13800138000", "京A12345", "lingshan_guide2020", "482913",
    "幸福路18号", "weekend-hills", "周末爬山小分队",
)  # fmt: skip


@dataclass
class Walk:
    """A giver at the page."""

    page: Page
    export: Path
    store: Store
    out: Path
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def press(self, name: str) -> None:
        """Click a button by its words."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def title(self) -> str:
        """Return the heading of the step."""
        return self.page.locator(".step h1").inner_text()

    def person(self, name: str) -> Locator:
        """Return somebody's card."""
        return self.page.locator("details.person", has_text=name)

    def to_reading(self) -> None:
        """Go from the first page to the privacy pass."""
        self.press("I have read this: begin")
        self.press("Read it")
        self.press("This is right: cut it and begin to read")
        self.page.wait_for_selector("ol.chat li.row")

    def decide_all(self) -> None:
        """Say yes to everything that is asked, with the keyboard."""
        while self.left():
            before = self.left()
            self.page.keyboard.press("y")
            self.until_left(before - 1)

    def left(self) -> int:
        """Return how many things are undecided."""
        return int(self.page.locator("aside .figures").inner_text().split()[0])

    def until_left(self, wanted: int) -> None:
        """Wait until so many are."""
        for _ in range(100):
            if self.left() == wanted:
                return
            self.page.wait_for_timeout(30)
        raise AssertionError(f"{self.left()} are left, not {wanted}")

    def read_to_the_end(self) -> None:
        """Scroll through the dialogue and say that it is read."""
        view = self.page.locator(".view")
        view.evaluate("node => { node.scrollTop = 0; }")
        while view.evaluate("node => node.scrollTop + node.clientHeight < node.scrollHeight - 2"):
            view.evaluate("node => { node.scrollTop += node.clientHeight * 0.8; }")
            self.page.wait_for_timeout(20)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(".step h1")

    def already_read(self) -> None:
        """Come back to a store that was imported, cut and read on another day."""
        import_chats(self.export, self.store, Import())
        cut_chats(self.store, CutSettings())
        review = StoreReview(self.store)
        for dialogue_id in review.ids():
            reading = review.reading(dialogue_id)
            for number in range(len(reading.page["images"])):
                review.decide(dialogue_id, ImageReview(image_id=number, choice="yes"))
            for one in reading.findings:
                told = {"utterance_id": one.utterance_id, "start": one.start, "end": one.end, "kind": one.kind}
                review.decide(dialogue_id, SpanReview.model_validate({**told, "choice": "mask"}))
            review.decide(dialogue_id, Whole(read=True))
        self.page.reload()
        self.page.wait_for_selector("details.person")

    def agree(self, name: str, *scopes: str, method: str = "signed") -> None:
        """Enter what a person agreed to."""
        card = self.person(name)
        if card.get_attribute("open") is None:
            card.locator("summary").click()
        card.get_by_label("yes", exact=True).check()
        for scope in scopes:
            card.locator(f"input[value={scope}]").check()
        card.locator("select").select_option(method)
        card.get_by_role("button", name="Enter it").click()
        self.page.locator("details.person.agreed", has_text=name).wait_for()

    def received(self, folder: Path) -> Collection:
        """Receive the bundle as whoever asked for it would."""
        collection = open_collection(folder, create=True)
        receive(self.out, collection)
        return collection


@pytest.fixture
def walk(browser: Browser, tmp_path: Path) -> Iterator[Walk]:
    export = write_example(tmp_path / "export")
    store, out = open_store(tmp_path / "store", create=True), tmp_path / "gift.zip"
    notes: list[str] = []
    with running(donation_app(store, out, export=export, today=lambda: TODAY), note=notes.append) as here:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="Asia/Shanghai")
        page = context.new_page()
        page.set_default_timeout(10_000)
        seen = Walk(page, export, store, out)
        page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("request", lambda request: seen.asked.append(request.url))
        page.goto(here.url)
        page.wait_for_selector(".step h1")
        yield seen
        context.close()
        assert {address.partition("/api")[0].startswith(here.origin) for address in seen.asked} == {True}
    assert notes == []


def content(bundle: Path) -> str:
    with zipfile.ZipFile(bundle) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def test_a_giver_goes_from_the_export_to_a_sealed_bundle(walk: Walk, tmp_path: Path) -> None:
    walk.to_reading()
    assert "幸福路18号院3号楼" in walk.page.locator("#m6").inner_text()  # raw, beside what will stand there
    assert "[地址1]" in walk.page.locator("#m6").inner_text()
    walk.page.locator("#m1").click()
    walk.page.keyboard.press("x")
    walk.page.get_by_text("message 1 is taken out").wait_for()
    walk.page.keyboard.press("f")
    walk.decide_all()
    walk.read_to_the_end()
    assert walk.title() == "Who agreed to what?"
    walk.agree("林晓雨", "research", "images", method="donor_page")
    walk.agree("徐子航", "research", "images")
    walk.agree("陈立", "research", "images", "public")
    walk.press("Check and seal")
    walk.page.locator("code.seal").wait_for()
    assert walk.title() == "Your gift is sealed"
    words = walk.page.locator(".step").inner_text()
    assert "dialogues: 1; messages: 76; pictures: 7; people: 3" in words
    assert str(walk.store.folder.resolve()) in words
    assert str(tmp_path / "export" / "chat.jsonl") in words
    collection = walk.received(tmp_path / "collection")
    seal = walk.page.locator("code.seal").inner_text()
    assert [path.stem for path in (collection.folder / "receipts").iterdir()] == [seal[:16]]
    (collected,) = collection
    assert collected.dialogue.n_utterances == 76
    assert {image.status for image in collected.images} == {"present"}
    for private in (*PRIVATE, str(tmp_path)):
        assert private not in content(walk.out)
    assert walk.complaints == []


def test_a_reload_goes_on_where_the_giver_was(walk: Walk) -> None:
    walk.to_reading()
    before = walk.left()
    walk.page.keyboard.press("y")
    walk.until_left(before - 1)
    walk.page.reload()
    walk.page.wait_for_selector("ol.chat li.row")
    walk.until_left(before - 1)
    walk.decide_all()
    walk.read_to_the_end()
    walk.agree("林晓雨", "research", method="donor_page")
    walk.page.reload()
    walk.page.wait_for_selector("details.person.agreed")
    assert walk.title() == "Who agreed to what?"
    assert "agreed on 2026-06-01: research" in walk.person("林晓雨").locator("summary").inner_text()


def test_who_does_not_agree_loses_their_messages(walk: Walk, tmp_path: Path) -> None:
    walk.already_read()
    walk.agree("林晓雨", "research", "images", method="donor_page")
    walk.agree("徐子航", "research", "images")
    assert "1 of them did not agree" in walk.page.locator(".step").inner_text()
    walk.press("Check and seal")
    walk.page.locator("code.seal").wait_for()
    assert "messages of people who did not agree" in walk.page.locator(".step").inner_text()
    (collected,) = walk.received(tmp_path / "collection")
    assert len(collected.subjects) == 2
    assert {image.status for image in collected.images} == {"withheld"}
    assert walk.store.subject_key("wechat", "wxid_chen1h7e5t9vq8") not in content(walk.out)


def test_a_consent_without_an_age_or_a_scope_is_asked_for_again(walk: Walk) -> None:
    walk.already_read()
    card = walk.person("林晓雨")
    card.get_by_role("button", name="Enter it").click()
    assert "18 or older" in walk.page.locator(".faults").inner_text()
    card.get_by_label("yes", exact=True).check()
    card.get_by_role("button", name="Enter it").click()
    assert "tick at least one thing" in walk.page.locator(".faults").inner_text()
    walk.press("Check and seal")
    walk.page.get_by_text("nothing is left to give").wait_for()
    assert not walk.out.exists()


def test_a_leak_is_told_and_one_click_leads_to_its_message(walk: Walk) -> None:
    walk.to_reading()
    walk.page.locator("#m1").click()
    walk.page.keyboard.press("m")
    walk.page.keyboard.press("e")
    walk.page.locator(".asking input").fill("陈立说好")
    walk.page.keyboard.press("Enter")
    walk.page.locator("#m1 .becomes").wait_for()
    walk.page.keyboard.press("i")
    walk.decide_all()
    walk.read_to_the_end()
    for name in ("林晓雨", "徐子航", "陈立"):
        walk.agree(name, "research", "images")
    walk.press("Check and seal")
    walk.page.get_by_role("button", name="go there").first.click()
    walk.page.wait_for_selector("#m1.at")
    assert not walk.out.exists()


def test_a_path_that_leads_nowhere_is_explained_and_kept(walk: Walk) -> None:
    walk.press("I have read this: begin")
    walk.page.locator("input[name=path]").fill("/no/such/chat")
    walk.page.keyboard.press("Enter")
    walk.page.get_by_text("there is no such file or folder").wait_for()
    assert walk.page.locator("input[name=path]").input_value() == "/no/such/chat"


def test_the_export_is_found_with_the_folder_browser(
    walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    walk.press("I have read this: begin")
    walk.press("Look for it …")
    walk.press("▸ export")
    walk.press("chat.jsonl")
    assert walk.page.locator("input[name=path]").input_value() == str(tmp_path / "export" / "chat.jsonl")
    walk.press("Read it")
    walk.page.get_by_text("86 messages were found").wait_for()


def test_the_giver_says_who_they_are_and_in_which_zone(walk: Walk) -> None:
    walk.press("I have read this: begin")
    walk.press("Read it")
    walk.page.get_by_role("radio", name="徐子航").check()
    walk.page.get_by_text("Something is wrong").click()
    walk.page.locator("input[name=zone]").fill("Europe/Berlin")
    walk.press("Read it again")
    walk.page.get_by_text("2025-05-15 13:04 (Europe/Berlin)").wait_for()
    assert walk.page.get_by_role("radio", name="徐子航").is_checked()


def test_too_short_a_chat_is_explained_and_asked_for_less(walk: Walk) -> None:
    walk.press("I have read this: begin")
    walk.press("Read it")
    walk.page.get_by_text("How it is cut").click()
    walk.page.locator("input[name=min_utterances]").fill("400")
    walk.press("This is right: cut it and begin to read")
    walk.page.get_by_text("No piece is long enough").wait_for()
    assert walk.page.locator("input[name=min_utterances]").input_value() == "400"


def test_the_walk_speaks_chinese(walk: Walk) -> None:
    walk.press("中文")
    assert walk.title() == "捐出一段聊天，同时保护其中的每一个人"
    walk.press("我已阅读，开始")
    walk.press("读取")
    walk.page.get_by_text("共找到 86 条消息").wait_for()
    assert walk.page.locator("html").get_attribute("lang") == "zh-CN"
    assert "d_" not in walk.page.locator(".walk").inner_text()
