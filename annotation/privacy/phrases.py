"""Finding many fixed phrases in a text at once, in a time that does not grow with their number."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator


class Phrases:
    """A set of phrases, looked up by their first two characters."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases = {phrase for phrase in phrases if phrase}
        lengths: defaultdict[str, set[int]] = defaultdict(set)
        for phrase in self._phrases:
            lengths[phrase[:2]].add(len(phrase))
        self._lengths = {head: sorted(found, reverse=True) for head, found in lengths.items()}
        first = "".join(sorted({re.escape(phrase[0]) for phrase in self._phrases}))
        self._first = re.compile(f"[{first}]") if first else None

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield [start, end) and the phrase for every phrase that stands in the text, longest first at each place."""
        if self._first is None:
            return
        for match in self._first.finditer(text):
            start = match.start()
            for head in dict.fromkeys((text[start : start + 2], text[start])):
                for length in self._lengths.get(head, ()):
                    phrase = text[start : start + length]
                    if len(phrase) == length and phrase in self._phrases:
                        yield start, start + length, phrase
