"""Each way in which a release may be odd: it is read all the same, and counted by its reason."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.dialogue import Dialogue, Gold
from mldr.errors import MldrError
from mldr.release import Findings, Import, import_release
from mldr.release.importing import UNREAD
from mldr.verify import verify
from tests.conftest import picture
from tests.core.release.support import HEAD, LINES, MIDDLE, SYSTEM, answer, mldr_record, mldr_release


def read(folder: Path, *records: Any) -> tuple[list[Dialogue], list[Gold], Findings]:
    findings = import_release(Import(mldr_release(folder, *records)), folder / "out")
    dataset = mldr.load(folder / "out")
    verify(dataset)
    return list(dataset.dialogues("validation")), list(dataset.gold("validation")), findings


def templates_of(folder: Path) -> dict[str, dict[str, str]]:
    release = mldr.load(folder).manifest.release
    assert release is not None
    return release.templates


def shifted(by: int) -> list[str]:
    return [line.replace(f"start|>{i}<", f"start|>{i + by}<", 1) for i, line in enumerate(LINES)]


def test_ids_that_start_at_one_are_moved_with_their_gold(tmp_path: Path) -> None:
    one_based = mldr_record("a", lines=shifted(1), gold=answer([2, 4], [0]))
    dialogues, golds, findings = read(tmp_path, one_based, mldr_record("b"))
    assert dialogues[0].utterances == dialogues[1].utterances
    assert [gold.utterance_ids for gold in golds] == [(1, 3), (1, 3)]
    assert findings.oddities == {"dialogues whose utterance ids start at 1: moved to 0": 1}
    assert json.loads(dialogues[0].meta)["release_utterance_ids"] == [1, 2, 3, 4]


def test_image_ids_that_start_at_one_mean_the_list_from_its_start(tmp_path: Path) -> None:
    lines = [
        line.replace("img_id_start|>1<", "img_id_start|>2<").replace("img_id_start|>0<", "img_id_start|>1<")
        for line in LINES
    ]
    dialogues, golds, findings = read(tmp_path, mldr_record("a", lines=lines, gold=answer([], [1])), mldr_record("b"))
    assert dialogues[0].images == dialogues[1].images
    assert golds[0].image_ids == (0,)
    assert findings.oddities["dialogues whose image ids start at 1: moved to 0"] == 1


def test_ids_out_of_order_or_missing_are_renumbered(tmp_path: Path) -> None:
    swapped = [LINES[3], LINES[0], LINES[1], LINES[2]]
    gap = [LINES[0], LINES[1], LINES[3]]
    _, golds, findings = read(
        tmp_path,
        mldr_record("a", lines=swapped, gold=answer([3], [])),
        mldr_record("b", lines=gap, gold=answer([3], [0])),
    )
    assert [gold.utterance_ids for gold in golds] == [(0,), (2,)]
    assert findings.oddities["dialogues whose utterance ids are out of order: renumbered by position"] == 1
    assert findings.oddities["dialogues with gaps in their utterance ids: renumbered"] == 1
    assert findings.oddities["images listed and never shown: left out"] == 1


def test_images_out_of_order_keep_their_paths(tmp_path: Path) -> None:
    lines = [
        LINES[0],
        LINES[1].replace("img_id_start|>0", "img_id_start|>1"),
        LINES[2].replace("img_id_start|>1", "img_id_start|>0"),
    ]
    straight, _, _ = read(tmp_path / "x", mldr_record(lines=LINES[:3]))
    dialogues, golds, _ = read(tmp_path, mldr_record(lines=lines, gold=answer([], [1])))
    assert [i.image_key for i in dialogues[0].images] == [i.image_key for i in reversed(straight[0].images)]
    assert golds[0].image_ids == (0,)  # the first that is shown, whose id in the release is 1


def test_gold_outside_the_dialogue_is_left_out_and_kept_in_words(tmp_path: Path) -> None:
    _, golds, findings = read(tmp_path, mldr_record(gold=answer([1, 1, 9], [0, 7])))
    assert (golds[0].utterance_ids, golds[0].image_ids) == ((1,), (0,))
    assert findings.oddities == {
        "gold utterance ids outside their dialogue: left out": 1,
        "gold utterance ids named twice: once now": 1,
        "gold image ids outside their dialogue: left out": 1,
    }
    assert json.loads(golds[0].meta)["release_answer"] == {"utterance_ids": [1, 1, 9], "image_ids": [0, 7]}


def test_a_textless_utterance_is_never_gold_by_its_text(tmp_path: Path) -> None:
    _, golds, findings = read(tmp_path, mldr_record(gold=answer([2, 3], [1])))
    assert (golds[0].utterance_ids, golds[0].image_ids) == ((3,), (1,))
    assert findings.oddities["gold utterances without text: left out, images have ids of their own"] == 1


def test_a_solution_that_disagrees_with_the_assistant_counts(tmp_path: Path) -> None:
    _, golds, findings = read(tmp_path, mldr_record(solution=answer([0], [])))
    assert golds[0].utterance_ids == (0,)
    assert json.loads(golds[0].meta)["assistant"] == answer([1, 3], [0])
    assert findings.oddities == {"records whose solution and assistant disagree: the solution counts": 1}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"solution": None}, "records without a solution"),
        ({"solution": "nothing"}, "records whose solution is no answer that can be read"),
        ({"solution": 7}, "records without a solution"),
    ],
)
def test_one_of_the_two_answers_is_enough(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    _, golds, findings = read(tmp_path, mldr_record(**changed))
    assert golds[0].utterance_ids == (1, 3)
    assert findings.oddities[reason] == 1


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("text", "is no JSON object"),
        ({"dialogue_id": "x"}, "has no list of messages"),
        (mldr_record(lines=[]), "has no dialogue in its user message"),
        (mldr_record(query=" "), "has an empty query"),
        (mldr_record(gold="none"), "has no answer that can be read"),
        (mldr_record(gold=answer([], []).replace("[]", '["1"]')), "has no answer that can be read"),
        (mldr_record(messages=[{"role": "user", "content": 7}]), "has a message whose content is no text"),
        (mldr_record(messages=[{"role": "user", "content": "\n".join(LINES)}]), "has no query in its tags"),
        (mldr_record(lines=["<|utt_id_start|>0<|utt_id_end|> user1: "]), "has no utterance with text or image"),
        (
            mldr_record(format="mldr/ms-swift@9"),
            "was written by a newer mldr (this one reads mldr/ms-swift@1); upgrade",
        ),
        (
            mldr_record(format="mldr/ms-swift@1", lines=["<|utt_id_start|>0<|utt_id_end|> Ann: x"]),
            "not a dialogue as mldr",
        ),
    ],
)
def test_a_record_that_cannot_be_used_is_named_and_counted(tmp_path: Path, record: Any, reason: str) -> None:
    _, golds, findings = read(tmp_path, mldr_record(), record)
    assert len(golds) == 1
    (told,) = findings.unusable
    assert told.startswith(reason)
    assert findings.named == [f"MLDR_val.json, record 1: {told}"]
    manifest = mldr.load(tmp_path / "out").manifest
    assert manifest.dropped == {f"records: {told}": 1}


def test_the_same_query_twice_is_kept_once_unless_the_answers_differ(tmp_path: Path) -> None:
    _, golds, findings = read(tmp_path, mldr_record(), mldr_record(), mldr_record(gold=answer([0], [])))
    assert sorted(gold.utterance_ids for gold in golds) == [(0,), (1, 3)]
    assert sorted(gold.query_id[-2:] for gold in golds)[0] == "-2"
    assert findings.oddities == {
        "queries that stand twice with the same answer: once now": 1,
        "queries that stand twice with differing answers: both are kept": 1,
    }


def test_one_id_with_two_texts_is_two_dialogues(tmp_path: Path) -> None:
    dialogues, golds, findings = read(tmp_path, mldr_record(), mldr_record(lines=LINES[:2], gold=answer([0], [])))
    assert [dialogue.dialogue_id for dialogue in dialogues] == ["d1", "d1~2"]
    assert [gold.utterance_ids for gold in golds] == [(1, 3), (0,)]
    assert json.loads(dialogues[1].meta)["release_id"] == "d1"
    reason = "dialogue ids that stand for dialogues of differing text: each is kept, as id~2 and so on"
    assert findings.oddities[reason] == 1


@pytest.mark.parametrize(
    ("identifier", "stored"), [(17, "17"), ("a/b", "~c14cddc033f64b9d"), ("../../x", "~4daf84d5e3d4b3a0"), (None, "~")]
)
def test_odd_dialogue_ids_are_replaced_and_kept_in_meta(tmp_path: Path, identifier: Any, stored: str) -> None:
    dialogues, _, findings = read(tmp_path, mldr_record(identifier))
    assert dialogues[0].dialogue_id[: len(stored[:1])] == stored[:1]
    assert sum(findings.oddities.values()) == 1
    if isinstance(identifier, str):
        assert json.loads(dialogues[0].meta)["release_id"] == identifier


def test_speakers_are_lower_case_and_may_be_missing(tmp_path: Path) -> None:
    lines = ["<|utt_id_start|>0<|utt_id_end|> User1: 你好", "<|utt_id_start|>1<|utt_id_end|> 没有说话人", *LINES[2:]]
    dialogues, _, findings = read(tmp_path, mldr_record(lines=lines))
    assert [(u.speaker, u.text) for u in dialogues[0].utterances[:2]] == [("user1", "你好"), ("", "没有说话人")]
    assert findings.oddities["speakers written with a capital: lower case now"] == 1
    assert findings.oddities["utterances without a speaker"] == 1


def test_a_message_of_several_lines_is_one_utterance(tmp_path: Path) -> None:
    lines = ["<|utt_id_start|>0<|utt_id_end|> user1: 第一行\n第二行: 还有\n", *LINES[1:3], LINES[3] + "\n最后一行"]
    dialogues, _, _ = read(tmp_path, mldr_record(lines=lines), mldr_record("d2"))
    assert dialogues[0].utterances[0].text == "第一行\n第二行: 还有\n"
    assert dialogues[0].utterances[3].text == "好的，几点出发\n最后一行"


def test_what_ends_every_message_is_part_of_the_prompt(tmp_path: Path) -> None:
    records = [
        mldr_record(name, lines=[*lines[:-1], lines[-1] + "\n请作答："])
        for name, lines in (("a", LINES), ("b", LINES[:2]))
    ]
    dialogues, _, _ = read(tmp_path, *records)
    assert dialogues[0].utterances[-1].text == "好的，几点出发"
    (template,) = templates_of(tmp_path / "out").values()
    assert template["user"].endswith("{dialogue}\n请作答：")


def test_a_query_behind_the_dialogue_is_found(tmp_path: Path) -> None:
    user = "对话：\n" + "\n".join(LINES) + "\n\n查询：<|query_start|>爬山<|query_end|>"
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": answer([1], [])}]
    dialogues, golds, _ = read(tmp_path, mldr_record(messages=messages, solution=None))
    assert dialogues[0].utterances[-1].text == "好的，几点出发"
    assert golds[0].utterance_ids == (1,)


def test_text_beside_an_image_is_kept_and_a_bare_slot_is_text(tmp_path: Path) -> None:
    image = "<|img_id_start|>0<|img_id_end|><image>"
    lines = [
        f"<|utt_id_start|>0<|utt_id_end|> user1: 前面{image}后面",
        "<|utt_id_start|>1<|utt_id_end|> user2: 一个 <image> 词",
        "<|utt_id_start|>2<|utt_id_end|> user1: 看 <|utt_id_start|>7<|utt_id_end|>",
    ]
    dialogues, _, findings = read(tmp_path, mldr_record(lines=lines, gold=answer([0], [0])))
    assert [u.text for u in dialogues[0].utterances] == [
        "前面 后面",
        "一个 <image> 词",
        "看 <|utt_id_start|>7<|utt_id_end|>",
    ]
    assert findings.oddities["utterances with text on both sides of an image: joined by a space"] == 1
    assert findings.oddities["texts with <image> and no image id: kept as text"] == 1
    assert findings.oddities["texts with a tag inside: kept as text"] == 1


def test_backslashes_of_the_authors_are_no_escapes(tmp_path: Path) -> None:
    lines = ["<|utt_id_start|>0<|utt_id_end|> user1: C:\\new\\\\x <\\|", *LINES[1:]]
    dialogues, _, _ = read(tmp_path, mldr_record(lines=lines, query="C:\\n"))
    assert dialogues[0].utterances[0].text == "C:\\new\\\\x <\\|"
    assert [query.text for query in mldr.load(tmp_path / "out").queries("validation")] == ["C:\\n"]


def test_nul_surrogates_and_carriage_returns_are_taken_out(tmp_path: Path) -> None:
    lines = ["<|utt_id_start|>0<|utt_id_end|> user1: a\0b\ud800c\r\nd", *LINES[1:]]
    release = mldr_release(tmp_path, mldr_record())
    text = json.dumps([mldr_record(lines=lines, query="q\0\udc00")])  # ASCII escapes
    (release / "MLDR_val.json").write_text(text, "ascii")
    findings = import_release(Import(release), tmp_path / "out")
    dataset = mldr.load(tmp_path / "out")
    verify(dataset)
    assert next(dataset.dialogues("validation")).utterances[0].text == "ab\ufffdc\nd"
    assert next(dataset.queries("validation")).text == "q\ufffd"
    assert findings.oddities["texts with NUL: left out of them"] == 2


def test_images_may_be_bytes_and_path(tmp_path: Path) -> None:
    images = [
        {"bytes": base64.b64encode(picture("green")).decode(), "path": None},
        {"bytes": None, "path": "images/a.png"},
    ]
    dialogues, _, findings = read(tmp_path, mldr_record(images=images))
    assert all(image.image_key.startswith("sha256:") for image in dialogues[0].images)
    assert findings.oddities == {"images written as {bytes, path}": 2}


@pytest.mark.parametrize("images", [None, [], "images/a.png", [7, None], ["", "/etc/passwd"], ["images/../../x", "\0"]])
def test_images_that_cannot_be_had_are_missing_and_keep_their_ids(tmp_path: Path, images: Any) -> None:
    dialogues, golds, _ = read(tmp_path, mldr_record(images=images))
    assert dialogues[0].n_images == 2
    assert golds[0].image_ids == (0,)
    missing = [i for i in mldr.load(tmp_path / "out").images("validation") if i.status == "missing"]
    assert all(image.image_key.startswith("ref:mldr-release-mldr/") and image.content is None for image in missing)


def test_a_web_address_is_kept_and_not_fetched(tmp_path: Path) -> None:
    read(tmp_path, mldr_record(images=["https://example.org/a.png", "images/b.png"]))
    stored = {image.status: image for image in mldr.load(tmp_path / "out").images("validation")}
    assert stored["url_only"].url == "https://example.org/a.png"
    assert stored["present"].image_key.startswith("sha256:")


def test_a_picture_that_cannot_be_decoded_is_missing(tmp_path: Path) -> None:
    release = mldr_release(tmp_path, mldr_record())
    (release / "images" / "a.png").write_bytes(b"not a picture")
    findings = import_release(Import(release), tmp_path / "out")
    verify(mldr.load(tmp_path / "out"))
    assert any("cannot be decoded" in reason for reason in findings.oddities)


def test_paths_of_another_machine_are_found_by_their_folders(tmp_path: Path) -> None:
    images = ["/mnt/somewhere/MLDR/images/a.png", "./elsewhere/b.png"]
    dialogues, _, findings = read(tmp_path, mldr_record(images=images))
    keys = [image.image_key.partition(":")[0] for image in dialogues[0].images]
    assert keys == ["sha256", "ref"]  # b.png lies in images/, not in elsewhere/
    assert findings.oddities == {"pictures that are not there: status missing": 1}


def test_the_language_is_told_by_the_script(tmp_path: Path) -> None:
    english = [f"<|utt_id_start|>{i}<|utt_id_end|> user1: let us go 爬山" for i in range(2)]
    dialogues, _, _ = read(
        tmp_path, mldr_record("a", lines=english, query="the hike", gold=answer([0], [])), mldr_record("b")
    )
    assert [dialogue.language for dialogue in dialogues] == ["en", "zh"]


def test_different_prompts_are_all_kept(tmp_path: Path) -> None:
    other = mldr_record(query="出发")
    other["messages"][1]["content"] = "Find it.\n" + other["messages"][1]["content"]
    read(tmp_path, mldr_record(), other)
    templates = templates_of(tmp_path / "out")
    assert sorted(t["user"] for t in templates.values()) == sorted(
        [HEAD + "{query}" + MIDDLE + "{dialogue}", "Find it.\n" + HEAD + "{query}" + MIDDLE + "{dialogue}"]
    )
    assert {t["system"] for t in templates.values()} == {SYSTEM}


def test_a_release_of_nothing_usable_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="no record can be used"):
        read(tmp_path, mldr_record(gold="?"))


def test_what_is_odd_about_a_dialogue_counts_once_however_many_queries_it_has(tmp_path: Path) -> None:
    records = [mldr_record(query=query, lines=shifted(1), gold=answer([2], [])) for query in ("一", "二", "三")]
    _, golds, findings = read(tmp_path, *records, mldr_record("other"), records[0])
    assert len(golds) == 4
    assert findings.oddities["dialogues whose utterance ids start at 1: moved to 0"] == 1


def test_a_hostile_file_in_our_own_layout_is_cleaned_too(tmp_path: Path) -> None:
    lines = ["<|utt_id_start|>0<|utt_id_end|> user1: a\0b\ud800\rc <|img_id_start|>0<|img_id_end|>[image: x\0\udc00]"]
    record = mldr_record(format="mldr/ms-swift@1", lines=lines, query="q\0\ud800", gold=answer([0], [0]), images=[])
    release = mldr_release(tmp_path, mldr_record())
    (release / "MLDR_val.json").write_text(json.dumps([record]), "ascii")
    import_release(Import(release), tmp_path / "out")
    verify(mldr.load(tmp_path / "out"))
    (dialogue,) = mldr.load(tmp_path / "out").dialogues("validation")
    assert (dialogue.utterances[0].text, dialogue.images[0].caption) == ("ab\ufffd\nc", "x\ufffd")


def test_keys_that_no_dataset_has_a_place_for_are_counted(tmp_path: Path) -> None:
    graded = {**mldr_record("a"), "difficulty": "easy", "avg_f1": 0.5}
    _, _, findings = read(tmp_path, graded, mldr_record("b"))
    assert findings.oddities == {UNREAD: 2}


def test_a_prompt_that_ends_behind_the_dialogue_is_told_from_last_utterances_of_several_lines(tmp_path: Path) -> None:
    ends = ("再见", "再见\n改天", "再见\n下次\n下次见")
    records = [
        mldr_record(f"d{i}", lines=[*LINES[:3], f"{LINES[3]}{i}，{end}\n只写答案。"]) for i, end in enumerate(ends)
    ]
    dialogues, _, _ = read(tmp_path, *records)
    assert [dialogue.utterances[3].text for dialogue in dialogues] == [
        f"好的，几点出发{i}，{end}" for i, end in enumerate(ends)
    ]
    assert [template["user"].endswith("\n只写答案。") for template in templates_of(tmp_path / "out").values()] == [True]


def test_what_ends_the_only_dialogue_of_a_file_is_its_last_utterance(tmp_path: Path) -> None:
    lines = [*LINES[:3], f"{LINES[3]}\n再见"]
    (dialogue,), _, _ = read(tmp_path, mldr_record("a", lines=lines), mldr_record("a", "吃饭", lines=lines))
    assert dialogue.utterances[3].text == "好的，几点出发\n再见"
