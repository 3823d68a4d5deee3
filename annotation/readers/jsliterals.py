"""JavaScript literals in a page, read one by one and never run: a list of a hundred megabytes needs the memory of one element."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

_PIECE = 1024 * 1024
LIMIT = 16 * _PIECE
"""An element of more characters is refused."""
_OVERLAP = 4096
"""So much of a piece is kept, lest a mark be torn apart."""
_DEEPEST = 50
_TOKEN = re.compile(
    r"""'(?:[^'\\]++|\\.)*+'|"(?:[^"\\]++|\\.)*+"|`(?:[^`\\]++|\\.)*+`|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/|[{}\[\](),'"`/]""",
    re.DOTALL,
)
_OPENING, _CLOSING, _STRINGS = frozenset("{[("), frozenset("}])"), frozenset("'\"`")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL)
_QUOTES = frozenset(map(ord, "'\"`\\"))
_PLAIN = frozenset('"\\/bfnrt')
_OWN = {
    "\n": "",
    "\r": "",
    "\r\n": "",
    "\u2028": "",
    "\u2029": "",
    "0": "",
    "v": "\\u000b",
    "'": "\\u0027",
    "`": "\\u0060",
}


class CutShort(ValueError):
    """The text ends, or an element grows past the limit, before the list does."""


def elements_of(stream: IO[str], *starts: re.Pattern[str]) -> Iterator[str]:
    """Yield the source of each element of the list that opens where the last of `starts` ends, found one after another.

    Raises:
        CutShort: where the list is not there or does not end.
    """
    text, at = _opened(stream, starts)
    depth, begun, commented = 0, at, False
    while True:
        found = _TOKEN.search(text, at)
        if found is None or found.end() == len(text) or _unfinished(found, text):
            if len(text) - begun > LIMIT:
                raise CutShort(f"one element is longer than {LIMIT:,} characters")
            if piece := stream.read(_PIECE):
                resumed = found.start() if found else len(text)
                text, at, begun = text[begun:] + piece, resumed - begun, 0
                continue
            if found is None or found[0] != "]" or depth:
                raise CutShort("the list does not end")
        token, at = found[0], found.end()
        commented = commented or token.startswith(("//", "/*"))
        if depth == 0 and token in (",", "]"):
            if element := _without_comments(text[begun : found.start()], commented).strip():
                yield element
            if token == "]":
                return
            begun, commented = at, False
        depth += (token in _OPENING) - (token in _CLOSING)


def _unfinished(found: re.Match[str], text: str) -> bool:
    """Return whether a string or a comment opens here whose end is not there yet."""
    return found[0] in _STRINGS or (found[0] == "/" and text.startswith("*", found.end()))


def _without_comments(element: str, commented: bool) -> str:
    return (
        _TOKEN.sub(lambda found: " " if found[0].startswith(("//", "/*")) else found[0], element)
        if commented
        else element
    )


def _opened(stream: IO[str], starts: tuple[re.Pattern[str], ...]) -> tuple[str, int]:
    """Return (a text, the place in it behind what opens the list)."""
    text, at, awaited = "", 0, list(starts)
    while piece := stream.read(_PIECE):
        kept = max(at, len(text) - _OVERLAP)
        text, at = text[kept:] + piece, 0
        while found := awaited[0].search(text, at):
            at = found.end()
            if not awaited[1:]:
                return text, at
            awaited.pop(0)
    raise CutShort("the list is not there")


def value_of(element: str) -> Any:
    """Return the value of a literal's source.

    Raises:
        ValueError: where it is not one value: an expression, a broken string, nesting too deep.
    """
    import chompjs

    if _depth(element) > _DEEPEST:
        raise ValueError("nested too deeply")
    return chompjs.parse_js_object(_ESCAPE.sub(_unescaped, element), loader_kwargs={"strict": False})


def _depth(element: str) -> int:
    depth = deepest = 0
    for found in _TOKEN.finditer(element):
        depth += (found[0] in _OPENING) - (found[0] in _CLOSING)
        deepest = max(deepest, depth)
    return deepest


def _unescaped(found: re.Match[str]) -> str:
    """Return an escape as JSON has it: JavaScript has more of them."""
    if point := found[1]:
        code = int(point, 16)
        return json.dumps(chr(code))[1:-1] if code < 0x110000 and code not in _QUOTES else f"\\u{code:04x}"
    if found[2] or found[3]:
        return f"\\u{(found[2] or found[3]):0>4}"
    char = found[4]
    return found[0] if char in _PLAIN else _OWN.get(char, char)
