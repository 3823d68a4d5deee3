"""The walk's addresses over real HTTP: from an export to a bundle, and every request that may not be carried out."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mldr.annotation.bundle import receive
from mldr.annotation.collection import open_collection
from mldr.annotation.example import write_example
from mldr.annotation.serving.donation import donation_app
from mldr.annotation.store import Store, open_store
from mldr.web import Running, running
from tests.annotation.readers.exports_tables import WRITERS
from tests.annotation.support_donations import PEOPLE, TODAY, agrees, cut_store, only, read_to_the_end


@dataclass
class Client:
    """Asks as the page does."""

    here: Running
    complaints: list[str]

    def ask(self, method: str, address: str, body: Any = None) -> tuple[int, Any]:
        """Return the status and the JSON value of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.here.port, timeout=60)
        headers = {"X-Token": self.here.token, "Content-Type": "application/json"}
        connection.request(method, address, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(content) if is_json else content

    def get(self, address: str) -> Any:
        """Return an answer that must be one."""
        status, value = self.ask("GET", address)
        assert status == 200, value
        return value

    def post(self, address: str, body: Any) -> Any:
        """Return an answer that must be one."""
        status, value = self.ask("POST", address, body)
        assert status == 200, value
        return value

    def refused(self, address: str, body: Any, status: int = 400) -> str:
        """Return the faults of a request that must not be carried out."""
        answered, value = self.ask("POST", address, body)
        assert answered == status, value
        return "\n".join(f"{one['place']}: {one['message']}" for one in value["faults"])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    monkeypatch.setenv("HOME", str(made))
    return made


def served(store: Store, out: Path, **more: Any) -> Iterator[Client]:
    complaints: list[str] = []
    with running(donation_app(store, out, today=lambda: TODAY, **more), note=complaints.append) as here:
        yield Client(here, complaints)
    assert complaints == []


@pytest.fixture
def fresh(tmp_path: Path, home: Path) -> Iterator[Client]:
    """An empty store."""
    yield from served(open_store(tmp_path / "store", create=True), tmp_path / "gift.zip")


@pytest.fixture
def read(tmp_path: Path, home: Path) -> Iterator[Client]:
    """A store that is cut and read."""
    store = cut_store(tmp_path / "store")
    read_to_the_end(store)
    yield from served(store, tmp_path / "gift.zip")


def test_the_example_goes_from_its_export_to_a_bundle(fresh: Client, home: Path, tmp_path: Path) -> None:
    export = write_example(home / "export")
    assert fresh.get("/api/donation")["stage"] == "export"
    told = fresh.post("/api/donation/import", {"path": str(export)})
    assert (told["stage"], told["chats"][0]["rows"], told["exports"]) == ("people", 86, [str(export)])
    told = fresh.post("/api/donation/cut", {})
    assert (told["stage"], told["cut"]["dialogues"]) == ("read", 1)
    (dialogue,) = fresh.get("/api/pass/dialogues")
    at = f"/api/pass/dialogues/{dialogue['dialogue_id']}"
    reading = fresh.get(at)
    for one in reading["findings"]:
        if one["doubtful"]:
            place = {name: one[name] for name in ("utterance_id", "start", "end", "kind")}
            fresh.post(f"{at}/reviews", {"event": "span", "choice": "mask", **place})
    for number in range(dialogue["n_images"]):
        fresh.post(f"{at}/reviews", {"event": "image", "image_id": number, "choice": "yes"})
    assert fresh.get(f"{at}/images/0").startswith(b"\x89PNG")
    assert fresh.post(f"{at}/reviews", {"event": "whole", "read": True})["images"][0]["covered"] == {
        "faces": 0,
        "codes": 0,
    }
    speakers = fresh.get("/api/donation")["speakers"]
    assert [one["owner"] for one in speakers] == [True, False, False]
    for one in speakers:
        fresh.post("/api/donation/consent", {**SAID, "subject": one["subject"]})
    told = fresh.post("/api/donation/seal", {})
    assert (told["stage"], told["sealed"]["messages"], told["sealed"]["pictures"]) == ("sealed", 77, 7)
    assert receive(tmp_path / "gift.zip", open_collection(tmp_path / "c", create=True)).seal == told["sealed"]["seal"]


SAID = {
    "scopes": ["research", "images"],
    "adult": True,
    "date": "2026-05-01",
    "method": "signed",
    "notice_version": "1",
}


# --- importing


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"path": "/no/such/thing"}, "no such file"),
        ({"path": ""}, "path"),
        ({"path": "x", "where": 1}, "where"),
        ({}, "path"),
        ([], "import"),
        ({"path": "x", "date_order": "backwards"}, "date_order"),
    ],
)
def test_an_export_that_cannot_be_read_is_explained(fresh: Client, body: Any, told: str) -> None:
    assert told in fresh.refused("/api/donation/import", body)
    assert fresh.get("/api/donation")["stage"] == "export"


def test_a_chat_is_not_read_twice_without_a_word(fresh: Client, home: Path) -> None:
    export = write_example(home / "export")
    fresh.post("/api/donation/import", {"path": f'  "{export}" '})
    assert "in the store already" in fresh.refused("/api/donation/import", {"path": str(export)})
    told = fresh.post(
        "/api/donation/import",
        {"path": str(export), "again": True, "zone": "Asia/Tokyo", "owner_id": "wxid_xu4m9d0s2c6ab5"},
    )
    (chat,) = told["chats"]
    assert (chat["zone"], chat["clock"]) == ("Asia/Tokyo", "2025-05-15 20:04")
    assert [one["names"][0] for one in chat["people"] if one["owner"]] == ["徐子航"]
    assert told["exports"] == [str(export)]


def test_the_browsers_zone_is_taken_where_the_file_has_none(fresh: Client, home: Path) -> None:
    path = WRITERS["dated-text"](home)
    assert "without a zone" in fresh.refused("/api/donation/import", {"path": str(path)})
    told = fresh.post("/api/donation/import", {"path": str(path), "own_zone": "Asia/Shanghai"})
    assert {chat["zone"] for chat in told["chats"]} == {"Asia/Shanghai"}


def test_the_store_itself_is_no_export(fresh: Client, tmp_path: Path) -> None:
    assert "private store" in fresh.refused("/api/donation/import", {"path": str(tmp_path / "store")})


@pytest.mark.parametrize("body", [{"min_utterances": 0}, {"min_images": -1}, {"pause_h": "soon"}, {"pause_h": -1}, 7])
def test_a_cut_that_makes_no_sense_is_refused(read: Client, body: Any) -> None:
    assert read.refused("/api/donation/cut", body)


def test_a_cut_that_would_lose_what_was_read_needs_a_word(read: Client) -> None:
    many = {"min_utterances": 500, "min_images": 0}
    assert "somebody reviewed it" in read.refused("/api/donation/cut", many)
    assert read.post("/api/donation/cut", {**many, "again": True})["stage"] == "people"


# --- the folder browser


def test_folders_under_home_are_shown_without_hidden_ones_and_links_out(
    read: Client, home: Path, tmp_path: Path
) -> None:
    (home / "Chats" / "inner").mkdir(parents=True)
    (home / "Chats" / "chat.jsonl").write_text("{}")
    (home / ".ssh").mkdir()
    (tmp_path / "secret").mkdir()
    (home / "out").symlink_to(tmp_path / "secret")
    (home / "loop").symlink_to("loop")
    told = read.get("/api/folder")
    assert (told["folders"], told["files"], told["above"]) == (["Chats"], [], "")
    told = read.get(f"/api/folder?path={quote(str(home / 'Chats'))}")
    assert (told["folders"], told["files"], told["above"]) == (["inner"], ["chat.jsonl"], str(home))


@pytest.mark.parametrize(
    "path", ["/", "/etc", "{home}/..", "{home}/out", "{home}/nowhere", "~root", "a\x00b", "{home}/file"]
)
def test_no_other_folder_is_shown(read: Client, home: Path, tmp_path: Path, path: str) -> None:
    (home / "file").write_text("")
    (home / "out").symlink_to(tmp_path)
    status, _ = read.ask("GET", f"/api/folder?path={quote(path.format(home=home))}")
    assert status in (403, 404)


def test_a_long_folder_is_shown_in_part(read: Client, home: Path) -> None:
    for number in range(510):
        (home / f"{number:03}.txt").touch()
    told = read.get("/api/folder")
    assert (len(told["files"]), told["more"]) == (500, 10)


# --- consents


def subject(store_folder: Path, number: int) -> str:
    return open_store(store_folder).subject_key("wechat", PEOPLE[number])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["research", "research"]}, "none twice"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"adult": "maybe"}, "adult"),
        ({"adult": None}, "adult"),
        ({"date": "2026-06-02"}, "in the future"),
        ({"date": "yesterday"}, "date"),
        ({"method": "telepathy"}, "method"),
        ({"method": "donor_page"}, "only you yourself"),
        ({"notice_version": ""}, "notice_version"),
        ({"expires": "2026-04-01"}, "before it was given"),
        ({"subject": "me"}, "subject"),
        ({"name": "Li"}, "name"),
    ],
)
def test_a_consent_that_cannot_be_is_refused(read: Client, tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    assert told in read.refused("/api/donation/consent", {**SAID, "subject": subject(tmp_path / "store", 1), **changes})
    assert not (tmp_path / "store" / "consent.jsonl").exists()


def test_nobody_else_is_given_a_consent(read: Client) -> None:
    assert "nobody of this key" in read.refused("/api/donation/consent", {**SAID, "subject": "0" * 32}, 404)
    assert "nobody of this key" in read.refused("/api/donation/end", {"subject": "0" * 32}, 404)


def test_the_giver_agrees_on_the_page_and_takes_it_back(read: Client, tmp_path: Path) -> None:
    own = subject(tmp_path / "store", 0)
    assert "not agreed to anything" in read.refused("/api/donation/end", {"subject": own}, 404)
    told = read.post("/api/donation/consent", {**SAID, "subject": own, "method": "donor_page"})
    assert told["speakers"][0]["why_not"] == ""
    assert (tmp_path / "store" / "consent.jsonl").stat().st_mode & 0o077 == 0
    assert read.post("/api/donation/end", {"subject": own})["speakers"][0]["why_not"] == "consent withdrawn"
    assert "withdrawn on" in read.refused("/api/donation/consent", {**SAID, "subject": own})
    again = {**SAID, "subject": own, "date": TODAY.isoformat()}
    assert read.post("/api/donation/consent", again)["speakers"][0]["why_not"] == ""


# --- sealing


def test_without_consent_nothing_is_sealed_and_the_reason_is_told(read: Client, tmp_path: Path) -> None:
    assert "nothing is left to give" in read.refused("/api/donation/seal", {})
    assert read.refused("/api/donation/seal", {"mode": "keep_everything"})
    assert not (tmp_path / "gift.zip").exists()


def test_a_reload_finds_what_was_sealed(tmp_path: Path, home: Path) -> None:
    store = cut_store(tmp_path / "store")
    read_to_the_end(store)
    agrees(store, *PEOPLE[:2])
    for client in served(store, tmp_path / "gift.zip"):
        assert client.get("/api/donation")["stage"] == "consent"
        seal = client.post("/api/donation/seal", {})["sealed"]["seal"]
    for client in served(open_store(tmp_path / "store"), tmp_path / "gift.zip"):
        told = client.get("/api/donation")
        assert (told["stage"], told["sealed"]["seal"]) == ("sealed", seal)
        assert client.post("/api/donation/seal", {"mode": "drop_speaker"})["sealed"]["seal"] == seal


def test_read_is_refused_while_something_is_undecided(tmp_path: Path, home: Path) -> None:
    store = open_store(tmp_path / "store", create=True)
    for client in served(store, tmp_path / "gift.zip"):
        client.post("/api/donation/import", {"path": str(write_example(home / "export"))})
        client.post("/api/donation/cut", {})
        at = f"/api/pass/dialogues/{only(store)}"
        assert "undecided" in client.refused(f"{at}/reviews", {"event": "whole", "read": True}, 409)
        assert client.ask("GET", f"{at}/images/7")[0] == 404
        assert client.ask("GET", f"{at}/images/..%2f..%2fkey")[0] == 404


def test_the_page_is_told_what_is_proposed_and_nothing_outside_is_asked_for(tmp_path: Path, home: Path) -> None:
    store = open_store(tmp_path / "store", create=True)
    for client in served(store, tmp_path / "gift.zip", export=Path("~/export"), language="zh"):
        assert client.get("/api/donation")["proposed"] == str(home / "export")
        assert client.get("/api/session")["language"] == "zh"
        assert {one["name"] for one in client.get("/api/formats")} > {"neutral-jsonl"}
        for name in ("", "donate.js", "donate_export.js", "donate_consent.js", "donate.css"):
            assert b"http" not in client.get(f"/{name}")


def test_every_word_of_the_walk_is_there_in_both_languages(fresh: Client) -> None:
    words = fresh.get("/donate_words.json")
    assert list(words["en"]) == list(words["zh"])
    assert all(text.strip() for table in words.values() for text in table.values())
