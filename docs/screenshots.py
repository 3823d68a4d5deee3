"""Takes the pictures of the local pages for the documents, of the invented chat: python docs/screenshots.py (needs Chromium)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mldr.annotation.collection import Collection, open_collection
from mldr.annotation.cutreport import CutSettings
from mldr.annotation.cutting import cut_chats
from mldr.annotation.example import write_example
from mldr.annotation.importing import Import, import_chats
from mldr.annotation.labels import Put, as_line
from mldr.annotation.privacy.protect import protect
from mldr.annotation.serving.apps import adjudicate_app, label_app, privacy_app
from mldr.annotation.store import append_line, open_store
from mldr.web import LocalApp, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DOCS = Path(__file__).parent
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-sync", "--no-first-run", "--disable-component-update")


def example(folder: Path) -> Collection:
    """Return the invented chat as a collection."""
    write_example(folder / "export")
    store = open_store(folder / "store", create=True)
    import_chats(folder / "export", store, Import())
    cut_chats(store, CutSettings())
    collection = open_collection(folder / "collection", create=True)
    protect(store, collection)
    return collection


def said(collection: Collection) -> None:
    """Let two people answer the same queries, not quite alike."""
    (dialogue_id,) = collection.ids()
    answers = {
        "ann": {
            "去哪里爬山，几点集合？": ((0, 3, 5, 6), (0,)),
            "小橘怎么了？": ((11, 12, 14, 15, 16), (1,)),
            "生日那天做什么菜？": ((31, 32, 33, 35), (3,)),
        },
        "bob": {
            "去哪里爬山，几点集合？": ((0, 1, 3, 6, 7), (0,)),
            "小橘怎么了？": ((11, 14, 15), (1,)),
            "生日那天做什么菜？": ((31, 32, 33, 35), (3,)),
        },
    }
    for name, queries in answers.items():
        for number, (query, (utterances, images)) in enumerate(queries.items(), 1):
            put = Put(fragment=f"f{number}", query=query, utterance_ids=utterances, image_ids=images)
            append_line(collection.labels(name, dialogue_id), as_line(put))


def taken(browser: Browser, app: LocalApp, name: str, act: Callable[[Page], None]) -> None:
    """Open a page, do something on it, and take its picture."""
    with running(app) as here:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(here.url)
        page.locator(".row.at").wait_for()
        act(page)
        page.wait_for_timeout(600)
        page.screenshot(path=DOCS / f"{name}.png")
        page.close()


def keys(*pressed: str) -> Callable[[Page], None]:
    """Return what presses keys."""

    def act(page: Page) -> None:
        for key in pressed:
            page.keyboard.press(key)

    return act


def main() -> None:
    """Take all of them."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        collection = example(Path(folder))
        said(collection)
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        taken(browser, label_app(collection, "ann", language="en"), "label", keys("1", "i"))
        taken(
            browser,
            adjudicate_app(collection, ["ann", "bob"], "eve", language="en"),
            "adjudicate",
            keys("Shift+U", "j"),
        )
        taken(browser, privacy_app(collection, language="zh"), "privacy", keys("y", "j"))
        browser.close()


if __name__ == "__main__":
    main()
