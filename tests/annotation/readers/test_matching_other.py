"""Which heads the readers of the other formats know, and which they leave to others; and what hostile files do to them."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldr.annotation import readers
from mldr.annotation.readers.contract import HEAD_BYTES, Reader, Tally
from mldr.annotation.readers.opening import open_export
from mldr.errors import MldrError
from tests.annotation.readers import exports_other as other
from tests.annotation.readers import exports_wechat as wechat
from tests.annotation.readers.support_json import read_file

MODULES = [importlib.import_module(f"{readers.__name__}.{one.name}") for one in pkgutil.iter_modules(readers.__path__)]
READERS = {module.NAME: cast(Reader, module) for module in MODULES if hasattr(module, "NAME")}
"""All that are there, those of other formats too."""
OURS = {name: READERS[name] for name in other.WRITERS}
OTHERS = {name: write for name, write in wechat.WRITERS.items() if name not in OURS}
SAMPLES = {
    **other.WRITERS,
    "chatinfo-json, older": other.write_older_chatinfo_json,
    "dated-json, account": other.write_dated_account,
}
DOCS = Path(__file__).parents[3] / "docs"


def knowing(head: Any) -> list[str]:
    text = head if isinstance(head, str) else json.dumps(head, ensure_ascii=False)
    return [name for name, reader in READERS.items() if reader.matches(text[:HEAD_BYTES], Path("any.name"))]


@pytest.mark.parametrize("sample", SAMPLES)
def test_each_export_is_known_by_its_own_reader_alone(sample: str, tmp_path: Path) -> None:
    assert knowing(open_export(SAMPLES[sample](tmp_path)).head) == [sample.partition(",")[0]]


@pytest.mark.parametrize("name", OTHERS)
def test_no_export_of_another_format_is_known_here(name: str, tmp_path: Path) -> None:
    assert not [one for one in knowing(open_export(OTHERS[name](tmp_path)).head) if one in OURS]


def test_no_other_file_of_these_exports_is_taken_for_one(tmp_path: Path) -> None:
    for name, write in other.WRITERS.items():
        path = write(tmp_path / name)
        for beside in sorted((tmp_path / name).rglob("*.json*")):
            assert beside == path or beside.is_dir() or knowing(beside.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample != "neutral-jsonl"])
@pytest.mark.parametrize("indent", [None, "\t"])
def test_the_order_of_keys_and_white_space_do_not_matter(sample: str, indent: Any, tmp_path: Path) -> None:
    path = SAMPLES[sample](tmp_path)
    name = sample.partition(",")[0]
    value = json.loads(path.read_text(encoding="utf-8"))
    turned = dict(reversed(value.items()))
    assert knowing("\ufeff \n" + json.dumps(turned, indent=indent)) == [name]
    before, _ = read_file(READERS[name], path)
    path.write_text(json.dumps(turned, indent=indent), encoding="utf-8")
    assert read_file(READERS[name], path)[0] == before


@pytest.mark.parametrize("sample", ["chatinfo-json", "dated-json", "guild-json"])
def test_messages_alone_tell_where_they_stand_first(sample: str, tmp_path: Path) -> None:
    messages = json.loads(SAMPLES[sample](tmp_path).read_text(encoding="utf-8"))["messages"]
    assert knowing({"messages": messages}) == [sample]


@pytest.mark.parametrize(
    ("head", "names"),
    [
        ({"metadata": {}, "chatInfo": {"avatar": "data:image/png;base64," + "iVBO" * 40_000}}, ["chatinfo-json"]),
        (
            {"about": "x", "personal_information": {}, "contacts": {"list": [{"first_name": "x"}] * 9_000}},
            ["dated-json"],
        ),
        ({"messages": [{"text": '"guild": {}, "channel": {}, "chatInfo": {}, "metadata": {}'}]}, []),
        ({"messages": [{"guild": {}, "channel": {}, "chatInfo": {}, "metadata": {}}]}, []),
        ([{"guild": {}, "channel": {}}], []),
        ({"chatInfo": "x"}, []),
        ("", []),
        ('[12/3/24, 8:00] a: {"guild": 1}', []),
        ("{" * 60_000, []),
        ('{"a":' * 12_000, []),
    ],
    ids=range(10),
)
def test_heads_that_are_like_these(head: Any, names: list[str]) -> None:
    assert [name for name in knowing(head) if name in OURS] == names


@given(st.text(max_size=200))
def test_any_text_may_be_asked_about(text: str) -> None:
    for head in (text, "{" + text, '{"messages":[' + text):
        assert all(isinstance(reader.matches(head, Path("x")), bool) for reader in OURS.values())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4) | st.sampled_from(["image", "text", "service", "0", "1738713600", "/etc/passwd", "\ud800", "\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "data", "text", "id"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
ROWS: dict[str, tuple[Callable[[int], dict[str, Any]], dict[str, Any]]] = {
    "chatinfo-json": (other.chatinfo_message, {"metadata": {}, "chatInfo": other.CHAT_INFO}),
    "dated-json": (other.dated_message, {"name": "a", "type": "private_group", "id": 1}),
    "guild-json": (other.guild_message, {"guild": {}, "channel": {"id": "1"}}),
}


def changed(value: Any, path: list[int], new: Any) -> Any:
    """Return a value with one of its parts, wherever it lies, replaced."""
    if not path or not isinstance(value, dict | list) or not value:
        return new
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = changed(value[key], path[1:], new)
    return copy


@pytest.mark.parametrize("name", ROWS)
@given(st.integers(0, 14), st.lists(st.integers(0, 30), min_size=1, max_size=6), JSON)
def test_whatever_stands_in_a_field_every_row_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, name: str, index: int, path: list[int], new: Any
) -> None:
    make, rest = ROWS[name]
    rows = [changed(make(index), path, new), make(0)]
    export = tmp_path_factory.mktemp("rows") / "export.json"
    export.write_text(json.dumps({**rest, "messages": rows}))  # in ASCII: it may hold half of a surrogate pair
    (chat,), tally = read_file(READERS[name], export)
    assert tally.rows == 2 == len(chat.messages) + tally.dropped.total()
    for message in chat.messages:
        f"{message.text}{message.sender}{message.message_id}{message.names}".encode()
        assert message.text == "" or message.kind in ("text", "image")


@pytest.mark.parametrize("name", other.WRITERS)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=7), JSON)
def test_whatever_stands_in_a_file_it_is_read_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, name: str, path: list[int], new: Any
) -> None:
    folder = tmp_path_factory.mktemp("file")
    export = other.WRITERS[name](folder)
    text = export.read_text(encoding="utf-8")
    if name == "neutral-jsonl":
        lines = [json.loads(line) for line in text.splitlines()]
        text = "\n".join(json.dumps(line) for line in changed(lines, path, new))
    else:
        text = json.dumps(changed(json.loads(text), path, new))
    export.write_text(text, encoding="utf-8")
    tally = Tally()
    try:
        chats, tally = read_file(READERS[name], export)
    except MldrError:
        return
    assert tally.rows == sum(len(chat.messages) for chat in chats) + tally.dropped.total()


@pytest.mark.parametrize("name", other.WRITERS)
def test_a_file_that_was_cut_anywhere_is_a_fault_or_known_by_nobody(name: str, tmp_path: Path) -> None:
    export = other.WRITERS[name](tmp_path)
    text = export.read_text(encoding="utf-8")
    for end in range(200, len(text) - 2, 211):
        export.write_text(text[:end], encoding="utf-8")
        if (name == "neutral-jsonl" and text[end] == "\n") or text[end - 1] == "\n":
            continue
        with pytest.raises(MldrError):
            read_file(READERS[name], export)


@pytest.mark.skipif(not DOCS.is_dir(), reason="the tests run away from the checkout")
def test_every_format_stands_in_the_table_of_formats() -> None:
    text = (DOCS / "chat.md").read_text(encoding="utf-8")
    assert [name for name in READERS if f"`{name}`" not in text] == []
