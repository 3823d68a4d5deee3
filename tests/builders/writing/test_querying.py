from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from mldr.builders.asking import Asking
from mldr.builders.negatives import Absence
from mldr.builders.stitch import stitch
from mldr.builders.writing.asker import Ledger, Voice
from mldr.builders.writing.querying import Rules, detail_flaws, queries_request, query_flaws, written, wrong_details
from mldr.dialogue import Fragment
from tests.builders.writing.clerks import KEYS, Clerk, context, lines_of, material

STITCHED = stitch(material().row, material().sources, KEYS, 0)
DIALOGUE = STITCHED.dialogue
RULES = Rules("en", 12)


def fragment(name: str, utterances: tuple[int, ...], images: tuple[int, ...] = ()) -> Fragment:
    return Fragment(name, DIALOGUE.dialogue_id, "fine", name, "", utterances, images)


PAINT = fragment("painting", (2, 3), (0,))
BREAD = fragment("baking", (6, 7))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Which of them put new colour on the boat?", ""),
        ("", "an empty query"),
        ("?!", "an empty query"),
        ("Who painted the hull?", "a quotation"),
        ("WHO   painted -- the HULL", "a quotation"),
        ("photo of thesloopwhich was there", "a quotation"),
        ("Painting.", "the name of the part"),
        ("What is in u3?", "markup or ids"),
        ("What does image 2 show?", "markup or ids"),
        ("<|utt_id_start|>3<|utt_id_end|>", "markup or ids"),
        ("Who did it? They told us.", "more than one sentence"),
        ("Who did\nit", "more than one sentence"),
        ("x" * 161, "more than one sentence"),
        ("谁给船刷了新颜色", "a query in the wrong language"),
        ("half \ud800", "an empty query"),
    ],
)
def test_each_flaw_of_a_query_is_named(text: str, reason: str) -> None:
    found = {flaw.reason for flaw in query_flaws(text, DIALOGUE, PAINT, RULES)}
    assert found == ({reason} if reason else set())


def test_a_whole_message_is_no_query_however_short_it_is() -> None:
    praise = fragment("praise", (3, 4))
    assert [flaw.reason for flaw in query_flaws("Lovely!", DIALOGUE, praise, RULES)] == ["a quotation"]
    assert not query_flaws("Lovely words", DIALOGUE, praise, RULES)


def test_a_chinese_query_may_hold_latin_names() -> None:
    assert not query_flaws("想看用 iPhone 拍的船", DIALOGUE, PAINT, Rules("zh", 12))
    assert {flaw.reason for flaw in query_flaws("photos of a ship", DIALOGUE, PAINT, Rules("zh", 12))} == {
        "a query in the wrong language"
    }
    assert {flaw.reason for flaw in query_flaws("谁刷的漆？告诉我吧。", DIALOGUE, PAINT, Rules("zh", 12))} == {
        "more than one sentence"
    }


def test_the_request_shows_the_dialogue_and_each_part_with_its_elements() -> None:
    lines = lines_of(queries_request(DIALOGUE, STITCHED.bridge_ids, [PAINT, BREAD], "en"))
    parts = [line for line in lines if "part" in line]
    assert [(one["part"], one["name"], one["elements"]) for one in parts] == [
        (1, "painting", ["u2", "u3", "i0"]),
        (2, "baking", ["u6", "u7"]),
    ]


def ask(clerk: Clerk, attempts: int = 3) -> tuple[dict[str, Any], Ledger]:
    ledger = Ledger()
    voice = Voice(clerk, "writer", "big", "v", attempts)
    found = asyncio.run(written(voice, DIALOGUE, STITCHED.bridge_ids, [PAINT, BREAD], RULES, ledger))
    return found, ledger


def test_what_is_good_in_a_rejected_answer_is_kept_with_its_attempt() -> None:
    turns = iter([{2: "Who painted the hull, and where did the flour come from? Well"}, {1: ""}])

    def spoil(value: dict[str, Any]) -> dict[str, Any]:
        changes = next(turns, {})
        for one in value["queries"]:
            one["text"] = changes.get(one["part"], one["text"])
        return value

    clerk = Clerk(turns={"queries": spoil})
    found, ledger = ask(clerk)
    assert {name: kept.attempt for name, kept in found.items()} == {"painting": 1, "baking": 2}
    assert len(clerk.asked) == 2
    assert not ledger.counts["queries that no attempt of the model brought"]
    assert "part" not in clerk.asked[1][0].messages[-1].text.lower() or "1" not in clerk.asked[1][0].messages[-1].text


def test_two_parts_never_share_a_query() -> None:
    def same(value: dict[str, Any]) -> dict[str, Any]:
        for one in value["queries"]:
            one["text"] = "Something that they talked over"
        return value

    found, ledger = ask(Clerk(turns={"queries": same}), attempts=2)
    assert list(found) == ["painting"]
    assert ledger.counts["queries: answers rejected, a query twice"] == 2
    assert ledger.counts["queries that no attempt of the model brought"] == 1


def test_parts_that_are_left_out_invented_or_answered_twice_break_nothing() -> None:
    def odd(value: dict[str, Any]) -> dict[str, Any]:
        return {
            "queries": [
                {**value["queries"][0], "part": 10**30},
                value["queries"][1],
                {"part": 2, "text": "Another one"},
                {"part": -1, "text": ""},
            ]
        }

    found, ledger = ask(Clerk(turns={"queries": odd}), attempts=2)
    assert list(found) == ["baking"]
    assert ledger.counts["queries: answers rejected, a part without a query"] == 2


def test_a_part_whose_name_is_a_number_only_shows_no_name() -> None:
    lines = lines_of(queries_request(DIALOGUE, STITCHED.bridge_ids, [fragment("image 0", (), (0,))], "en"))
    assert lines[-1] == {"part": 1, "name": "", "elements": ["i0"]}


ABSENCE = Absence(DIALOGUE, context().rules, [], [])


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        ({"detail": "boat", "instead": "zeppelin", "text": "Who painted the zeppelin?"}, ""),
        ({"detail": "car", "instead": "zeppelin", "text": "Who painted the zeppelin?"}, "a detail that is not there"),
        ({"detail": "", "instead": "zeppelin", "text": "Who painted the zeppelin?"}, "a detail that is not there"),
        ({"detail": "boat", "instead": "zeppelin", "text": "Who painted the boat?"}, "a detail that is not replaced"),
        (
            {"detail": "boat", "instead": "zeppelin", "text": "zeppelin: Who painted the boat?"},
            "a detail that is not replaced",
        ),
        ({"detail": "boat", "instead": "the boat", "text": "Who painted the boat?"}, "a detail that is not replaced"),
        ({"detail": "boat", "instead": "mast", "text": "Who painted the mast?"}, "a detail that the dialogue holds"),
        ({"detail": "boat", "instead": "zeppelin", "text": "Who painted zeppelin u3?"}, "markup or ids"),
    ],
)
def test_each_flaw_of_a_wrong_detail_is_named(one: dict[str, str], reason: str) -> None:
    found = {flaw.reason for flaw in detail_flaws(one, "Who painted the boat?", ABSENCE, RULES)}
    assert found == ({reason} if reason else set())


def test_a_wrong_detail_is_kept_with_its_query_and_its_level() -> None:
    asking = Asking("Who gave colour to the boat?", "fine", "model", "big", PAINT)
    voice = Voice(Clerk(), "writer", "big", "v", 2)
    found = asyncio.run(wrong_details(voice, DIALOGUE, STITCHED.bridge_ids, [asking], ABSENCE, RULES, Ledger()))
    assert [(one.text, one.level, one.negative_type, one.kind) for one in found] == [
        ("Who gave colour to the zeppelin", "fine", "near", "negative")
    ]
    assert isinstance(json.loads(found[0].meta)["queries"]["attempt"], int)
    assert json.loads(found[0].meta)["near"] == {"detail": "boat?", "instead": "zeppelin", "of": asking.text}
