from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from mldr.builders.recipe import SourceRecipe
from mldr.builders.sources.photochat import PhotoChatSource
from mldr.builders.sources.record import SourceDialogue
from mldr.downloads.folder import Download, Downloads
from mldr.errors import InputError
from tests.builders.sources.support import dialogcc, faults, mmdialog, photochat, put, put_parquet, read
from tests.conftest import picture


def said(dialogue: SourceDialogue) -> list[tuple[str, str, str]]:
    return [
        (dialogue.speakers[turn.speaker], turn.text, "" if turn.image is None else dialogue.images[turn.image].ref)
        for turn in dialogue.turns
    ]


def test_photochat_shares_the_photo_in_its_turn_and_takes_topic_and_caption_from_the_labels(tmp_path: Path) -> None:
    put(tmp_path / "pc/train/train_00.json", [photochat(0)])
    put(tmp_path / "pc/dev/dev_00.json", [photochat(0, photo_id="dev/0a1b")])
    dialogues, reading = read("photochat", tmp_path / "pc")
    assert not reading.faults
    dev, train = dialogues
    assert (dev.source_id, train.source_id) == ("src/dev_00/0", "src/train_00/0")
    ref = train.images[0].ref
    assert said(train) == [
        ("user 0", "hello", ""),
        ("user 1", "look at my dog", ""),
        ("user 1", "", ref),
        ("user 0", "lovely", ""),
    ]
    assert train.topic == "Dog, Grass"
    assert train.images[0].caption == "The photo has your friend Ann. Dog, Grass"
    assert train.images[0].url == "https://photos.example/0.jpg"
    assert dev.images[0].ref == "src/dev/0a1b"
    assert train.licence == "CC-BY-4.0"
    assert train.changes == ("object labels made the caption",)
    assert SourceDialogue.from_json(train.to_json()) == train


def test_a_photo_that_no_turn_shares_is_left_out_and_counted(tmp_path: Path) -> None:
    record = photochat()
    record["dialogue"][2] = {"message": " ", "share_photo": False, "user_id": 1}
    (dialogue,), reading = read("photochat", put(tmp_path / "a.json", [record]))
    assert dialogue.images == ()
    assert len(dialogue.turns) == 3
    assert reading.counts["photos that no turn shares, left out"] == 1
    assert reading.counts["turns without text or image, left out"] == 1
    assert "an empty turn left out" in dialogue.changes


def test_the_same_photo_url_is_one_image(tmp_path: Path) -> None:
    path = put(tmp_path / "a.json", [photochat(0), photochat(1, photo_url="https://photos.example/0.jpg")])
    dialogues, _ = read("photochat", path)
    assert dialogues[0].images[0].ref == dialogues[1].images[0].ref


def test_dialogcc_keeps_the_first_of_the_aligned_images(tmp_path: Path) -> None:
    (dialogue,), reading = read("dialogcc", put(tmp_path / "train.json", [dialogcc(7)]))
    assert dialogue.source_id == "src/train/bst:7"
    assert [(who, text, bool(ref)) for who, text, ref in said(dialogue)] == [
        ("Ann", "I went out", False),
        ("Ann", "", True),
        ("Bob", "nice boat", False),
    ]
    assert (dialogue.images[0].url, dialogue.images[0].caption) == ("https://cc.example/70.jpg", "a boat 0")
    assert reading.counts["further images aligned to one utterance, left out"] == 1
    assert dialogue.changes == ("one image kept of several aligned to an utterance",)
    assert dialogue.licence == "CC-BY-NC-SA-4.0"


def test_dialogcc_as_json_lines_and_as_parquet_gives_the_same_words(tmp_path: Path) -> None:
    records = [dialogcc(0), dialogcc(1)]
    lines = "\n".join(__import__("json").dumps(record) for record in records)
    by_line, _ = read("dialogcc", put(tmp_path / "train.jsonl", lines))
    by_row, reading = read("dialogcc", put_parquet(tmp_path / "p/train.parquet", records))
    assert not reading.faults
    assert [said(dialogue) for dialogue in by_line] == [said(dialogue) for dialogue in by_row]


def test_dialogcc_in_parquet_may_bring_its_pictures(tmp_path: Path) -> None:
    record = dialogcc()
    content = {"bytes": picture(), "path": "a.png"}
    record["dialogue"][1]["shared_image"] = [{"image": content, "caption": "boat"}]
    (dialogue,), reading = read("dialogcc", put_parquet(tmp_path / "train.parquet", [record]))
    assert not reading.faults
    image = dialogue.images[0]
    assert (Path(image.path).name, image.member) == ("train.parquet", "dialogue:0:1:shared_image:0:image")


def test_mmdialog_spreads_the_pictures_of_a_message_over_turns_of_its_speaker(tmp_path: Path) -> None:
    put(tmp_path / "mm/test/conversations.json", [mmdialog()])
    target = tmp_path / "mm/test/-17.jpg"
    target.write_bytes(picture(kind="JPEG"))
    (dialogue,), reading = read("mmdialog", tmp_path / "mm")
    assert said(dialogue) == [
        ("user1", "show your skylines", ""),
        ("user2", "two of mine :smiling_face:", "src/-17"),
        ("user2", "", "src/23"),
        ("user1", "wow", ""),
    ]
    assert dialogue.images[0].path == str(target)
    assert dialogue.images[1].path == ""
    assert reading.counts["images whose file is not in the folder of images"] == 1
    assert dialogue.licence == ""
    assert "pictures of one message spread over turns" in dialogue.changes


def test_a_media_key_of_two_splits_is_no_conflict(tmp_path: Path) -> None:
    for split, colour in (("train", "red"), ("test", "blue")):
        put(tmp_path / "mm" / split / "conversations.json", [mmdialog(("7",))])
        (tmp_path / "mm" / split / "7.jpg").write_bytes(picture(colour, kind="JPEG"))
    dialogues, reading = read("mmdialog", tmp_path / "mm")
    assert not reading.faults
    assert [dialogue.images[0].ref for dialogue in dialogues] == ["src/test/7", "src/train/7"]
    assert [Path(dialogue.images[0].path).parent.name for dialogue in dialogues] == ["test", "train"]


@pytest.mark.parametrize("key", ["../../secret", "/etc/passwd", "a\\b", "link"])
def test_a_media_key_never_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(picture(kind="JPEG"))
    folder = tmp_path / "mm/test"
    put(folder / "conversations.json", [mmdialog((key,))])
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    dialogues, reading = read("mmdialog", tmp_path / "mm")
    assert dialogues == []
    assert "the image path" in faults(reading)[0]


def test_mmdialog_names_a_piece_that_is_neither_text_nor_media(tmp_path: Path) -> None:
    record = mmdialog()
    record["conversation"][1]["turn"].append({"__VIDEO__": "5"})
    dialogues, reading = read("mmdialog", put(tmp_path / "conversations.json", [record]))
    assert dialogues == []
    assert faults(reading) == ["conversations.json[0].conversation[1].turn[3]: has neither __TEXT__ nor __MEDIA__"]


def chat_ir(**changed: Any) -> dict[str, Any]:
    dialog = ["a dog on grass", "is it big? yes", "what colour? brown? or black", "it looks tired"]
    return {"img": "unlabeled/01.jpg", "dialog": dialog, **changed}


def test_visdial_of_chatir_is_split_at_the_first_question_mark(tmp_path: Path) -> None:
    (tmp_path / "coco/unlabeled").mkdir(parents=True)
    (tmp_path / "coco/unlabeled/01.jpg").write_bytes(picture(kind="JPEG"))
    (dialogue,), reading = read("visdial", put(tmp_path / "v.json", [chat_ir()]), images="coco")
    ref = "src/unlabeled/01.jpg"
    assert said(dialogue) == [
        ("questioner", "is it big?", ref),
        ("answerer", "yes", ""),
        ("questioner", "what colour?", ""),
        ("answerer", "brown? or black", ""),
        ("questioner", "it looks tired", ""),
    ]
    assert reading.counts["turns without a question mark, kept whole"] == 1
    assert dialogue.images[0].caption == "a dog on grass"
    assert Path(dialogue.images[0].path).name == "01.jpg"
    assert dialogue.changes == ("question and answer separated",)


def official(**changed: Any) -> dict[str, Any]:
    rounds = [{"question": 1, "answer": 0, "gt_index": 3, "answer_options": [1, 2]}, {"question": 0}]
    dialog = {"image_id": 42, "caption": "a cat", "dialog": rounds}
    texts = {"questions": ["is it old?", "is it a cat?"], "answers": ["yes"], "dialogs": [dialog], **changed}
    return {"version": "1.0", "split": "val", "data": texts}


def test_the_official_visdial_is_put_together_from_its_lists(tmp_path: Path) -> None:
    name = "VisualDialog_val2018_000000000042.jpg"
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / name).write_bytes(picture(kind="JPEG"))
    (dialogue,), reading = read("visdial", put(tmp_path / "v.json", official()), images="images")
    assert not reading.faults
    assert [text for _, text, _ in said(dialogue)] == ["is it a cat?", "yes", "is it old?"]
    assert Path(dialogue.images[0].path).name == name


def test_the_official_visdial_with_a_position_that_does_not_exist_is_a_fault(tmp_path: Path) -> None:
    _, reading = read("visdial", put(tmp_path / "v.json", official(answers=[])))
    assert faults(reading) == ["v.json.data.dialogs[0]: answer 0 does not exist; the file has 0 (from 0)"]
    _, reading = read("visdial", put(tmp_path / "w.json", official(questions=3)))
    assert "has data without the list questions" in faults(reading)[0]


def test_visdial_of_the_hub_brings_its_pictures(tmp_path: Path) -> None:
    row = {
        "caption": "a cat",
        "dialog": [["is it old?", "yes"], ["big?", "no"]],
        "image_path": "coco/val/9.jpg",
        "image": {"bytes": picture(), "path": "9.jpg"},
    }
    (dialogue,), reading = read("visdial", put_parquet(tmp_path / "v.parquet", [row]))
    assert not reading.faults
    assert [text for _, text, _ in said(dialogue)] == ["is it old?", "yes", "big?", "no"]
    assert dialogue.images[0].member == "image:0"


def kdconv(name: str = "故宫") -> dict[str, Any]:
    return {
        "name": name,
        "messages": [
            {"message": "去过故宫吗？"},
            {"message": "去过。", "attrs": [{"attrname": "门票"}]},
            {"message": "好玩吗？"},
        ],
    }


def test_kdconv_alternates_speakers_and_takes_the_domain_from_file_or_folder(tmp_path: Path) -> None:
    put(tmp_path / "a/film.dev.json", [kdconv()])
    put(tmp_path / "b/travel/train.json", [kdconv(), kdconv("长城")])
    put(tmp_path / "b/travel/kb_travel.json", {"a": 1})
    (film,), _ = read("kdconv", tmp_path / "a/film.dev.json")
    travel, reading = read("kdconv", tmp_path / "b")
    assert not reading.faults
    assert [who for who, _, _ in said(film)] == ["user1", "user2", "user1"]
    assert (film.domain, film.topic, film.language) == ("film", "故宫", "zh")
    assert [(one.source_id, one.domain) for one in travel] == [
        ("src/train/00000", "travel"),
        ("src/train/00001", "travel"),
    ]


MADE: dict[str, Any] = {
    "photochat": photochat(),
    "dialogcc": dialogcc(),
    "mmdialog": mmdialog(),
    "visdial": chat_ir(),
    "kdconv": kdconv(),
}


@pytest.mark.parametrize("kind", sorted(MADE))
def test_a_file_of_another_corpus_is_refused_and_what_was_found_is_named(tmp_path: Path, kind: str) -> None:
    _, reading = read(kind, put(tmp_path / "a.json", [{"question": "?", "choices": []}, {"x": 1}]))
    (message,) = faults(reading)
    assert message.startswith("a.json[0]: has the keys choices, question; ")
    assert "is expected, so the rest of the file is not read" in message
    _, reading = read(kind, put(tmp_path / "b.json", ["a", "b"]))
    assert "b.json[0]: holds a text" in faults(reading)[0]


@pytest.mark.parametrize("kind", sorted(MADE))
def test_every_wrong_type_is_a_fault_at_its_key_and_never_a_crash(tmp_path: Path, kind: str) -> None:
    for number, (broken, where) in enumerate(_broken(MADE[kind])):
        path = put(tmp_path / f"{number}.json", [broken, MADE[kind]])
        dialogues, reading = read(kind, path)
        assert len(dialogues) + bool(reading.faults) >= 1
        for fault in reading.faults:
            assert fault.place.startswith(str(path)), where
        for dialogue in dialogues:
            assert SourceDialogue.from_json(dialogue.to_json()) == dialogue


def _broken(value: Any, where: str = "") -> Any:
    """Yield copies of a JSON value with one part of it replaced by a part of another type."""
    strangers: tuple[Any, ...] = (None, 5, "text", [], {}, [[]], True, "\ud800")
    for strange in strangers:
        yield strange, where
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}, f"{where}.{key}"
            for inner, deeper in _broken(value[key], f"{where}.{key}"):
                yield {**value, key: inner}, deeper
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for inner, deeper in _broken(item, f"{where}[{index}]"):
                yield [*value[:index], inner, *value[index + 1 :]], deeper


def test_half_of_a_surrogate_pair_is_a_fault_in_a_url_too(tmp_path: Path) -> None:
    record = photochat(photo_url="https://photos.example/\ud800.jpg")
    dialogues, reading = read("photochat", put(tmp_path / "a.json", [record]))
    assert dialogues == []
    assert "half of a surrogate pair" in faults(reading)[0]


def test_an_empty_dialogue_is_left_out_and_counted(tmp_path: Path) -> None:
    dialogues, reading = read("photochat", put(tmp_path / "a.json", [photochat(dialogue=[])]))
    assert dialogues == []
    assert not reading.faults
    assert reading.counts["dialogues without a turn, left out"] == 1


def test_a_dialogue_of_thousands_of_turns_is_cut_and_says_so(tmp_path: Path) -> None:
    record = photochat()
    record["dialogue"] = [{"message": f"m{i}\r\n", "share_photo": i == 1, "user_id": i % 2} for i in range(20_000)]
    (dialogue,), reading = read("photochat", put(tmp_path / "a.json", [record]), max_turns=8)
    assert len(dialogue.turns) == 8
    assert dialogue.changes == ("object labels made the caption", "cut to 8 turns", "line breaks written as \\n")
    assert reading.counts["turns cut by max_turns"] == 19_992


def test_a_truncated_file_gives_what_came_before_and_a_fault(tmp_path: Path) -> None:
    path = put(tmp_path / "a.json", [photochat(0), photochat(1)])
    path.write_bytes(path.read_bytes()[:-30])
    dialogues, reading = read("photochat", path)
    assert len(dialogues) == 1
    assert "it was cut off" in faults(reading)[0]


def test_the_recipe_states_licences_where_it_wants_to(tmp_path: Path) -> None:
    path = put(tmp_path / "a.json", [photochat()])
    terms = {"licence": "CC0-1.0", "image_licence": "CC-BY-2.0", "attribution": "by me"}
    (dialogue,), _ = read("photochat", path, **terms)
    assert (dialogue.licence, dialogue.attribution) == ("CC0-1.0", "by me")
    assert (dialogue.images[0].licence, dialogue.images[0].attribution) == ("CC-BY-2.0", "by me")
    (dialogue,), _ = read("photochat", path)
    assert dialogue.images[0].licence == ""


def test_a_url_that_hydrate_fetched_is_read_from_its_folder(tmp_path: Path) -> None:
    path = put(tmp_path / "a.json", [photochat(0), photochat(1)])
    downloads = Downloads(tmp_path / "fetched")
    url = "https://photos.example/0.jpg"
    digest = hashlib.sha256(picture()).hexdigest()
    downloads.keep(Download(url, "fetched", digest, len(picture()), 200), picture())
    dialogues, reading = read("photochat", path, downloads="fetched")
    assert not reading.faults
    assert [image.path for dialogue in dialogues for image in dialogue.images] == [str(downloads.place(url)), ""]
    assert dialogues[0].images[0].url == url
    source = PhotoChatSource(SourceRecipe(type="photochat", name="src", path="a.json", downloads="fetched"), tmp_path)
    assert source.inputs() == [path, downloads.place(url)]
    downloads.place(url).write_bytes(b"other")
    _, reading = read("photochat", path, downloads="fetched")
    assert "not the bytes that came from the web" in faults(reading)[0]


def test_a_path_or_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "a.json", [photochat()])
    with pytest.raises(InputError, match="no such file or folder"):
        read("photochat", tmp_path / "none.json")
    with pytest.raises(InputError, match="downloads is 'none', which is no folder; `mldr dataset hydrate` makes it"):
        read("photochat", path, downloads="none")
    with pytest.raises(InputError, match="images is 'none'"):
        read("photochat", path, images="none")
