"""The small decisions of an import, one by one."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import MldrError
from mldr.release import Findings, Import, look
from mldr.release.archive import open_archive
from mldr.release.clusters import chats, clusters
from mldr.release.findings import Unusable
from mldr.release.layout import layout_of, split_of
from mldr.release.lines import release_lines
from mldr.release.messages import read_messages
from mldr.release.pictures import Finder, release_name
from mldr.release.words import clean, script_language
from tests.core.release.support import entry, mldr_record, mldr_release, tar_of, wechat_record, write_release
from tests.core.support import PIECES


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (["17_0", "17_1"], {"17_0": "17", "17_1": "17"}),
        (["chat3-part1", "chat3-part2"], {"chat3-part1": "chat3", "chat3-part2": "chat3"}),
        (["wechat_1", "wechat_2"], {}),  # the number is the chat's own
        (["17_0"], {}),
        (["17_4", "17_9"], {}),
        (["2024-05", "2024-06"], {}),
        (["a", "b", ""], {}),
    ],
)
def test_chats_are_told_by_ids_with_running_numbers(ids: list[str], found: dict[str, str]) -> None:
    assert chats(ids) == found


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.lists(st.integers(0, 6).map(str), max_size=3)))
def test_clusters_are_connected_components(bonds: dict[str, list[str]]) -> None:
    found = clusters(bonds, "test")
    groups: list[set[str]] = [{d, *(f"bond {b}" for b in own)} for d, own in bonds.items()]
    while True:
        pair = next(((a, b) for a in groups for b in groups if a is not b and a & b), None)
        if pair is None:
            break
        groups = [group for group in groups if group is not pair[0] and group is not pair[1]] + [pair[0] | pair[1]]
    assert len(set(found.values())) == len(groups)
    for group in groups:
        assert len({found[d] for d in group if not d.startswith("bond")}) == 1


@pytest.mark.parametrize(
    ("texts", "language"),
    [(["你好 ok"], "en"), (["你好世界 ok"], "zh"), (["hello"], "en"), (["12 !?"], "xx"), ([], "xx"), (["𠀀𠀁"], "zh")],
)
def test_the_language_is_that_of_most_letters(texts: list[str], language: str) -> None:
    assert script_language(texts, "xx") == language


@given(st.text(st.characters()))
def test_a_clean_text_can_be_stored(text: str) -> None:
    cleaned = clean(text, Findings())
    cleaned.encode("utf-8")
    assert "\0" not in cleaned
    assert "\r" not in cleaned
    assert clean(cleaned, Findings()) == cleaned


@pytest.mark.parametrize(
    ("name", "layout", "split"),
    [
        ("MLDR/MLDR_train_cold_start.json", "messages", "train_sft"),
        ("MLDR_train_GRPO.json", "messages", "train_grpo"),
        ("MLDR_val.json", "messages", "validation"),
        ("x/train_sft.json", "export", "train_sft"),
        ("test.json", "export", "test"),
        ("anything.json", "wechat", "test"),
        ("WeChat_test_set/val.json", "messages", "test"),
        ("mldr_val_v2.json", "messages", "validation"),
    ],
)
def test_a_files_name_tells_its_split(name: str, layout: str, split: str) -> None:
    assert split_of(name, layout, ()) == split


@pytest.mark.parametrize(
    ("records", "layout"),
    [
        ([mldr_record()], "messages"),
        ([mldr_record(format="mldr/ms-swift@1")], "export"),
        ([wechat_record()], "wechat"),
        ([7, None, {"a": 1}, mldr_record()], "messages"),
        ([{"messages": "x"}, {"dialogue": []}], ""),
    ],
)
def test_the_layout_is_told_by_content(records: list[Any], layout: str) -> None:
    assert layout_of(records) == layout


@pytest.mark.parametrize(
    ("name", "told"),
    [("MLDR.tar", "mldr"), ("WeChat_test_set.tar.gz", "wechat-test-set"), ("文件.json", "unnamed"), ("a b.TGZ", "a-b")],
)
def test_a_dataset_is_named_after_its_release(tmp_path: Path, name: str, told: str) -> None:
    assert release_name(tmp_path / name) == f"mldr-release-{told}"


def test_files_that_are_no_release_are_told_and_passed_over(tmp_path: Path) -> None:
    release = mldr_release(tmp_path, mldr_record())
    write_release(release, {"notes.json": {"a": 1}, "other.json": [1, 2], "cut.json": '[{"messages": ['})
    found = look(Import(release)).files
    assert {name for name, file in found.items() if file.reason} == {"notes.json", "other.json", "cut.json"}


@pytest.mark.parametrize("content", ["", "{}", "[]", "[1]", '[{"messages": [', '{"messages": []}'])
def test_a_broken_file_of_the_authors_is_a_fault(tmp_path: Path, content: str) -> None:
    with pytest.raises(MldrError, match=r"MLDR_val\.json"):
        look(Import(write_release(tmp_path / "r", {"MLDR_val.json": content})))


def test_a_file_cut_in_the_middle_is_a_fault_at_its_record(tmp_path: Path) -> None:
    text = json.dumps([mldr_record(str(number)) for number in range(80)])
    release = write_release(tmp_path / "r", {"MLDR_val.json": text[: len(text) * 3 // 4]})
    with pytest.raises(MldrError, match=r"MLDR_val\.json, record (59|60): not JSON, or the file is cut"):
        look(Import(release))


def test_a_folder_without_any_release_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match=r"there is no \.json at all"):
        look(Import(tmp_path))


@given(
    st.lists(st.sampled_from((*PIECES, "\0", "\ud800", "<|query_start|>", "<|query_end|>")), max_size=12).map("".join)
)
def test_no_text_crashes_the_reader(text: str) -> None:
    release_lines(text, Findings())
    for extra in ({}, {"format": "mldr/ms-swift@1"}):
        try:
            read = read_messages(mldr_record(query=text, lines=[text], **extra), "", Findings())
        except Unusable:
            continue
        assert read.dialogue.utterances


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "dialogue", "messages", "images", "path", "bytes"]),
            inner,
        )
    ),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["messages", "images", "solution", "dialogue_id", "format", "dialogue", "query_text", "gt_turns"]
        ),
        json_values,
    ),
    st.booleans(),
)
def test_no_record_crashes_the_reader(changed: dict[str, Any], chat: bool) -> None:
    from mldr.release.wechat import read_wechat

    record = {**(wechat_record() if chat else mldr_record()), **changed}
    with suppress(Unusable):
        read_wechat(record, Findings()) if chat else read_messages(record, "", Findings())


@pytest.mark.parametrize(
    "text",
    [
        " " * 300_000,
        "<|img_id_start|>0<|img_id_end|>[image: " * 20_000,
        "<|img_id_start|>0" * 50_000,
        "<|query_start|>" * 100_000,
        "\n" * 300_000,
        "a" * 300_000 + ":",
    ],
    ids=["spaces", "captions", "tags", "queries", "lines", "speaker"],
)
def test_no_text_takes_time_beyond_its_length(text: str) -> None:
    started = time.process_time()
    record = mldr_record(query="q" + text, lines=["<|utt_id_start|>0<|utt_id_end|> user1: x" + text, text])
    with suppress(Unusable):
        read_messages(record, "", Findings())
    chats([text])
    assert time.process_time() - started < 5  # seconds; a pattern that backtracks takes minutes


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("MLDR/img0/1.jpg", "MLDR/img0/1.jpg"),
        ("/mnt/x/MLDR/img1/1.jpg", "MLDR/img1/1.jpg"),
        ("C:\\data\\img1\\1.jpg", "MLDR/img1/1.jpg"),
        ("file:///img0/1.jpg", "MLDR/img0/1.jpg"),
        ("img2/1.jpg", None),
        ("1.jpg", None),  # two have that name
        ("2.jpg", "MLDR/img0/2.jpg"),
        ("any/3.jpg", "3.jpg"),
        ("../../3.jpg", "3.jpg"),
        ("", None),
        ("..", None),
    ],
)
def test_a_picture_is_found_by_its_trailing_folders(tmp_path: Path, path: str, found: str | None) -> None:
    names = ("MLDR/img0/1.jpg", "MLDR/img1/1.jpg", "MLDR/img0/2.jpg", "3.jpg")
    tar = tar_of(tmp_path / "x.tar", *(entry(name, b"x") for name in names))
    with open_archive(tar) as archive:
        member = Finder(archive).find(path, Findings())
    assert (None if member is None else member.name) == found
