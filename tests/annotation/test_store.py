from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation.store import append_line, logged, open_store
from mldr.errors import InputError, MldrError


def test_a_new_store_is_its_owner_s_alone_and_its_key_is_random(tmp_path: Path) -> None:
    one, two = (open_store(tmp_path / name, create=True) for name in ("one", "two"))
    assert one.key != two.key
    assert open_store(tmp_path / "one") == one
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "one" / "key").stat().st_mode) == 0o600


def test_what_is_derived_tells_nothing_without_the_key_and_differs_by_purpose(tmp_path: Path) -> None:
    one, two = (open_store(tmp_path / name, create=True) for name in ("one", "two"))
    names = [one.chat_key("wechat", "x"), one.cluster_id("wechat", "x"), one.subject_key("wechat", "x")]
    assert len({name[:12] for name in names}) == 3
    assert one.chat_key("wechat", "x") != two.chat_key("wechat", "x")
    assert one.chat_key("wechat", "x") == open_store(tmp_path / "one").chat_key("wechat", "x")
    assert one.derived("p", "a", "bc") != one.derived("p", "ab", "c")
    assert one.dialogue_salt("0" * 16) != one.dialogue_salt("1" * 16)


def test_a_folder_of_something_else_is_never_made_a_store(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(MldrError, match="something else"):
        open_store(tmp_path, create=True)
    with pytest.raises(MldrError, match="no private store"):
        open_store(tmp_path / "absent")


@pytest.mark.parametrize("key", ["", "zz", "00" * 31, "00" * 33])
def test_a_broken_key_is_said_and_never_replaced(tmp_path: Path, key: str) -> None:
    open_store(tmp_path / "s", create=True)
    (tmp_path / "s" / "key").write_text(key, encoding="ascii")
    with pytest.raises(MldrError, match="key"):
        open_store(tmp_path / "s", create=True)
    assert (tmp_path / "s" / "key").read_text(encoding="ascii") == key


def test_a_store_of_a_newer_mldr_is_refused(tmp_path: Path) -> None:
    open_store(tmp_path / "s", create=True)
    (tmp_path / "s" / "store.json").write_text('{"format": "mldr/private-store@2"}', encoding="utf-8")
    with pytest.raises(MldrError, match="newer"):
        open_store(tmp_path / "s")


RECORDS = st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=12) | st.integers(), max_size=3), max_size=6)


@given(RECORDS, st.integers(0, 80))
def test_a_log_cut_anywhere_keeps_what_was_acknowledged_and_goes_on(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, object]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "x.jsonl"
    for record in records:
        append_line(path, record)
    whole = [record for _, record in logged(path)]
    assert whole == records
    if not records:
        return
    content = path.read_bytes()
    torn = content[: max(0, len(content) - cut)]
    path.write_bytes(torn)
    kept = records[: torn.count(b"\n")]
    assert [record for _, record in logged(path)] == kept
    append_line(path, {"next": 1})
    assert [record for _, record in logged(path)] == [*kept, {"next": 1}]


@pytest.mark.parametrize("line", [b"{\n", b"[1]\n", b'{"a": NaN}\n', b"\xff\xfe\n"])
def test_a_broken_line_in_the_middle_is_a_fault_with_its_place(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line + b'{"b": 2}\n')
    with pytest.raises(InputError, match="line 2"):
        list(logged(path))
