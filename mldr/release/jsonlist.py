"""A JSON list read record by record: memory holds one record and a piece of the file, whatever its size."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from mldr.errors import InputError, fault
from mldr.jsontext import RECORD_LIMIT, JsonText, whole_value

TWICE = "\0key twice"
"""Added as a key to an object in which a key stands twice."""


def json_records(chunks: Iterable[bytes], place: str) -> Iterator[tuple[int, Any]]:
    """Yield (index from 0, value) for each element of a JSON list.

    Args:
        chunks: the bytes of the file, in order.
        place: the file, for messages.

    Raises:
        InputError: for anything that is not one whole JSON list in UTF-8, at the element where it breaks.
    """
    text = _Text(chunks, place)
    if text.char() != "[":
        raise fault(place, "is no JSON list")
    text.at += 1
    if text.char() == "]":
        text.at += 1
    else:
        yield from _elements(text)
    if text.char():
        raise fault(place, "goes on after its JSON list")


def _elements(text: _Text) -> Iterator[tuple[int, Any]]:
    index = 0
    while True:
        yield index, text.value(index)
        mark = text.char()
        text.at += 1
        if mark == "]":
            return
        if mark != ",":
            raise text.broken(
                index, "a comma or the end of the list is expected" if mark else "the file ends here: cut?"
            )
        index += 1


class _Text(JsonText):
    """The decoded file, read record by record."""

    def __init__(self, chunks: Iterable[bytes], place: str) -> None:
        super().__init__(chunks, place)
        self._json = json.JSONDecoder(object_pairs_hook=_pairs)

    def value(self, index: int) -> Any:
        """Return the JSON value at the position and move behind it."""
        if not self.char():
            raise self.broken(index, "the file ends here: cut?")
        wanted = 1
        while True:
            try:
                value, end = self._json.raw_decode(self.window, self.at)
            except json.JSONDecodeError as error:
                reason = f"{error.msg}, character {error.pos - self.at} of the record"
            except RecursionError as error:
                raise self.broken(index, "nested too deeply") from error
            except ValueError as error:
                raise self.broken(index, "holds a number of thousands of digits") from error
            else:
                if whole_value(self, value, end) or not self.more():
                    self.at = end
                    return value
                continue
            if len(self.window) - self.at > RECORD_LIMIT:
                raise self.broken(index, f"longer than {RECORD_LIMIT:,} characters, or not JSON ({reason})")
            if not self.more(wanted):
                raise self.broken(index, f"not JSON, or the file is cut ({reason})")
            wanted *= 2

    def broken(self, index: int, reason: str) -> InputError:
        """Return the fault of an element."""
        return fault(f"{self._place}, record {index}", reason)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        found[TWICE] = True
    return found
