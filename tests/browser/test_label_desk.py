"""An annotator's day at the page: what is typed, taken back, reloaded, closed, and what happens when the server goes away."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mldr.annotation.collection import Collection
from mldr.annotation.labels import Asked, Done, as_line, read_labels
from mldr.annotation.serving.apps import adjudicate_app, label_app, privacy_app
from mldr.annotation.store import append_line
from mldr.web import running
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, put, say, small_picture
from tests.browser.support_label import Seen, context_of, tab
from tests.browser.test_report_page import CONTRAST

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

ONE = dialogue_name(1)


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    pictures = [small_picture(shade) for shade in range(2)]
    made = collected_dialogue(1, 30, pictures)
    utterances = list(made.dialogue.utterances)
    utterances[20] = replace(utterances[20], text="the needle in the hay")
    made = replace(made, dialogue=replace(made.dialogue, utterances=tuple(utterances)))
    return collection_of(tmp_path / "c", [made], pictures)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = context_of(browser)
    yield made
    made.close()


def chosen(collection: Collection) -> dict[str, tuple[int, ...]]:
    """Return query -> messages, as the file has them."""
    return {one.query: one.utterance_ids for one in read_labels(collection.labels("ann", ONE)).fragments.values()}


def test_keys_are_letters_while_a_query_is_typed(collection: Collection, context: BrowserContext) -> None:
    with running(label_app(collection, "ann")) as here:
        seen = tab(context, here.url)
        seen.press("n")
        seen.type("u n 1 0 / g ? who j k i")
        seen.press("Enter")
        seen.settled()
        assert chosen(collection) == {"u n 1 0 / g ? who j k i": ()}
        assert seen.words(".row.at .index") == ["0"]
        seen.clean(here.origin)


def test_the_reader_searches_goes_and_follows_a_quote(collection: Collection, context: BrowserContext) -> None:
    with running(label_app(collection, "ann")) as here:
        seen = tab(context, here.url)
        seen.press("/")
        seen.type("NEEDLE")
        seen.press("Enter", "Escape")
        assert seen.words(".row.at .index") == ["20"]
        seen.go(7)
        assert seen.words(".row.at .index") == ["7"]
        seen.page.locator("#m7 .quote").click()
        assert seen.words(".row.at .index") == ["5"]
        seen.press("g")
        seen.type("30")
        seen.press("Enter")
        assert "30" in " ".join(seen.words(".notice"))
        seen.press("Escape", "ArrowDown", "k", "k", "k", "k", "k", "k", "k")
        assert seen.words(".row.at .index") == ["0"]
        assert read_labels(collection.labels("ann", ONE)).lines == 0
        seen.clean(here.origin)


def test_pictures_are_drawn_and_enlarged(collection: Collection, context: BrowserContext) -> None:
    with running(label_app(collection, "ann")) as here:
        seen = tab(context, here.url)
        seen.press("i", "i")
        seen.until(lambda: seen.script("Array.from(document.images).every(i => i.complete && i.naturalWidth === 24)"))
        seen.press("z")
        seen.wait(".zoom img")
        seen.press("Escape")
        assert seen.page.locator(".zoom").count() == 0
        seen.press("Shift+I")
        assert "0" in seen.words(".status")[0]
        seen.clean(here.origin)


def test_overlapping_fragments_have_a_stripe_each_told_apart_by_a_letter(
    collection: Collection, context: BrowserContext
) -> None:
    with running(label_app(collection, "ann")) as here:
        seen = tab(context, here.url)
        seen.press("1", "Shift+J", "Shift+J", "Shift+K")  # 0 and 1: the end moves back
        seen.press("2", "Space", "j", "Space")  # 1 and 2
        assert [seen.words(f"#m{index} .stripe") for index in range(4)] == [["A", ""], ["A", "B"], ["", "B"], ["", ""]]
        seen.settled()
        assert [one.utterance_ids for one in read_labels(collection.labels("ann", ONE)).fragments.values()] == [
            (0, 1),
            (1, 2),
        ]


def test_undo_goes_on_after_the_page_was_loaded_anew(collection: Collection, context: BrowserContext) -> None:
    with running(label_app(collection, "ann")) as here:
        seen = tab(context, here.url)
        seen.press("n")
        seen.type("where?")
        seen.press("Escape", "Space", "j", "Space")
        seen.settled()
        seen.page.reload()
        seen.wait(".row.at")
        seen.press("u")
        seen.settled()
        assert chosen(collection) == {"where?": (0,)}
        seen.press("d")
        seen.settled()
        assert chosen(collection) == {}
        seen.press("u")
        seen.settled()
        assert chosen(collection) == {"where?": (0,)}


def test_a_tab_that_is_left_open_takes_back_nothing_when_it_closes(
    collection: Collection, context: BrowserContext
) -> None:
    with running(label_app(collection, "ann")) as here:
        early = tab(context, here.url)
        early.page.wait_for_timeout(1100)  # a second of work is worth a line
        say(collection, "ann", ONE, put("f1", "where?", [1, 2]), Done())
        early.press("j")
        early.page.goto("about:blank")
        early.until(lambda: read_labels(collection.labels("ann", ONE)).lines == 3)
        labels = read_labels(collection.labels("ann", ONE))
        assert labels.done
        assert labels.lead_time_s >= 1


def test_given_queries_are_answered_by_number_and_their_words_stay(
    collection: Collection, context: BrowserContext
) -> None:
    for name, text in (("q-1", "who has a dog?"), ("q-2", "where is the needle?")):
        append_line(collection.queries(ONE), as_line(Asked(name=name, text=text)))
    with running(label_app(collection, "ann", given_only=True)) as here:
        seen = tab(context, here.url)
        seen.press("n", "3")
        assert "Only the given queries" in " ".join(seen.words(".notice"))
        seen.press("1", "0", "2")
        seen.go(20)
        seen.press("Space", "q")
        seen.type("x")
        seen.settled()
        fragments = read_labels(collection.labels("ann", ONE)).fragments
        assert {name: (one.utterance_ids, one.negative) for name, one in fragments.items()} == {
            "q-1": ((), True),
            "q-2": ((20,), False),
        }
        seen.press("Enter")
        seen.until(lambda: read_labels(collection.labels("ann", ONE)).done)
        seen.clean(here.origin)


def test_what_may_be_meant_so_is_asked_once_and_enter_goes_on(collection: Collection, context: BrowserContext) -> None:
    with running(label_app(collection, "ann")) as here:
        seen = tab(context, here.url)
        for query in ("where?", "when?"):
            seen.press("n")
            seen.type(query)
            seen.press("Escape", "Space")
        seen.settled()
        seen.press("Enter")
        seen.wait(".box")
        assert "A and B hold the same" in " ".join(seen.words(".box li"))
        seen.press("Enter")
        seen.until(lambda: read_labels(collection.labels("ann", ONE)).done)


def test_a_page_without_its_token_says_what_to_do(collection: Collection, context: BrowserContext) -> None:
    with running(label_app(collection, "ann")) as here:
        page = context.new_page()
        page.goto(here.origin)
        assert "open the whole address that the command printed" in page.content()
        page.goto(here.url)
        page.locator(".row.at").wait_for()
        assert "token" not in page.url


def test_at_every_width_the_page_fits(collection: Collection, browser: Browser) -> None:
    with running(label_app(collection, "ann", language="zh")) as here:
        for width in (1280, 900, 700):
            context = context_of(browser, width)
            seen = tab(context, here.url)
            assert seen.script("document.documentElement.scrollWidth") <= width
            assert seen.page.locator("header .language").is_visible()
            context.close()


def test_words_stand_out_from_their_ground_in_every_mode(collection: Collection, context: BrowserContext) -> None:
    say(collection, "bob", ONE, *(put(f"f{n}", f"query {n}?", [n, n + 1], [0]) for n in range(9)))
    say(collection, "ann", ONE, *(put(f"f{n}", f"query {n}?", [n + 1, n + 2], [1]) for n in range(9)))
    for app in (
        label_app(collection, "ann"),
        adjudicate_app(collection, ["ann", "bob"], "eve"),
        privacy_app(collection),
    ):
        with running(app) as here:
            seen = tab(context, here.url)
            seen.press("1", "Shift+U", "?")
            assert seen.script(CONTRAST) == [], "contrast below 4.5 to 1"


SERVER = """
import sys
from pathlib import Path
from mldr.annotation.collection import open_collection
from mldr.annotation.serving.apps import label_app
from mldr.web import serve
page = label_app(open_collection(Path(sys.argv[1])), "ann")
serve(page, port=int(sys.argv[2]), say=lambda text: print(text, flush=True), note=print)
"""


@contextmanager
def process(collection: Collection, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve the page from a process of its own; its address."""
    command = [sys.executable, "-c", SERVER, str(collection.folder), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as server:
        assert server.stdout is not None
        try:
            yield server, server.stdout.readline().strip()
        finally:
            server.kill()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_a_server_killed_between_presses_loses_nothing_and_what_waited_is_written_by_the_next_one(
    collection: Collection, context: BrowserContext
) -> None:
    port = free_port()
    with process(collection, port) as (server, url):
        seen = tab(context, url)
        seen.press("n")
        seen.type("where?")
        seen.press("Escape")
        for _ in range(4):
            seen.press("Space", "j")
        seen.settled()
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert chosen(collection) == {"where?": (0, 1, 2, 3)}
    with collection.labels("ann", ONE).open("a") as stream:
        stream.write('{"event": "put", "fragment": "torn')  # as a machine that lost its power leaves it
    seen.press("Space", "j", "Space")
    seen.wait(".notice.bad")
    assert seen.words("#m5 .stripe") == ["A"]
    with process(collection, port) as (_, again):
        other = tab(context, again)  # the new token comes with the new address; the old tab goes on by itself
        seen.settled()
        seen.until(lambda: not seen.page.locator(".notice.bad").count())
        assert chosen(collection) == {"where?": (0, 1, 2, 3, 4, 5)}
        other.page.reload()
        other.wait(".row.at")
        assert other.words("#m5 .stripe") == ["A"]


def test_killed_again_and_again_the_file_has_at_least_what_was_acknowledged(
    collection: Collection, context: BrowserContext
) -> None:
    port = free_port()
    seen: Seen | None = None
    acknowledged = 0
    for turn in range(3):
        with process(collection, port) as (server, url):
            fresh = tab(context, url)
            if seen is None:
                seen = fresh
                seen.press("1")
            for _ in range(5):
                seen.press("Space", "j")
            seen.page.wait_for_timeout(40 + 60 * turn)  # somewhere among the five
            waiting = sum(map(int, seen.words(".saved.waiting")[0].split()[1:2])) if seen.words(".saved.waiting") else 0
            acknowledged = 1 + 5 * (turn + 1) - waiting
            server.kill()
            server.wait()
        assert read_labels(collection.labels("ann", ONE)).lines >= acknowledged
    with process(collection, port) as (_, url):
        tab(context, url)
        assert seen is not None
        seen.settled()
        (fragment,) = read_labels(collection.labels("ann", ONE)).fragments.values()
        assert fragment.utterance_ids == tuple(range(15))
