"""The keys in the head of a JSON file or JSON Lines, though it is cut: how the formats tell one another apart."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

_DEEPEST = 4
_LONG_NUMBER = re.compile(r"[0-9]{4000}")  # ends the process in the parser
_COMMENTS = re.compile(r"\A(?:\s*#[^\n]*\n)+")


@lru_cache(maxsize=2)
def keys_of(head: str) -> Mapping[str, Any]:
    """Return the keys that a head shows, each with its first plain value (None for a list, an object or what is cut off).

    A key is written as a path: `session.wxid`, `messages.item.type`, `item.talker` where a list is the outermost value.
    The objects of JSON Lines count as one. What is no JSON has no keys.
    """
    import ijson

    found: dict[str, Any] = {}
    text = _COMMENTS.sub("", head.lstrip("\ufeff"))
    if not text.lstrip().startswith(("{", "[")) or _LONG_NUMBER.search(text):
        return MappingProxyType(found)
    names: list[str] = []  # from the outside in: the key of each object, `item` for a list
    try:
        for event, value in ijson.basic_parse(io.BytesIO(text.encode()), multiple_values=True):
            if event in ("start_map", "start_array"):
                names.append("" if event == "start_map" else "item")
            elif event in ("end_map", "end_array"):
                names.pop()
            elif len(names) <= _DEEPEST:
                if event == "map_key":
                    names[-1], value = value, None
                path = ".".join(names)
                found[path] = value if found.get(path) is None else found[path]
    except (ijson.JSONError, ValueError):
        pass  # the head is cut, or no JSON from here on: what stands before still tells
    return MappingProxyType(found)


def has_all(keys: Mapping[str, Any], *paths: str) -> bool:
    """Return whether all these paths are among the keys."""
    return all(path in keys for path in paths)
