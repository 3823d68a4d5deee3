from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mldr.annotation.collection import Collection
from mldr.annotation.labels import Labels, read_labels
from mldr.annotation.privacy.detectors import NameList, find_spans
from mldr.annotation.privacy.reviewed import apply_reviews
from mldr.annotation.records import CollectedMask, write_collected
from mldr.annotation.reviews import read_reviews
from mldr.annotation.serving.apps import adjudicate_app, label_app, privacy_app
from mldr.annotation.spans import Mask
from mldr.annotation.verdicts import read_verdicts
from mldr.dialogue import Utterance
from mldr.web import LocalApp, running
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, put, say, small_picture
from tests.browser.support_label import Seen, context_of, tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ONE = dialogue_name(1)
HOSTILE = (
    "<script>window.hacked=1</script></textarea><img src=x onerror=window.hacked=2> \u202etxt\u202c " + "长" * 10_000
)

Open = Callable[[str], Seen]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    contexts = []

    def open_page(url: str) -> Seen:
        contexts.append(context_of(browser))
        return tab(contexts[-1], url)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    """Two dialogues of 75 and 12 utterances; the first has a hostile message and four pictures."""
    pictures = [small_picture(shade) for shade in range(4)]
    long, short = collected_dialogue(1, 75, pictures), collected_dialogue(2, 12)
    utterances = list(long.dialogue.utterances)
    utterances[6] = replace(utterances[6], text=HOSTILE)
    utterances[9] = Utterance("S2", "", (), utterances[9].time, None)
    long = replace(long, dialogue=replace(long.dialogue, utterances=tuple(utterances)))
    return collection_of(tmp_path / "collection", [long, short], pictures)


def app(collection: Collection, annotator: str = "ann", **settings: Any) -> LocalApp:
    nobody = NameList.of(())
    return label_app(collection, annotator, find_spans=lambda text: find_spans(text, nobody), **settings)


def labels(collection: Collection, annotator: str = "ann", dialogue_id: str = ONE) -> Labels:
    return read_labels(collection.labels(annotator, dialogue_id))


def test_a_dialogue_of_75_utterances_is_labelled_with_three_fragments_by_keys_alone(
    collection: Collection, opened: Open
) -> None:
    with running(app(collection)) as here:
        seen = opened(here.url)
        assert "token" not in seen.page.url
        seen.press("n")
        seen.page.keyboard.type("where did we plan that trip?")
        seen.press("Escape", "j", "j", "Space")  # 2
        seen.go(40)
        seen.press("Space", "j", "j", "Space")  # 40, 42
        seen.go(0)
        seen.press("i", "i", "Space")  # the second picture alone
        seen.press("n")
        seen.page.keyboard.type("what was for dinner?")
        seen.press("Escape")
        seen.go(40)
        seen.press("Shift+J", "Shift+J", "Shift+J")  # 40 to 43, overlapping the first
        seen.press("n")
        seen.page.keyboard.type("who has a dog?")
        seen.press("Escape", "0")  # nothing answers it
        seen.settled()
        said = {one.query: one for one in labels(collection).fragments.values()}
        assert said["where did we plan that trip?"].utterance_ids == (2, 40, 42)
        assert said["where did we plan that trip?"].image_ids == (1,)
        assert said["what was for dinner?"].utterance_ids == (40, 41, 42, 43)
        assert said["who has a dog?"].negative
        assert seen.words("#m40 .stripe") == ["A", "B", ""]
        seen.press("Enter")
        seen.until(lambda: seen.page.locator("header select").input_value() == dialogue_name(2))
        assert labels(collection).done
        seen.clean(here.origin)


def test_undo_takes_back_one_change_at_a_time_and_redo_brings_it_again(collection: Collection, opened: Open) -> None:
    with running(app(collection)) as here:
        seen = opened(here.url)
        seen.press("1", "Space", "j", "Space", "u")
        seen.settled()
        (fragment,) = labels(collection).fragments.values()
        assert fragment.utterance_ids == (0,)
        seen.press("Shift+U")
        seen.settled()
        (fragment,) = labels(collection).fragments.values()
        assert fragment.utterance_ids == (0, 1)
        seen.press("u", "u", "u")
        seen.settled()
        assert labels(collection).fragments == {}
        assert labels(collection).lines == 8  # every step is in the log


def test_an_unfinished_dialogue_is_not_done_and_says_what_is_missing(collection: Collection, opened: Open) -> None:
    with running(app(collection)) as here:
        seen = opened(here.url)
        seen.press("1")
        seen.settled()
        seen.press("Enter")
        seen.wait(".box")
        told = " ".join(seen.words(".box li"))
        assert "has no query" in told
        assert "nothing is chosen" in told
        seen.press("Escape")
        assert not labels(collection).done


def test_the_query_s_writer_is_warned(collection: Collection, opened: Open) -> None:
    with running(app(collection)) as here:
        seen = opened(here.url)
        seen.press("n")
        seen.page.keyboard.type("message 3 of dialogue 1, call 13812345678")
        seen.press("Escape", "Space")
        seen.wait(".warnings li")
        seen.page.wait_for_timeout(600)
        told = " ".join(seen.words(".warnings li"))
        assert "copies message" in told
        assert "private" in told
        assert "one message" in told


def test_two_tabs_lose_nothing(collection: Collection, opened: Open) -> None:
    with running(app(collection)) as here:
        one, two = opened(here.url), opened(here.url)
        one.press("n")
        one.page.keyboard.type("the trip")
        one.press("Escape", "Space")
        one.settled()
        two.press("n")
        two.page.keyboard.type("the cat")
        two.press("Escape", "j", "Space")
        two.settled()
        said = {fragment.query: fragment.utterance_ids for fragment in labels(collection).fragments.values()}
        assert said == {"the trip": (0,), "the cat": (1,)}


def test_a_tab_that_is_late_is_told_and_its_change_can_be_taken_again(collection: Collection, opened: Open) -> None:
    say(collection, "ann", ONE, put("f1", "the trip", [0]))
    with running(app(collection)) as here:
        late = opened(here.url)
        say(collection, "ann", ONE, put("f1", "the trip", [0, 5]))  # another tab
        late.press("j", "j", "Space")
        late.wait(".conflict")
        assert labels(collection).fragments["f1"].utterance_ids == (0, 5)
        late.press("r")
        late.settled()
        assert labels(collection).fragments["f1"].utterance_ids == (0, 2)


SERVER = """
import sys, time
from pathlib import Path
from mldr.annotation.collection import open_collection
from mldr.annotation.serving.apps import label_app
from mldr.web import running
with running(label_app(open_collection(Path(sys.argv[1])), "ann")) as here:
    print(here.url, flush=True)
    time.sleep(120)
"""


def test_a_killed_server_loses_nothing_that_it_had_acknowledged(collection: Collection, opened: Open) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(collection.folder)], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        assert server.stdout is not None
        seen = opened(server.stdout.readline().strip())
        seen.press("1", "Space", "j", "Space")
        seen.settled()
        server.send_signal(signal.SIGKILL)
        server.wait()
        seen.press("j", "Space")
        seen.wait(".notice.bad")
        (fragment,) = labels(collection).fragments.values()
        assert fragment.utterance_ids == (0, 1)
    finally:
        server.kill()
        server.wait()


def test_hostile_words_stay_words_and_a_long_message_is_folded(collection: Collection, opened: Open) -> None:
    with running(app(collection)) as here:
        seen = opened(here.url)
        assert seen.page.locator("#m6 script, #m6 img").count() == 0
        assert "<script>" in seen.words("#m6 .text")[0]
        assert seen.page.locator("#m6 .text.folded").count() == 1
        seen.go(6)
        seen.press("o")
        assert seen.page.locator("#m6 .text.folded").count() == 0
        seen.clean(here.origin)


def test_every_word_of_the_page_is_there_in_both_languages(collection: Collection, opened: Open) -> None:
    with running(app(collection, language="zh")) as here:
        seen = opened(here.url)
        assert "标注" in seen.words("header strong")[0]
        seen.press("?")
        seen.wait(".box")
        assert not any("key_" in word for word in seen.words(".help td"))
        seen.press("Escape")
        seen.page.locator("button.language").click()
        assert "Labelling" in seen.words("header strong")[0]


def test_an_annotator_sees_nothing_of_another(collection: Collection, opened: Open) -> None:
    say(collection, "bob", ONE, put("f1", "bob's own secret query", [3]))
    with running(app(collection)) as here:
        seen = opened(here.url)
        seen.settled()
        assert "bob" not in seen.page.content()


def test_between_two_annotators_a_person_decides_and_theirs_stays(collection: Collection, opened: Open) -> None:
    say(collection, "ann", ONE, put("f1", "the trip", [1, 2, 3], [0]))
    say(collection, "bob", ONE, put("f1", "the trip", [2, 3, 4]))
    before = {path: path.read_bytes() for path in (collection.folder / "labels").rglob("*.jsonl")}
    with running(adjudicate_app(collection, ["ann", "bob"], "eve")) as here:
        seen = opened(here.url)
        assert [seen.words(f"#m{index} .stripe")[0] for index in (1, 2, 4)] == ["A", "AB", "B"]
        looks = {seen.page.locator(f"#m{index} .stripe").first.get_attribute("class") for index in (1, 2, 4)}
        assert len(looks) == 3
        seen.press("Shift+U")
        seen.go(4)
        seen.press("Space", "Enter")
        seen.page.wait_for_timeout(400)
        (verdict,) = read_verdicts(collection.adjudicated(ONE)).values()
        assert (verdict.utterance_ids, verdict.image_ids) == ((1, 2, 3), (0,))
        assert (verdict.by, verdict.basis, verdict.annotators) == ("eve", "edit", ("ann", "bob"))
        seen.clean(here.origin)
    assert {path: path.read_bytes() for path in (collection.folder / "labels").rglob("*.jsonl")} == before


def test_the_privacy_pass_is_done_by_keys_and_carried_out(collection: Collection, opened: Open) -> None:
    collected = collection.read(dialogue_name(2))
    utterances = list(collected.dialogue.utterances)
    utterances[4] = replace(utterances[4], text="call Dana at [phone1], please")
    masks = (
        CollectedMask(4, Mask(5, 9, "name", "Dana", 0.5, "hints")),
        CollectedMask(4, Mask(13, 21, "mobile", "[phone1]", 0.9, "phones")),
    )
    changed = replace(collected, dialogue=replace(collected.dialogue, utterances=tuple(utterances)), masks=masks)
    write_collected(collection.dialogues, replace(changed, treatment={"read": False}))
    with running(privacy_app(collection)) as here:
        seen = opened(here.url)
        seen.page.locator("header select").select_option(dialogue_name(2))
        seen.wait("mark.finding.doubtful")
        seen.press("e")
        seen.page.keyboard.type("Robin")
        seen.press("Enter")
        seen.go(11)
        seen.until(lambda: seen.page.locator("button.strong").is_enabled())
        seen.press("Enter")
        seen.until(lambda: read_reviews(collection.reviews(dialogue_name(2))).read)
        reviewed = read_reviews(collection.reviews(dialogue_name(2)))
        assert reviewed.read
        now = apply_reviews(collection.read(dialogue_name(2)), reviewed)
        assert now.dialogue.utterances[4].text == "call Robin at [phone1], please"
        seen.clean(here.origin)
