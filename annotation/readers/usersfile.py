"""The list of people that lies beside some exports as users.json; a name that is known can be masked."""

from __future__ import annotations

from typing import Any

from mldr.annotation.readers.contract import Export
from mldr.errors import fault
from mldr.files import parse_json

_FILE = "users.json"
_LARGEST = 64 * 1024 * 1024
_NAMES = ("remark", "nickname", "account", "alias")


def names_beside(export: Export) -> dict[str, tuple[str, ...]]:
    """Return id -> names of the list beside an export, empty where there is none; nothing but ids and names is read.

    Raises:
        InputError: where the list is there and cannot be read: names that stay unknown would stay unmasked.
    """
    path = (export.path.parent / _FILE).resolve()
    if not path.is_file() or not path.is_relative_to(export.root):
        return {}
    if path.stat().st_size > _LARGEST:
        raise fault(str(path), f"is larger than {_LARGEST:,} bytes; move it away to read the export without it")
    try:
        value = parse_json(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, OSError) as error:
        raise fault(str(path), f"is no JSON ({error}); move it away to read the export without it") from error
    rows = list(value.items()) if isinstance(value, dict) else []
    rows += [("", row) for row in value] if isinstance(value, list) else []
    return {person: names for person, names in (_named(key, row) for key, row in rows) if person and names}


def _named(key: str, row: Any) -> tuple[str, tuple[str, ...]]:
    if not isinstance(row, dict):
        return "", ()
    told = {str(name).lower(): text for name, text in row.items()}
    person = key or told.get("wxid")
    names = (told.get(name) for name in _NAMES)
    return str(person or ""), tuple(
        dict.fromkeys(name.strip() for name in names if isinstance(name, str) and name.strip())
    )
