from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldr.builders.stitch import stitch
from mldr.builders.writing.asker import Ledger, Voice
from mldr.builders.writing.elements import alone, element_names
from mldr.builders.writing.tagging import tag_flaws, tag_fragments, tag_request, tag_table, tagged
from tests.builders.writing.clerks import BIKES, KEYS, Clerk, chat, lines_of, material

STITCHED = stitch(material().row, material().sources, KEYS, 0)
NAMES = element_names(STITCHED.dialogue, STITCHED.bridge_ids)


def rows(*tags: tuple[str, str, str]) -> dict[str, Any]:
    return {"tags": [{"element": element, "coarse": coarse, "fine": fine} for element, coarse, fine in tags]}


def good() -> dict[str, Any]:
    value: dict[str, Any] = asyncio.run(Clerk().ask(tag_request(STITCHED.dialogue, STITCHED.bridge_ids, "en"))).value
    return value


def test_every_utterance_with_text_and_every_picture_is_an_element_and_a_bridge_is_not() -> None:
    lines = lines_of(tag_request(STITCHED.dialogue, STITCHED.bridge_ids, "en"))
    assert [line["element"] for line in lines if "element" in line] == NAMES
    assert [line["text"] for line in lines if "element" not in line] == [
        STITCHED.dialogue.utterances[i].text for i in STITCHED.bridge_ids
    ]
    assert len([name for name in NAMES if name[0] == "i"]) == 3
    assert not any(f"u{i}" in NAMES for i in (*STITCHED.bridge_ids, *STITCHED.dialogue.textless_ids))


def test_a_good_answer_has_no_flaw_and_loses_no_tag() -> None:
    counts: Counter[str] = Counter()
    assert tag_flaws(good(), NAMES, "en") == []
    table = tag_table(good(), NAMES, "en", counts)
    assert [row[0] for row in table] == NAMES
    assert all(coarse and fine for _, coarse, fine in table)
    assert not +counts


CASES: list[tuple[str, Callable[[list[dict[str, str]]], Any]]] = [
    ("an element without its tags", lambda tags: tags.pop()),
    ("an element tagged twice", lambda tags: tags.append(tags[0])),
    ("an invented element", lambda tags: tags.append({**tags[0], "element": "u99"})),
    ("an invented element", lambda tags: tags.append({**tags[0], "element": "'; drop table tags"})),
    ("a tag on one utterance alone", lambda tags: tags[0].update(fine="ropes")),
    ("a tag on everything", lambda tags: [one.update(coarse="chat") for one in tags]),
    ("a tag that is none", lambda tags: [one.update(fine="") for one in tags[:2]]),
    ("a tag that is none", lambda tags: [one.update(fine="x" * 41) for one in tags[:2]]),
    ("a tag that is none", lambda tags: [one.update(fine="see u3") for one in tags[:2]]),
    ("a tag that is none", lambda tags: [one.update(fine="<|utt_id_start|>") for one in tags[:2]]),
    ("a tag that is none", lambda tags: [one.update(fine="烤面包") for one in tags[:2]]),
    ("a tag that is none", lambda tags: [one.update(fine="half \ud800") for one in tags[:2]]),
]


@pytest.mark.parametrize(("reason", "change"), CASES)
def test_each_flaw_of_tags_is_named(reason: str, change: Callable[[list[dict[str, str]]], Any]) -> None:
    value = good()
    change(value["tags"])
    assert reason in {flaw.reason for flaw in tag_flaws(value, NAMES, "en")}


def test_one_picture_alone_may_have_a_tag_of_its_own() -> None:
    value = good()
    next(one for one in value["tags"] if one["element"] == "i2").update(fine="a tractor")
    assert "a tag on one utterance alone" not in {flaw.reason for flaw in tag_flaws(value, ["i2"], "en")}


def test_tags_that_differ_in_case_and_white_space_are_one() -> None:
    value = rows(
        ("u0", "Boats", " Sail  Repair."), ("u1", "boats", "sail repair"), ("u2", "BOATS", "x y"), ("i0", "food", "x y")
    )
    table = tag_table(value, ["u0", "u1", "u2", "i0"], "en", Counter())
    assert [row[1:] for row in table] == [["boats", "sail repair"]] * 2 + [["boats", "x y"], ["food", "x y"]]


def test_lonely_tags_are_asked_for_again_then_removed_and_counted() -> None:
    def lonely(value: dict[str, Any]) -> dict[str, Any]:
        value["tags"][0]["fine"] = "ropes"
        return value

    clerk, ledger = Clerk(turns={"tags": lonely}), Ledger()
    voice = Voice(clerk, "writer", "big", "v", attempts=3)
    kept = asyncio.run(tagged(voice, STITCHED.dialogue, STITCHED.bridge_ids, "en", ledger))
    assert kept is not None
    assert [sample for _, sample in clerk.asked] == [0, 1, 2]
    assert "ropes" in clerk.asked[1][0].messages[-1].content
    assert ledger.counts["tags removed, on one utterance alone"] == 1
    assert ledger.counts["tag: answers rejected, a tag on one utterance alone"] == 3
    assert "ropes" not in {row[2] for row in kept.value["elements"]}
    assert kept.attempt == 3


def test_fragments_hold_the_elements_of_each_tag_wherever_they_stand() -> None:
    value = {"elements": [["u0", "a", ""], ["i0", "b", "x"], ["u2", "b", "x"], ["u9", "a", "x"]]}
    fragments = tag_fragments(STITCHED.dialogue, value, b"")
    assert [(f.level, f.topic, f.utterance_ids, f.image_ids) for f in fragments] == [
        ("coarse", "a", (0, 9), ()),
        ("coarse", "b", (2,), (0,)),
        ("fine", "x", (2, 9), (0,)),
    ]
    assert len({f.fragment_id for f in fragments}) == 3
    assert {f.fragment_id for f in tag_fragments(STITCHED.dialogue, value, b"salt")}.isdisjoint(
        {f.fragment_id for f in fragments}
    )


def test_a_source_alone_shows_each_picture_once() -> None:
    assert element_names(alone(BIKES)) == ["i0", "u1", "i1", "u2", "u3", "u4"]
    mute = chat("m", "t", "-/-", ("x", "y"))
    assert element_names(alone(mute)) == ["i0", "i1"]


tags = st.text(max_size=6) | st.sampled_from(["boats", "Boats ", "bread", "茶", "u3"])
answers = st.lists(
    st.fixed_dictionaries(
        {"element": st.sampled_from([*NAMES, "u99"]) | st.text(max_size=3), "coarse": tags, "fine": tags}
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(answers)
def test_whatever_comes_a_tag_that_is_left_is_shared_or_on_a_picture(given_tags: list[dict[str, str]]) -> None:
    value = {"tags": given_tags}
    table = tag_table(value, NAMES, "en", Counter())
    assert [row[0] for row in table] == NAMES
    for column in (1, 2):
        members: dict[str, list[str]] = {}
        for row in table:
            if row[column]:
                members.setdefault(row[column], []).append(row[0])
        assert all(len(names) > 1 or names[0][0] == "i" for names in members.values())
    if not tag_flaws(value, NAMES, "en"):
        assert all(coarse and fine for _, coarse, fine in table)
    for fragment in tag_fragments(STITCHED.dialogue, {"elements": table}, b""):
        assert fragment.utterance_ids or fragment.image_ids
