"""A JSON list read record by record: memory holds one record and a piece of the file, whatever its size."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from mldr.errors import InputError, fault

RECORD_LIMIT = 64 * 1024 * 1024
"""Characters of one record."""
_SPACE = re.compile(r"[ \t\r\n]*")
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
    text.position += 1
    if text.char() == "]":
        text.position += 1
    else:
        yield from _elements(text)
    if text.char():
        raise fault(place, "goes on after its JSON list")


def _elements(text: _Text) -> Iterator[tuple[int, Any]]:
    index = 0
    while True:
        yield index, text.value(index)
        mark = text.char()
        text.position += 1
        if mark == "]":
            return
        if mark != ",":
            raise text.broken(
                index, "a comma or the end of the list is expected" if mark else "the file ends here: cut?"
            )
        index += 1


class _Text:
    """The decoded file, as a window that moves on."""

    def __init__(self, chunks: Iterable[bytes], place: str) -> None:
        self._chunks = iter(chunks)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder(object_pairs_hook=_pairs)
        self._place = place
        self._ended = False
        self._read = 0
        self.window = ""
        self.position = 0

    def char(self) -> str:
        """Return the next character that is no space, '' at the end; the position is then on it."""
        while True:
            self.position = _SPACE.match(self.window, self.position).end()  # type: ignore[union-attr]  # matches ''
            if self.position < len(self.window):
                return self.window[self.position]
            if not self._more(1):
                return ""

    def value(self, index: int) -> Any:
        """Return the JSON value at the position and move behind it."""
        if not self.char():
            raise self.broken(index, "the file ends here: cut?")
        wanted = 1
        while True:
            try:
                value, end = self._json.raw_decode(self.window, self.position)
            except json.JSONDecodeError as error:
                reason = f"{error.msg}, character {error.pos - self.position} of the record"
            except RecursionError as error:
                raise self.broken(index, "nested too deeply") from error
            except ValueError as error:
                raise self.broken(index, "holds a number of thousands of digits") from error
            else:
                if self._whole(value, end) or not self._more(1):
                    self.position = end
                    return value
                continue
            if len(self.window) - self.position > RECORD_LIMIT:
                raise self.broken(index, f"longer than {RECORD_LIMIT:,} characters, or not JSON ({reason})")
            if not self._more(wanted):
                raise self.broken(index, f"not JSON, or the file is cut ({reason})")
            wanted *= 2

    def _whole(self, value: Any, end: int) -> bool:
        """Say whether a value ends where it seems to; a number could go on in the next piece (`1` of `1e-5`)."""
        return not isinstance(value, int | float) or len(self.window) - end > len("e-")

    def broken(self, index: int, reason: str) -> InputError:
        """Return the fault of an element."""
        return fault(f"{self._place}, record {index}", reason)

    def _more(self, pieces: int) -> bool:
        """Read on; say whether there was something."""
        if self._ended:
            return False
        added = []
        try:
            for _ in range(pieces):
                chunk = next(self._chunks, None)
                self._ended = chunk is None
                self._read += len(chunk or b"")
                added.append(self._decoder.decode(chunk or b"", final=self._ended))
                if self._ended:
                    break
        except UnicodeDecodeError as error:
            raise fault(self._place, f"not UTF-8 text (near byte {self._read})") from error
        self.window = self.window[self.position :] + "".join(added)
        self.position = 0
        return True


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        found[TWICE] = True
    return found
