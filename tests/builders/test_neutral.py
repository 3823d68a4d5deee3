from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.builders.recipe import SourceRecipe
from mldr.builders.sources.neutral import NeutralSource
from mldr.builders.sources.record import Reading, SourceDialogue
from mldr.downloads.folder import Download, Downloads
from mldr.errors import InputError
from tests.builders.support import line, write_lines
from tests.conftest import picture


def read(folder: Path, lines: list[dict[str, Any]], **entry: Any) -> tuple[list[SourceDialogue], Reading]:
    write_lines(folder / "s.jsonl", lines)
    return read_file(folder / "s.jsonl", **entry)


def read_file(path: Path, **entry: Any) -> tuple[list[SourceDialogue], Reading]:
    reading = Reading()
    source = NeutralSource(SourceRecipe(type="jsonl", name="src", path=path.name, **entry), path.parent)
    return list(source.read(reading)), reading


def only_fault(reading: Reading) -> str:
    assert reading.faults.total == 1, [str(fault) for fault in reading.faults]
    return str(reading.faults.kept[0])


def test_a_line_becomes_a_source_dialogue(tmp_path: Path) -> None:
    (dialogue,), reading = read(tmp_path, [line(1, topic="boats")])
    assert not reading.faults
    assert dialogue.source_id == "src/d0001"
    assert dialogue.topic == "boats"
    assert dialogue.speakers == ("a", "b")
    assert [turn.speaker for turn in dialogue.turns] == [0, 1, 0, 1, 0]


def test_the_topic_of_a_line_without_one_is_its_source_id(tmp_path: Path) -> None:
    (dialogue,), _ = read(tmp_path, [line(1)])
    assert dialogue.topic == "src/d0001"
    assert dialogue.label_source == "rule"


def test_an_id_that_starts_with_the_name_of_its_source_is_not_prefixed_again(tmp_path: Path) -> None:
    (dialogue,), _ = read(tmp_path, [{**line(1), "id": "src/one"}])
    assert dialogue.source_id == "src/one"


def test_other_keys_are_ignored_and_counted_wherever_they_stand(tmp_path: Path) -> None:
    record = line(1, image={"id": "x", "url": "http://h/x.jpg", "size": 3})
    record["date"] = "2020"
    record["turns"][0]["mood"] = "good"
    _, reading = read(tmp_path, [record, {**line(2), "date": "2021"}])
    assert reading.counts["ignored key date"] == 2
    assert reading.counts["ignored key turns.mood"] == 1
    assert reading.counts["ignored key turns.image.size"] == 1


def test_a_language_is_cut_to_its_primary_subtag(tmp_path: Path) -> None:
    dialogues, _ = read(tmp_path, [line(1, lang="zh-Hans-CN"), line(2, lang="EN_us")])
    assert [dialogue.language for dialogue in dialogues] == ["zh", "en"]


def test_max_turns_cuts_turns_images_and_tags_and_counts_them(tmp_path: Path) -> None:
    record = line(1)
    record["turns"][4]["image"] = {"id": "late"}
    record["tags"] = [
        {"name": "early", "level": "fine", "turns": [0, 4], "images": [0], "query": "q"},
        {"name": "late", "level": "fine", "turns": [4], "images": []},
        {"name": "all", "level": "topic"},
    ]
    (dialogue,), reading = read(tmp_path, [record], max_turns=3)
    assert len(dialogue.turns) == 3
    assert dialogue.images == ()
    assert [(tag.name, tag.turns, tag.images) for tag in dialogue.tags] == [("early", (0,), ()), ("all", (), ())]
    assert reading.counts["turns cut by max_turns"] == 2
    assert reading.counts["tags cut by max_turns"] == 1
    assert reading.counts["tags cut in part by max_turns"] == 1


def test_a_topic_tag_that_is_cut_away_does_not_become_the_whole_dialogue(tmp_path: Path) -> None:
    record = {**line(1), "tags": [{"name": "late", "level": "topic", "turns": [4], "images": [], "query": "q"}]}
    (dialogue,), _ = read(tmp_path, [record], max_turns=3)
    assert dialogue.tags == ()


def test_what_max_turns_cuts_is_not_looked_for(tmp_path: Path) -> None:
    record = line(1)
    record["turns"][4]["image"] = {"path": "gone.png"}
    (dialogue,), reading = read(tmp_path, [record], max_turns=3)
    assert not reading.faults
    assert dialogue.images == ()


def test_two_tags_of_one_name_and_level_are_a_fault(tmp_path: Path) -> None:
    tag = {"name": "t", "level": "fine", "turns": [0, 2], "images": []}
    assert "a second tag" in only_fault(read(tmp_path, [{**line(1), "tags": [tag, tag]}])[1])


def test_every_text_of_a_record_is_cleaned(tmp_path: Path) -> None:
    record = {**line(1, topic="to\0p"), "licence": "CC\0", "attribution": "A\r\nB"}
    record["tags"] = [{"name": "n\0", "level": "fine", "turns": [0, 2], "images": [], "query": " q\0\r\n1 "}]
    (dialogue,), _ = read(tmp_path, [record])
    assert (dialogue.topic, dialogue.licence, dialogue.attribution) == ("top", "CC", "A\nB")
    assert (dialogue.tags[0].name, dialogue.tags[0].query) == ("n", "q\n1")


def test_a_url_that_is_not_http_is_never_opened_and_counted(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture())
    records = [line(1, image={"id": "a", "url": "secret.png"}), line(2, image={"id": "b", "url": f"file://{secret}"})]
    dialogues, reading = read(tmp_path, records)
    assert [(d.images[0].ref, d.images[0].path, d.images[0].url) for d in dialogues] == [
        ("src/a", "", ""),
        ("src/b", "", ""),
    ]
    assert reading.counts["image urls that are not http(s), not opened"] == 2


def test_an_http_url_is_kept(tmp_path: Path) -> None:
    (dialogue,), _ = read(tmp_path, [line(1, image={"url": "https://example.org/x.jpg"})])
    assert dialogue.images[0].url == "https://example.org/x.jpg"
    assert dialogue.images[0].ref == "src/d0001#0"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../out.png", "a/../../out.png", "gone.png", "C:\\x.png", "a\0b", "link.png"]
)
def test_an_image_path_that_leads_nowhere_or_out_of_the_folder_is_a_fault(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "out.png").write_bytes(picture())
    (folder / "link.png").symlink_to(tmp_path / "out.png")
    _, reading = read(folder, [line(1, image={"path": path})])
    assert "line 1, turns.1: no image" in only_fault(reading)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"id": ""}, "id"),
        ({"id": 7}, "id"),
        ({"lang": "english language"}, "lang"),
        ({"speakers": []}, "speakers"),
        ({"turns": []}, "turns"),
        ({"turns": "hello"}, "turns"),
        ({"turns": [{"speaker": "nobody", "text": "x"}]}, "speaker 'nobody' is not among"),
        ({"turns": [{"speaker": "a", "text": "  "}]}, "neither text nor an image"),
        ({"turns": [{"speaker": "a", "text": 3}]}, "turns.0.text"),
        ({"turns": [{"speaker": "a", "text": "half \ud800 pair"}]}, "half of a surrogate pair"),
        ({"tags": [{"name": "t", "level": "fine", "turns": [9], "images": []}]}, "turn 9 does not exist"),
        ({"tags": [{"name": "t", "level": "fine", "turns": [-1], "images": []}]}, "turn -1 does not exist"),
        ({"tags": [{"name": "t", "level": "fine", "turns": [0], "images": [0]}]}, "image 0 does not exist"),
        ({"tags": [{"name": "t", "level": "fine", "turns": [], "images": []}]}, "marks nothing"),
        ({"tags": [{"name": "t", "level": "huge", "turns": [0], "images": []}]}, "tags.0.level"),
        ({"tags": [{"name": "t", "level": "fine", "turns": ["0"], "images": []}]}, "tags.0.turns.0"),
    ],
)
def test_a_fault_of_a_line_is_said_with_its_place(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    dialogues, reading = read(tmp_path, [line(1), {**line(2), **changed}, line(3)])
    assert len(dialogues) == 2
    fault = only_fault(reading)
    assert "line 2" in fault
    assert words in fault


def test_a_tag_may_not_mark_a_turn_without_text(tmp_path: Path) -> None:
    record = line(1, image={"id": "x"})
    record["turns"][1]["text"] = ""
    record["tags"] = [{"name": "t", "level": "fine", "turns": [1], "images": [0]}]
    assert "turn 1 has no text" in only_fault(read(tmp_path, [record])[1])


@pytest.mark.parametrize(
    "content", [b"not json\n", b"[1]\n", b"\xff\xfe\n", b'{"id": "a", "id": "b"}\n', b'{"id": NaN}\n', b"[" * 100_000]
)
def test_a_line_that_is_no_dialogue_is_a_fault_with_its_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(json.dumps(line(1)).encode() + b"\n\n" + content)
    dialogues, reading = read_file(path)
    assert len(dialogues) == 1
    assert reading.faults.total >= 1
    assert "line 3" in str(reading.faults.kept[0])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_crash_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "s.jsonl"
    path.write_bytes(content)
    read_file(path)


def test_newlines_become_one_kind_and_nul_is_removed_and_counted(tmp_path: Path) -> None:
    record = line(1)
    record["turns"][0]["text"] = "one\r\ntwo\rthree\0"
    (dialogue,), reading = read(tmp_path, [record])
    assert dialogue.turns[0].text == "one\ntwo\nthree"
    assert reading.counts["NUL characters removed"] == 1


def test_labels_that_a_source_brings_have_the_origin_that_the_recipe_names(tmp_path: Path) -> None:
    record = {**line(1), "tags": [{"name": "t", "level": "fine", "turns": [0, 2], "images": [], "query": "q"}]}
    (dialogue,), _ = read(tmp_path, [record], label_source="model", label_model="m-1")
    assert (dialogue.label_source, dialogue.label_model) == ("model", "m-1")


def test_a_source_dialogue_survives_its_json(tmp_path: Path) -> None:
    record = line(1, topic="t", image={"id": "x", "url": "http://h/x", "caption": "图 \u2028"})
    record["tags"] = [{"name": "t", "level": "fine", "turns": [0, 2], "images": [0], "query": "q"}]
    (dialogue,), _ = read(tmp_path, [record])
    assert SourceDialogue.from_json(dialogue.to_json()) == dialogue


def test_a_source_without_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs a path"):
        NeutralSource(SourceRecipe(type="jsonl", name="src"), tmp_path)


def test_the_inputs_of_a_source_hold_its_image_files(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(picture())
    write_lines(tmp_path / "s.jsonl", [line(1, image={"path": "x.png"}), line(2, image={"path": "../y.png"})])
    source = NeutralSource(SourceRecipe(type="jsonl", name="src", path="s.jsonl"), tmp_path)
    assert [path.name for path in source.inputs()] == ["s.jsonl", "x.png"]


def test_the_recipe_gives_the_terms_that_records_leave_out(tmp_path: Path) -> None:
    terms = {"licence": "MIT", "image_licence": "CC0-1.0", "attribution": "the makers"}
    own = line(2, image={"id": "y", "url": "http://h/y.jpg", "licence": "CC-BY-2.0", "attribution": "a photographer"})
    own |= {"licence": "Apache-2.0", "attribution": "somebody"}
    (plain, stated), _ = read(tmp_path, [line(1, image={"id": "x", "url": "http://h/x.jpg"}), own], **terms)
    assert (plain.licence, plain.attribution) == ("MIT", "the makers")
    assert (plain.images[0].licence, plain.images[0].attribution) == ("CC0-1.0", "the makers")
    assert (stated.licence, stated.attribution) == ("Apache-2.0", "somebody")
    assert (stated.images[0].licence, stated.images[0].attribution) == ("CC-BY-2.0", "a photographer")


def test_the_credit_of_the_recipe_is_not_given_to_images_that_it_does_not_license(tmp_path: Path) -> None:
    (dialogue,), _ = read(tmp_path, [line(1, image={"id": "x"})], licence="MIT", attribution="the makers")
    assert (dialogue.images[0].licence, dialogue.images[0].attribution) == ("", "")


def test_what_reading_changed_is_kept_with_the_dialogue(tmp_path: Path) -> None:
    record = line(1)
    record["turns"][0]["text"] = "one\0\r\ntwo"
    plain, changed = line(2), {**record, "id": "c"}
    dialogues, _ = read(tmp_path, [changed, {**plain, "turns": plain["turns"][:3]}], max_turns=4)
    assert dialogues[0].changes == ("cut to 4 turns", "NUL removed", "line breaks written as \\n")
    assert dialogues[1].changes == ()
    assert SourceDialogue.from_json(dialogues[0].to_json()) == dialogues[0]


def test_a_url_that_hydrate_fetched_is_read_from_its_folder(tmp_path: Path) -> None:
    url = "https://example.org/a.jpg"
    downloads = Downloads(tmp_path / "fetched")
    downloads.keep(Download(url, "fetched", sha256(picture()).hexdigest(), len(picture()), 200), picture())
    lines = [line(1, image={"url": url}), line(2, image={"id": "b", "url": "https://example.org/b.jpg"})]
    dialogues, reading = read(tmp_path, lines, downloads="fetched")
    assert not reading.faults
    assert [one.images[0].path for one in dialogues] == [str(downloads.place(url)), ""]
    assert [one.images[0].url for one in dialogues] == [url, "https://example.org/b.jpg"]
    entry = SourceRecipe(type="jsonl", name="src", path="s.jsonl", downloads="fetched")
    assert NeutralSource(entry, tmp_path).inputs() == [tmp_path / "s.jsonl", downloads.place(url)]
    downloads.place(url).write_bytes(b"other")
    _, reading = read(tmp_path, lines, downloads="fetched")
    assert "not the bytes that came from the web" in only_fault(reading)
    with pytest.raises(InputError, match="`mldr dataset hydrate` makes it"):
        read(tmp_path, lines, downloads="none")


def test_a_folder_of_images_that_would_not_be_looked_at_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names pictures by their place beside it"):
        read(tmp_path, [line(1)], images="photos")
