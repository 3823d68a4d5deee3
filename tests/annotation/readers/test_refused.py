import io
import json
import sqlite3
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from mldr.annotation.readers.opening import open_export
from mldr.annotation.readers.refused import reason
from tests.annotation.readers import exports_tables as story

TURNS = {"conversations": [{"role": "user", "content": "走吗"}, {"role": "assistant", "content": "走"}]}


@pytest.mark.parametrize("value", [[TURNS], TURNS, [{"id": "a", **TURNS}], [{"id": 1, **TURNS}]])
@pytest.mark.parametrize("indent", [None, 2])
def test_training_conversations_are_no_chat(value: object, indent: int | None) -> None:
    assert "training conversations" in reason("\ufeff" + json.dumps(value, indent=indent))


def test_databases_archives_and_pictures_are_told_from_text(tmp_path: Path) -> None:
    database, archive, picture = tmp_path / "a", tmp_path / "b", io.BytesIO()
    with sqlite3.connect(database) as connection:
        connection.execute("create table a (b)")
    connection.close()
    with zipfile.ZipFile(archive, "w") as stream:
        stream.writestr("a", "b")
    Image.new("RGB", (2, 2)).save(picture, "JPEG")
    assert "database" in reason(database.read_bytes())
    assert "unpack" in reason(archive.read_bytes())
    assert "picture" in reason(picture.getvalue())
    assert "finished exports" in reason(b"\xd9\x9c\x11\xff\x00", "9f3c.dat")
    assert "finished exports" in reason(b"\xd9\x9c\x11\xff\x00", "MSG0.db")


def test_no_reason_says_how_to_get_at_what_is_inside() -> None:
    for head in ("SQLite format 3\0", "\x07\x08V1\x08\x07"):
        assert not [word for word in ("decrypt", "key", "password") if word in reason(head)]


@pytest.mark.parametrize("name", story.WRITERS)
def test_no_export_is_refused(name: str, tmp_path: Path) -> None:
    path = story.WRITERS[name](tmp_path)
    assert reason(open_export(path).head, path.name) == reason(path.read_bytes()[:100], path.name) == ""


def test_a_chat_that_speaks_of_conversations_is_not_refused() -> None:
    assert reason('{"messages": [{"content": "conversations"}], "conversations": []}') == ""
    assert reason("") == reason(b"") == ""
