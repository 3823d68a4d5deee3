"""The store keeps what it was given, one writer at a time, and takes no other file for one of its own."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.chat.store import APPLICATION_ID, STORE_VERSION, ResponseStore, StoredResponse, response_key
from mldr.errors import InterruptedRun, MldrError

ONE = StoredResponse(
    key="k",
    step="tag",
    provider="fake",
    model="m",
    sample=0,
    tokens_in=3,
    tokens_out=4,
    finish_reason="stop",
    failure="",
    text='{"tag": "食物"}',
    request='{"model": "m"}',
)


def numbered(number: int) -> StoredResponse:
    """Return a response of its own key."""
    return replace(ONE, key=f"{number:04}", text=str(number))


def test_what_was_put_is_got_again_and_the_last_one_counts(tmp_path: Path) -> None:
    with ResponseStore(tmp_path / "s.sqlite") as store:
        assert store.get("k") is None
        store.put(ONE)
        store.put(replace(ONE, text="later", failure="refused"))
    with ResponseStore(tmp_path / "s.sqlite") as store:
        assert store.get("k") == replace(ONE, text="later", failure="refused", request="")
        assert list(store) == [replace(ONE, text="later", failure="refused")]
        assert len(store) == 1


def test_a_closed_store_is_one_file_that_may_be_sent_anywhere(tmp_path: Path) -> None:
    with ResponseStore(tmp_path / "s.sqlite") as store:
        store.put(ONE)
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")) == ["s.sqlite"]


def test_closing_beside_a_reader_and_closing_twice_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    store = ResponseStore(path)
    store.put(ONE)
    with ResponseStore(path, readonly=True) as reader:
        store.close()
        store.close()
        assert reader.get("k") is not None
    with ResponseStore(path) as again:
        assert again.get("k") is not None


def test_iteration_goes_by_key_whatever_the_order_of_arrival(tmp_path: Path) -> None:
    with ResponseStore(tmp_path / "s.sqlite") as store:
        for number in (5, 1, 3):
            store.put(numbered(number))
        assert [response.text for response in store] == ["1", "3", "5"]


bodies = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5) | st.none(), max_size=4)


@given(bodies, bodies, st.integers(0, 5), st.integers(0, 5))
def test_keys_are_equal_only_for_equal_requests(one: dict[str, object], two: dict[str, object], m: int, n: int) -> None:
    assert response_key(one, "p", m) == response_key(dict(reversed(one.items())), "p", m)
    assert (response_key(one, "p", m) == response_key(two, "p", n)) == ((one, m) == (two, n))
    assert response_key(one, "p", m) != response_key(one, "q", m)


def test_a_second_writer_gets_one_line_and_readers_read_on(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    code = "import sys, pathlib; from mldr.chat import ResponseStore; ResponseStore(pathlib.Path(sys.argv[1]))"
    with ResponseStore(path) as store:
        store.put(ONE)
        other = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
        assert "another run writes to this store; wait for it" in other.stderr
        with pytest.raises(MldrError, match="another run writes") as error:
            ResponseStore(path)
        assert "\n" not in str(error.value)
        with ResponseStore(path, readonly=True) as first, ResponseStore(path, readonly=True) as second:
            assert first.get("k") is not None
            store.put(numbered(2))
            assert second.get("0002") is not None
            with pytest.raises(MldrError, match="reading only"):
                first.put(ONE)
    ResponseStore(path).close()


def test_a_store_that_cannot_be_opened_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with ResponseStore(path) as store:
        store.put(ONE)
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE more (x)")
    for _ in range(2):
        with pytest.raises(MldrError, match="its tables are not those"):
            ResponseStore(path)


def test_a_foreign_file_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    text, foreign, short = tmp_path / "notes.txt", tmp_path / "other.sqlite", tmp_path / "short"
    text.write_text("dear diary" * 50)
    short.write_bytes(b"SQLite format 3\0")
    with sqlite3.connect(foreign) as other:
        other.execute("CREATE TABLE responses (key TEXT)")
    other.close()
    for path in (text, foreign, short, tmp_path):
        before = path.read_bytes() if path.is_file() else b""
        with pytest.raises(MldrError, match=r"not a|no response store") as error:
            ResponseStore(path)
        assert "\n" not in str(error.value)
        assert str(path) in str(error.value)
        assert not path.is_file() or path.read_bytes() == before


@pytest.mark.parametrize("extra", ["VIEW v AS SELECT 1", "TRIGGER t AFTER INSERT ON responses BEGIN SELECT 1; END"])
def test_a_store_with_a_view_or_a_trigger_is_refused(tmp_path: Path, extra: str) -> None:
    path = tmp_path / "s.sqlite"
    ResponseStore(path).close()
    with sqlite3.connect(path) as other:
        other.execute(f"CREATE {extra}")
    other.close()
    with pytest.raises(MldrError, match="its tables are not those"):
        ResponseStore(path)


def test_a_newer_store_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    ResponseStore(path).close()
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version = {STORE_VERSION + 1}")
    other.close()
    for readonly in (False, True):
        with pytest.raises(MldrError, match="newer than this mldr reads") as error:
            ResponseStore(path, readonly=readonly)
        assert "\n" not in str(error.value)


def test_a_damaged_store_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with ResponseStore(path) as store:
        for number in range(400):
            store.put(replace(numbered(number), text="x" * 500))
    content = bytearray(path.read_bytes())
    content[4096 : len(content)] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(MldrError, match=r"s\.sqlite: damaged"), ResponseStore(path) as store:
        store.get("0001")
    path.write_bytes(content[:2048])
    with pytest.raises(MldrError, match=r"s\.sqlite: "), ResponseStore(path) as store:
        store.get("0001")


@pytest.mark.parametrize("change", ["text = x'ff00'", "tokens_in = 'many'", "text = CAST(x'ff' AS TEXT)"])
def test_a_row_of_other_types_is_damage_and_no_traceback(tmp_path: Path, change: str) -> None:
    path = tmp_path / "s.sqlite"
    with ResponseStore(path) as store:
        store.put(ONE)
    with sqlite3.connect(path) as other:
        other.execute(f"UPDATE responses SET {change}")
    other.close()
    with ResponseStore(path) as store, pytest.raises(MldrError, match="damaged") as error:
        store.get("k")
    assert not isinstance(error.value, InterruptedRun)


def test_only_an_existing_store_can_be_opened_for_reading(tmp_path: Path) -> None:
    with pytest.raises(MldrError, match="no such response store"):
        ResponseStore(tmp_path / "none.sqlite", readonly=True)
    (tmp_path / "empty").touch()
    with pytest.raises(MldrError, match="not an SQLite file"):
        ResponseStore(tmp_path / "empty", readonly=True)


def test_a_full_disk_stops_the_run_so_that_it_can_go_on(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with ResponseStore(path) as store:
        store.put(ONE)
        store._connection.execute("PRAGMA max_page_count = 4")  # SQLite then fails as on a full disk
        with pytest.raises(InterruptedRun, match="full; mend that and run again") as error:
            store.put(replace(numbered(1), text="x" * 100_000))
        assert error.value.exit_code == 3
        assert store.get("k") is not None
    with ResponseStore(path) as store:
        store.put(replace(numbered(1), text="x" * 100_000))
        assert len(store) == 2


def test_the_file_says_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    ResponseStore(path).close()
    head = path.read_bytes()[:100]
    assert int.from_bytes(head[68:72], "big") == APPLICATION_ID
    assert int.from_bytes(head[60:64], "big") == STORE_VERSION
