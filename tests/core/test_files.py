from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.errors import MldrError
from mldr.files import (
    canonical_json,
    inside,
    parse_json,
    read_lines,
    sha256_file,
    sha256_text,
    write_json,
    write_text,
    written_whole,
)
from tests.core.support import plain_text

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | plain_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_canonical_json_reads_back_as_what_was_written(value: Any) -> None:
    assert parse_json(canonical_json(value)) == value


def test_canonical_json_depends_on_the_content_and_not_on_the_order_of_keys() -> None:
    assert (
        canonical_json({"b": [1, 2], "a": "你"}) == '{"a":"你","b":[1,2]}' == canonical_json({"a": "你", "b": [1, 2]})
    )


def test_canonical_json_refuses_what_json_cannot_say() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


@given(st.binary(max_size=60))
def test_arbitrary_bytes_are_json_or_a_value_error(content: bytes) -> None:
    try:
        value = parse_json(content)
    except ValueError:
        return
    assert value == parse_json(content.decode("utf-8"))


@given(st.lists(st.sampled_from([*'{}[]":,\\u0 \n-1.eE+tfn', "true", "null", "NaN", "\ud800", "é"])).map("".join))
def test_text_made_of_json_pieces_is_json_or_a_value_error(text: str) -> None:
    try:
        parse_json(text)
    except ValueError:
        return
    json.loads(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\xff", r"not UTF-8 text \(byte 0\)"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b'[{"a": {"b": 1, "b": 1}}]', "the key 'b' stands twice"),
        (b"NaN", "NaN is not a JSON value"),
        (b"[-Infinity]", "-Infinity is not a JSON value"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5_000, "digit"),
        (b"1 2", "not JSON"),
        (b"", "not JSON"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_json_is_read_strictly_and_says_why_not(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


def test_hashes_are_those_of_hashlib(tmp_path: Path) -> None:
    content = "多模态".encode() * 100_000
    (tmp_path / "a").write_bytes(content)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(content).hexdigest()
    assert sha256_text("多模态") == hashlib.sha256("多模态".encode()).hexdigest()


def test_a_file_appears_whole_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.json"
    write_json(path, {"b": 1, "a": "你\u2028"})
    assert path.read_bytes() == '{\n  "a": "你\u2028",\n  "b": 1\n}\n'.encode()
    assert [entry.name for entry in path.parent.iterdir()] == ["a.json"]


def test_line_breaks_are_written_as_they_are(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "one\ntwo\r\n")
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\r\n"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_write_leaves_nothing_and_keeps_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a"

    def fail_half_way() -> None:
        with written_whole(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail_half_way()
    assert list(tmp_path.iterdir()) == []
    path.write_text("before")
    with pytest.raises(error):
        fail_half_way()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    assert path.read_text() == "before"


def test_what_an_earlier_run_left_half_is_swept_away(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), written_whole(tmp_path / "a") as temporary:
        raise ValueError("stop")
    temporary.write_text("half, from a run that was killed")
    write_text(tmp_path / "a", "whole")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "whole"


def test_a_name_inside_its_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert inside(tmp_path, "a/b.txt") == tmp_path.resolve() / "a" / "b.txt"
    assert inside(tmp_path, "link/b.txt") == tmp_path.resolve() / "real" / "b.txt"
    assert inside(tmp_path, "a/../b") == tmp_path.resolve() / "b"


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "..", "../a", "a/../../b", "a\0b", "a\\b", "..\\a", "C:/a", "c:a", "out/a", "out", "dangling/a"],
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path)
    (folder / "dangling").symlink_to(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"relative path|leads out"):
        inside(folder, name)


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ValueError, match=r"."):
        inside(tmp_path, "loop")


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"."):
        inside(tmp_path, "\ud800")


@given(st.lists(st.sampled_from(["a", "b", "..", ".", ""]), max_size=8))
def test_whatever_inside_returns_is_inside(parts: list[str]) -> None:
    folder = Path("/tmp/no-such-folder-of-mldr")
    depth = lowest = 0
    for part in parts:
        depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
        lowest = min(lowest, depth)
    name = "/".join(parts)
    try:
        path = inside(folder, name)
    except ValueError:
        assert lowest < 0 or name.startswith("/")
    else:
        assert path.is_relative_to(folder.resolve())


def test_lines_come_with_their_numbers_and_blank_ones_do_not(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfone\r\n\n  \nfour\x0bfour\xe2\x80\xa8\nfive")
    assert list(read_lines(tmp_path / "a")) == [(1, b"one"), (4, b"four\x0bfour\xe2\x80\xa8"), (5, b"five")]


def test_a_line_without_end_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"short\n" + b"x" * 200)
    lines = read_lines(tmp_path / "a", limit=100)
    assert next(lines) == (1, b"short")
    with pytest.raises(MldrError, match=r"line 2: longer than 100 bytes"):
        next(lines)


def test_a_line_of_just_the_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    assert list(read_lines(tmp_path / "a", limit=100)) == [(1, b"x" * 100)]
