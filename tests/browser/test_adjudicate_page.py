"""Between annotators, by real keys: who chose what, an answer taken, edited, saved, and what a rule or a name already settled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mldr.annotation.adjudicating import adjudicate_by_rule
from mldr.annotation.collection import Collection
from mldr.annotation.labels import query_name
from mldr.annotation.serving.apps import adjudicate_app
from mldr.annotation.verdicts import Verdict, read_verdicts
from mldr.web import Running, running
from tests.annotation.support_labels import collected_dialogue, collection_of, dialogue_name, put, say, small_picture
from tests.browser.support_label import Seen, context_of, tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ONE = dialogue_name(1)
TRIP, CAT, DOG = "the trip?", "the cat?", "<img src=x onerror=window.hacked=1> the dog?"


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    """Three people: about the trip they differ, about the cat they agree, the dog only one asked for."""
    pictures = [small_picture(0), small_picture(1)]
    made = collection_of(tmp_path / "c", [collected_dialogue(1, 20, pictures)], pictures)
    say(made, "ann", ONE, put("q-a1", TRIP, [1, 2, 3], [0]), put("q-a2", CAT, [5]), put("q-a3", DOG, [9]))
    say(made, "bob", ONE, put("q-b1", TRIP, [2, 3, 4], [0]), put("q-b2", CAT, [5]))
    say(made, "cy", ONE, put("q-c1", TRIP, [3, 12]), put("q-c2", CAT, [5]), put("q-c3", "", [1]))
    return made


@pytest.fixture
def here(collection: Collection) -> Iterator[Running]:
    with running(adjudicate_app(collection, ["ann", "bob", "cy"], "eve")) as served:
        yield served


@pytest.fixture
def seen(here: Running, browser: Browser) -> Iterator[Seen]:
    context = context_of(browser)
    yield tab(context, here.url)
    context.close()


def verdicts(collection: Collection) -> dict[str, Verdict]:
    return {one.query: one for one in read_verdicts(collection.adjudicated(ONE)).values()}


def saved(seen: Seen, collection: Collection, number: int) -> None:
    """Wait until so many queries are decided."""
    seen.until(lambda: len(verdicts(collection)) == number)


def test_who_chose_what_is_told_by_letters_and_patterns(seen: Seen) -> None:
    stripes = {index: seen.words(f"#m{index} .stripe")[0] for index in (1, 2, 3, 4, 5, 12)}
    assert stripes == {1: "A", 2: "AB", 3: "ABC", 4: "B", 5: "", 12: "C"}
    drawn = "getComputedStyle(document.querySelector('#m{} .stripe')).background"
    assert len({seen.script(drawn.format(index)) for index in (1, 2, 3, 4, 12)}) == 5
    assert seen.words('figure[data-image="0"] .chip') == ["AB"]
    assert "cy (1)" in " ".join(seen.words("aside"))


def test_all_queries_are_decided_by_keys_alone(seen: Seen, here: Running, collection: Collection) -> None:
    assert seen.words("aside .query") == [TRIP]
    seen.press("Shift+M", "Enter")  # what most chose
    saved(seen, collection, 1)
    seen.until(lambda: seen.words("aside .query") == [CAT])
    assert seen.words("#m5 .stripe") == ["ABC", "✓"]  # what all say stands there already
    seen.press("Enter")
    saved(seen, collection, 2)
    seen.until(lambda: seen.words("aside .query") == [DOG])
    seen.press("x", "Enter")
    saved(seen, collection, 3)
    told = {query: (one.basis, one.utterance_ids, one.image_ids) for query, one in verdicts(collection).items()}
    assert told == {
        TRIP: ("majority", (2, 3), (0,)),
        CAT: ("agreed", (5,), ()),
        DOG: ("dropped", (), ()),
    }
    seen.until(lambda: "1 of 1" in seen.words(".progress")[0])
    seen.clean(here.origin)


def test_figures_follow_the_answer_that_is_made(seen: Seen) -> None:
    def against() -> list[str]:
        return [
            words.split()[-2]
            for words in seen.words("aside .fragments:first-of-type .tag")
            if words.startswith("F1 with")
        ]

    seen.press("a")
    assert against()[0] == "100.0"
    seen.press("c")
    assert against()[2] == "100.0"
    assert against()[0] != "100.0"
    seen.press("u")
    assert against()[0] == "100.0"


def test_an_answer_is_taken_and_changed_and_taken_back(seen: Seen, collection: Collection) -> None:
    seen.press("b")
    seen.go(15)
    seen.press("Space", "j", "Space", "u", "Enter")
    saved(seen, collection, 1)
    one = verdicts(collection)[TRIP]
    assert (one.basis, one.annotators, one.utterance_ids, one.image_ids) == ("edit", ("bob",), (2, 3, 4, 15), (0,))


def test_n_goes_from_one_difference_to_the_next(seen: Seen) -> None:
    places = []
    for _ in range(5):
        seen.press("n")
        places += seen.words(".row.at .index")
    assert places == ["1", "2", "4", "12", "0"]  # 3 was chosen by all; 0 carries the picture that two chose


def test_a_verdict_that_is_not_saved_is_not_left_without_a_word(seen: Seen, collection: Collection) -> None:
    seen.press("a", "2")
    assert "is not saved" in " ".join(seen.words(".notice"))
    assert seen.words("aside .query") == [TRIP]
    seen.press("2")
    assert seen.words("aside .query") == [CAT]
    assert verdicts(collection) == {}


def test_what_a_rule_decided_is_shown_as_decided_and_may_be_overruled(collection: Collection, browser: Browser) -> None:
    adjudicate_by_rule(collection, ["ann", "bob", "cy"], "agreed")
    context = context_of(browser)
    with running(adjudicate_app(collection, ["ann", "bob", "cy"], "eve", language="zh")) as served:
        seen = tab(context, served.url)
        assert seen.words("aside .query") == [TRIP]
        seen.press("2")
        assert seen.words("#m5 .stripe") == ["ABC", "✓"]
        seen.go(6)
        seen.press("Space", "Enter")
        seen.until(lambda: read_verdicts(collection.adjudicated(ONE))[query_name(CAT)].by == "eve")
        seen.clean(served.origin)
    context.close()
