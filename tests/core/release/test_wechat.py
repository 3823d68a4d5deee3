from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.dataset import Asked
from mldr.release import Findings, Import, import_release
from mldr.verify import verify
from tests.core.release.support import LINES, answer, mldr_record, wechat_record, write_release


def read(folder: Path, *records: Any) -> tuple[list[Asked], Findings]:
    release = write_release(folder / "w", {"wechat_test.json": list(records)}, {"pics/a.png": "red"})
    findings = import_release(Import(release), folder / "out")
    verify(mldr.load(folder / "out"))
    return list(mldr.load(folder / "out").asked("test")), findings


def turn(number: Any, utterance: Any, speaker: Any = "a") -> dict[str, Any]:
    return {"utterance_idx": number, "speaker": speaker, "utterance": utterance}


@pytest.mark.parametrize(
    ("texts", "golds"),
    [("论文", [0, 1]), ("论文", [[0, 1]]), (["论文"], [[0, 1]]), (["论文"], [0, 1])],
)
def test_one_query_may_be_written_in_four_ways(tmp_path: Path, texts: Any, golds: Any) -> None:
    (asked,), findings = read(tmp_path, wechat_record(query_text=texts, gt_turns=golds))
    assert [(gold.utterance_ids, gold.image_ids) for gold in asked.gold] == [((0,), (0,))]
    assert not findings.oddities


def test_turns_that_go_on_from_another_piece_are_renumbered_with_their_gold(tmp_path: Path) -> None:
    turns = [turn(100, "一"), turn(101, "二"), turn(103, "三")]
    (asked,), findings = read(tmp_path, wechat_record(dialogue=turns, query_text="问", gt_turns=[101, 103, 2]))
    assert asked.gold[0].utterance_ids == (1, 2)
    assert json.loads(asked.dialogue.meta)["release_utterance_ids"] == [100, 101, 103]
    assert json.loads(asked.gold[0].meta)["release_turns"] == ["101", "103", "2"]
    assert findings.oddities["gold turn ids outside their dialogue: left out"] == 1


def test_mixed_utterances_keep_text_and_pictures(tmp_path: Path) -> None:
    turns = [
        turn(0, ["看", {"image_url": "pics/a.png"}, {"caption": "没有地址"}, 7]),
        turn(1, {"image_url": "pics/a.png"}),
    ]
    (asked,), findings = read(tmp_path, wechat_record(dialogue=turns, query_text="问", gt_turns=[0]))
    assert [(u.text, u.image_ids) for u in asked.dialogue.utterances] == [("看", (0, 1)), ("", (2,))]
    assert (asked.gold[0].utterance_ids, asked.gold[0].image_ids) == ((0,), (0, 1))
    assert findings.oddities["pictures without an address"] == 1
    assert findings.oddities["utterances with text among their pictures: both are kept"] == 1


def test_empty_utterances_are_left_out_and_gold_follows(tmp_path: Path) -> None:
    turns = [turn(0, "一"), turn(1, ""), turn(2, None), turn(3, "四")]
    (asked,), findings = read(tmp_path, wechat_record(dialogue=turns, query_text="问", gt_turns=[1, 3]))
    assert [u.text for u in asked.dialogue.utterances] == ["一", "四"]
    assert asked.gold[0].utterance_ids == (1,)
    assert findings.oddities["utterances without text and image: left out, later ids move up"] == 2


@pytest.mark.parametrize(
    ("texts", "golds", "reason"),
    [
        (["一", "二"], [[0]], "do not pair up"),
        (["一", "二"], None, "do not pair up"),
        ("一", None, "a query whose gold turns are no list"),
        ("一", "0", "a query whose gold turns are no list"),
        ([" "], [[0]], "a query without text"),
        ([7], [[0]], "a query without text"),
    ],
)
def test_queries_that_cannot_be_used_are_named_and_the_dialogue_stays(
    tmp_path: Path, texts: Any, golds: Any, reason: str
) -> None:
    found, findings = read(tmp_path, wechat_record("x1", query_text=texts, gt_turns=golds), wechat_record("x2"))
    assert [len(asked.queries) for asked in found] == [0, 2]
    (told,) = findings.named
    assert told.startswith("dialogue x1: ")
    assert reason in told


def test_a_dialogue_without_any_query_is_kept(tmp_path: Path) -> None:
    record = wechat_record("x1")
    del record["query_text"], record["gt_turns"]
    found, findings = read(tmp_path, wechat_record("x2"), record)
    assert [len(asked.queries) for asked in found] == [0, 2]
    assert findings.oddities == {"dialogues without a query": 1}


@pytest.mark.parametrize("dialogue", ["text", [7], [], [{"utterance": ""}]])
def test_a_record_without_a_dialogue_is_named(tmp_path: Path, dialogue: Any) -> None:
    _, findings = read(tmp_path, wechat_record("x2"), wechat_record("x1", dialogue=dialogue))
    assert sum(findings.unusable.values()) == 1
    assert findings.named[0].startswith("wechat_test.json, record 1: ")


def test_odd_numbers_are_counted(tmp_path: Path) -> None:
    turns = [turn("0", "一"), turn(None, "二"), turn(True, "三", speaker=None)]
    (asked,), findings = read(
        tmp_path, wechat_record(dialogue=turns, query_text="问", gt_turns=["0", 1.5, None, 10**30])
    )
    assert asked.gold[0].utterance_ids == (0,)
    assert findings.oddities["gold turns that are no number: left out"] == 3
    assert findings.oddities["turns without a number: their position is it"] == 2


def test_chats_turned_into_messages_are_real_too(tmp_path: Path) -> None:
    release = write_release(tmp_path / "w", {"WeChat_test_set.json": [mldr_record()]})
    import_release(Import(release), tmp_path / "out")
    dataset = mldr.load(tmp_path / "out")
    assert [d.origin for d in dataset.dialogues("test")] == ["real"]


def test_both_layouts_of_one_chat_are_one_dialogue(tmp_path: Path) -> None:
    turns = [
        turn(0, "周末去哪里？"),
        turn(1, ["去爬山，看这张", {"image_url": "images/a.png", "caption": "山"}]),
        turn(2, [{"image_url": "images/b.png"}]),
        turn(3, "好的，几点出发"),
    ]
    files = {
        "wechat_a.json": [wechat_record("d1", dialogue=turns, query_text="爬山", gt_turns=[1, 3])],
        "wechat_b.json": [mldr_record("d1", gold=answer([1, 3], [0]), lines=LINES)],
    }
    findings = import_release(Import(write_release(tmp_path / "w", files)), tmp_path / "out")
    (asked,) = mldr.load(tmp_path / "out").asked("test")
    assert len(asked.queries) == 1
    assert findings.oddities["queries that stand twice with the same answer: once now"] == 1
