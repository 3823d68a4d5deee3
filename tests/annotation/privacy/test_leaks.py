"""A planted secret fails the release, wherever and however it stands; a clean release passes; no fault tells the secret."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mldr.annotation.chat import Chat, Member, Message
from mldr.annotation.chatfile import read_chat, write_chat
from mldr.annotation.privacy.leaks import check_leaks
from mldr.annotation.privacy.secrets import Secrets
from mldr.annotation.records import CutDialogue, write_cut
from mldr.annotation.reviews import SpanReview
from mldr.annotation.store import Store, append_line, open_store
from mldr.dialogue import Dialogue, DialogueImage, Gold, Query, StoredImage, Utterance
from mldr.errors import InputError, MldrError
from mldr.images import normalise
from tests.annotation.privacy.photographs import encoded, scene
from tests.annotation.support_collections import collected, collection_of
from tests.conftest import stored_picture, write_dataset

TEXTS = (
    "我的电话是13812345678，找王建国",
    "mail li.wei@corp.example please",
    "看 https://docs.example.org/d/Ab3xYz?share=1",
    "号码 1234567 记一下",
    "快递 SF1234567890123",
    "2024年花了 10000000元, 20240501 那天, 12345 个",
)
PEOPLE = (
    Member("wxid_zhangwei01", ("张伟", "Zhang Wei"), owner=True),
    Member("123456789", ("王建国", "老王")),
    Member("kevin_lee@example", ("Kevin", "K")),
    Member("m4", ("阳光", "S1")),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A private store of two chats; 李小红 is in the second alone."""
    store = open_store(tmp_path / "private" / "store", create=True)
    messages = tuple(
        Message(f"m{n}", PEOPLE[n % 4].person, datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=n), "text", text)
        for n, text in enumerate(TEXTS)
    )
    first = Chat("7654321@chatroom", "周末徒步小队", "wechat", True, "Asia/Shanghai", PEOPLE, messages)
    other = replace(
        first, chat_id="other", name="x", members=(Member("lxh", ("李小红",)), Member("gf", ("高峰",))), messages=()
    )
    for chat in (first, other):
        folder = store.chats / store.chat_key(chat.platform, chat.chat_id)
        folder.mkdir(parents=True)
        write_chat(folder / "chat.jsonl", chat)
    return store


def released(folder: Path, store: Store, text: str = "明天见", **changes: Any) -> Path:
    """A released set of one dialogue of the first chat."""
    image = stored_picture()
    dialogue = Dialogue(
        dialogue_id="0123456789abcdef",
        language="zh",
        origin="real",
        cluster_id=store.cluster_id("wechat", "7654321@chatroom"),
        utterances=(Utterance("S1", text, time=datetime(2020, 1, 1)), Utterance("S2", "好的", (0,))),
        images=(DialogueImage(image.image_key, changes.pop("caption", "")),),
        meta=changes.pop("meta", ""),
    )
    query = Query("0123456789abcdef-00000001", "0123456789abcdef", "zh", changes.pop("query", "哪天见"))
    rows: Any = {"dialogues": [dialogue], "queries": [query], "gold": [Gold(query.query_id, "f1", "free", (0,))]}
    rows["images"] = [changes.pop("image", image)]
    write_dataset(folder, {"test": rows})
    (folder / "README.md").write_text("# A set\n", encoding="utf-8")
    assert not changes
    return folder


def faults_of(folder: Path, secrets: Secrets, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        check_leaks(folder, secrets, **options)
    return str(caught.value)


def test_a_clean_release_passes_and_what_was_checked_is_told(tmp_path: Path, store: Store) -> None:
    checked = check_leaks(released(tmp_path / "set", store), Secrets.of_store(store))
    assert checked.files == 6
    assert checked.pictures == 1
    assert checked.values > 40
    assert checked.secrets > 15


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("去问张伟", "name"),
        ("去问张 伟", "name"),
        ("@王建国\u2005来", "name"),
        ("ask ZHANG  wei", "name"),
        ("ask ｋｅｖｉｎ", "name"),
        ("周末徒步小队的人", "name"),
        ("加我 wxid_zhangwei01", "id"),
        ("加QQ 123456789", "number"),
        ("打 138 1234 5678", "number"),
        ("打１３８１２３４５６７８", "number"),
        ("打+8613812345678吧", "number"),
        ("打 138.1234.5678", "number"),
        ("打 138-12-34-56-78", "number"),
        ("打一三八一二三四五六七八", "number"),
        ("打幺三八幺二三四五六七八", "number"),
        ("打9913812345678吧", ""),
        ("单号SF1234567890123", "number"),
        ("记 1234567", "number"),
        ("群号 7654321", "number"),
        ("写 LI.WEI@corp.example", "email"),
        ("看docs.example.org/d/ab3xyz?share=1", "url"),
    ],
)
def test_a_private_string_in_a_message_fails_the_release(tmp_path: Path, store: Store, text: str, kind: str) -> None:
    folder = released(tmp_path / "set", store, text)
    if not kind:  # another number, which has the private one inside: only the detectors can tell
        check_leaks(folder, Secrets.of_store(store))
        return
    told = faults_of(folder, Secrets.of_store(store))
    assert f"a private {kind}" in told
    assert "dialogues/test-00000-of-00001.parquet, 0123456789abcdef, text" in told


@pytest.mark.parametrize("field", ["query", "caption", "meta"])
def test_queries_captions_and_meta_are_read_too_escapes_undone(tmp_path: Path, store: Store, field: str) -> None:
    text = json.dumps({"note": "张伟"}) if field == "meta" else "张伟"
    assert "a private name" in faults_of(released(tmp_path / "set", store, **{field: text}), Secrets.of_store(store))


def plant_readme(folder: Path) -> None:
    (folder / "README.md").write_text("# Chats\n\nBy Zhang\nWei and others\n", encoding="utf-8")


def plant_manifest(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["recipe"] = {"chats": ["wxid_zhangwei01"]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def plant_escaped(folder: Path) -> None:
    (folder / "more.json").write_text('{"\\u5f20\\u4f1f": 1}', encoding="ascii")


def plant_number(folder: Path) -> None:
    (folder / "more.jsonl").write_text('{"a": 1}\n{"phone": 13812345678}\n', encoding="ascii")


def plant_name_of_file(folder: Path) -> None:
    (folder / "notes-张伟.txt").write_text("nothing", encoding="utf-8")


def plant_hidden_file(folder: Path) -> None:
    (folder / ".cache").mkdir()
    (folder / ".cache" / "log").write_text("13812345678", encoding="utf-8")


def plant_schema_metadata(folder: Path) -> None:
    path = next(folder.glob("queries/*.parquet"))
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"by": "张伟"}), path)


def plant_column_metadata(folder: Path) -> None:
    path = next(folder.glob("queries/*.parquet"))
    table = pq.read_table(path)
    schema = pa.schema(
        [field.with_metadata({"by": "张伟"}) if not i else field for i, field in enumerate(table.schema)]
    )
    pq.write_table(table.cast(schema), path)


def plant_column(folder: Path) -> None:
    path = next(folder.glob("queries/*.parquet"))
    table = pq.read_table(path)
    pq.write_table(table.append_column("phone", pa.array([13812345678])), path)


def plant_column_name(folder: Path) -> None:
    path = next(folder.glob("queries/*.parquet"))
    table = pq.read_table(path)
    pq.write_table(table.append_column("张伟", pa.array([1])), path)


def plant_home(folder: Path) -> None:
    (folder / "README.md").write_text(f"built in {folder.parent}/private/store\n", encoding="utf-8")


PLANTS: list[Callable[[Path], None]] = [
    plant_readme,
    plant_manifest,
    plant_escaped,
    plant_number,
    plant_name_of_file,
    plant_hidden_file,
    plant_schema_metadata,
    plant_column_metadata,
    plant_column,
    plant_column_name,
    plant_home,
]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_secret_anywhere_else_fails_the_release_too_and_is_not_told(
    tmp_path: Path, store: Store, plant: Callable[[Path], None]
) -> None:
    folder = released(tmp_path / "set", store)
    plant(folder)
    told = faults_of(folder, Secrets.of_store(store))
    assert "shows a private" in told
    for secret in ("张伟", "Zhang", "zhangwei01", "13812345678", "private/store"):
        assert secret not in told


@pytest.mark.parametrize("options", [{"comment": b"x"}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}])
def test_a_picture_with_metadata_fails_the_release(tmp_path: Path, store: Store, options: dict[str, Any]) -> None:
    content = encoded(scene("coffee", (64, 48)), **options)
    key = normalise(content).image_key
    image = StoredImage(key, "present", content, 64, 48, "image/jpeg")
    told = faults_of(released(tmp_path / "set", store, image=image), Secrets.of_store(store))
    assert f"images/test-00000-of-00001.parquet, {key}" in told
    assert "beside its pixels" in told


def test_what_cannot_be_checked_is_no_release(tmp_path: Path, store: Store) -> None:
    folder = released(tmp_path / "set", store)
    (folder / "a.bin").write_bytes(b"\xff\xfe\x00")
    (folder / "b.json").write_text("{", encoding="utf-8")
    (folder / "c.parquet").write_bytes(b"PAR1")
    (folder / "d").symlink_to(folder / "README.md")
    told = faults_of(folder, Secrets.none())
    assert told.startswith("4 faults:")
    for name in ("a.bin", "b.json", "c.parquet", "d: is a link"):
        assert name in told


def test_an_empty_folder_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="no file"):
        check_leaks(tmp_path, Secrets.none())


def test_keys_of_people_and_chats_may_stand_in_a_collection_and_never_in_a_release(
    tmp_path: Path, store: Store
) -> None:
    key = store.subject_key("wechat", "wxid_zhangwei01")
    folder = released(tmp_path / "set", store, f"key {key}")
    assert "a private key" in faults_of(folder, Secrets.of_store(store))
    check_leaks(folder, Secrets.of_store(store).of_bundle())


def test_a_collection_is_checked_before_it_is_sealed(tmp_path: Path, store: Store) -> None:
    secrets = Secrets.of_store(store).of_bundle()
    whole = collected("12", images=(1,))
    collection = collection_of(tmp_path / "c", whole)
    assert check_leaks(collection.folder, secrets).pictures == 1
    utterances = (replace(whole.dialogue.utterances[0], text="王建国说"), whole.dialogue.utterances[1])
    collection_of(tmp_path / "c", replace(whole, dialogue=replace(whole.dialogue, utterances=utterances)))
    assert "dialogues/0000000000000001.json, text" in faults_of(collection.folder, secrets)


def test_a_name_of_another_chat_is_a_leak_unless_it_is_a_surrogate_of_the_dialogue(
    tmp_path: Path, store: Store
) -> None:
    folder = released(tmp_path / "set", store, "李小红也来")
    secrets = Secrets.of_store(store)
    assert "a private name" in faults_of(folder, secrets)
    assert check_leaks(folder, secrets, surrogates={"0123456789abcdef": ["李小红"]}).explained == 1
    assert "a private name" in faults_of(folder, secrets, surrogates={"fedcba9876543210": ["李小红"]})


def test_a_name_of_the_same_chat_is_a_leak_whatever_stands_for_whom(tmp_path: Path, store: Store) -> None:
    folder = released(tmp_path / "set", store, "张伟也来")
    told = faults_of(folder, Secrets.of_store(store), surrogates={"0123456789abcdef": ["张伟"]})
    assert "a private name" in told


def test_a_name_that_is_a_word_is_told_and_no_leak_in_a_chat_of_other_people(tmp_path: Path, store: Store) -> None:
    secrets = Secrets.of_store(store)
    folder = released(tmp_path / "set", store, "早高峰堵车")
    assert check_leaks(folder, secrets).by_chance == 1
    (folder / "README.md").write_text("感谢高峰", encoding="utf-8")
    assert "README.md, line 1: shows a private name" in faults_of(folder, secrets)


def test_what_is_not_searched_for_is_told(tmp_path: Path, store: Store) -> None:
    checked = check_leaks(released(tmp_path / "set", store, "阳光真好 K 12345 个 10000000元"), Secrets.of_store(store))
    assert checked.skipped == {
        "ids of fewer than five characters": 3,
        "names of one character, or of none that is a letter": 2,
        "names that are common words": 1,
        "names that look like a released label (S1, A1)": 1,
        "runs of digits in messages that are short, round, a date or a count": 3,
    }


def test_short_numbers_count_where_a_detector_calls_them_private(tmp_path: Path, store: Store) -> None:
    folder = released(tmp_path / "set", store, "密码 12345")
    check_leaks(folder, Secrets.of_store(store))

    def private(text: str, chat: Chat) -> Iterable[str]:
        return ["12345"] if "12345" in text and chat.platform == "wechat" else []

    assert "a private number" in faults_of(folder, Secrets.of_store(store, private=private))


def test_more_forms_of_a_name_are_searched_for_where_they_are_given(tmp_path: Path, store: Store) -> None:
    folder = released(tmp_path / "set", store, "建国来了")
    check_leaks(folder, Secrets.of_store(store))
    secrets = Secrets.of_store(store, names=lambda member: [name[1:] for name in member.names if len(name) == 3])
    assert "a private name" in faults_of(folder, secrets)


def test_what_a_person_decided_to_keep_is_no_leak(tmp_path: Path, store: Store) -> None:
    dialogue = Dialogue("00000000000000aa", "zh", "real", "c", (Utterance("wxid_zhangwei01", "客服电话是13812345678"),))
    write_cut(store.dialogues, CutDialogue(dialogue, "0" * 16, "wechat", (("m0",),), PEOPLE))
    review = SpanReview(utterance_id=0, start=5, end=16, kind="mobile", choice="keep")
    append_line(store.reviews / "00000000000000aa.jsonl", review.model_dump(mode="json"))
    secrets = Secrets.of_store(store)
    assert secrets.skipped["things that a person decided to keep"] == 1
    check_leaks(released(tmp_path / "set", store, "打13812345678"), secrets)


def test_detectors_are_asked_about_what_people_wrote_alone(tmp_path: Path, store: Store) -> None:
    asked = []

    def patterns(text: str, language: str) -> list[str]:
        asked.append((text, language))
        return ["mobile"] if "139" in text else []

    folder = released(tmp_path / "set", store, "打13900001111")
    told = faults_of(folder, Secrets.none(), patterns=patterns)
    assert "what looks like a private mobile" in told
    assert "13900001111" not in told
    assert sorted(asked) == [("哪天见", "zh"), ("好的", "zh"), ("打13900001111", "zh")]


def test_the_id_that_a_server_gave_a_message_is_a_leak_and_a_row_s_number_is_none(tmp_path: Path, store: Store) -> None:
    long, short = "6116895530414915131", "10234"
    for path in sorted(store.chats.glob("*/chat.jsonl")):
        chat = read_chat(path)
        if chat.messages:
            first, second, *rest = chat.messages
            messages = (replace(first, message_id=long), replace(second, message_id=short), *rest)
            write_chat(path, replace(chat, messages=messages))
    told = faults_of(released(tmp_path / "set", store, f"看 {long}"), Secrets.of_store(store))
    assert "a private number" in told
    check_leaks(released(tmp_path / "other", store, f"看 {short}"), Secrets.of_store(store))


@pytest.mark.parametrize(
    "text", ["版本 1.23.4.567", "2024-05-06 12.30 见", "三五个人，一二三四五六七", "比分 12-34-56"]
)
def test_dates_versions_and_counts_are_no_leak(tmp_path: Path, store: Store, text: str) -> None:
    check_leaks(released(tmp_path / "set", store, text), Secrets.of_store(store))


def test_numbers_of_a_hash_or_a_count_are_no_leak(tmp_path: Path, store: Store) -> None:
    folder = released(tmp_path / "set", store)
    (folder / "more.json").write_text(json.dumps({"sha256": "ab13812345678cd", "rows": 12345}), encoding="utf-8")
    check_leaks(folder, Secrets.of_store(store))


def test_names_of_annotators_can_be_added(tmp_path: Path, store: Store) -> None:
    folder = released(tmp_path / "set", store)
    (folder / "README.md").write_text("labelled by annabel", encoding="utf-8")
    assert "a private name" in faults_of(folder, Secrets.none().plus_names(["Annabel"]))


def test_a_machine_without_a_store_knows_its_own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setattr(getpass, "getuser", lambda: "somebody")
    (tmp_path / "README.md").write_text("made in /home/somebody/sets", encoding="utf-8")
    told = faults_of(tmp_path, Secrets.none())
    assert "a private path (/..., 14 characters)" in told


def test_a_chat_that_cannot_be_read_is_an_error_not_a_gap(store: Store) -> None:
    (next(store.chats.iterdir()) / "chat.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(InputError):
        Secrets.of_store(store)
