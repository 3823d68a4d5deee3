"""What a query's writer is warned of while they write. A warning never forbids; the page words it, in its own language."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mldr.annotation.labels import Put
from mldr.annotation.spans import Span
from mldr.dialogue import Dialogue

FindSpans = Callable[[str], Sequence[Span]]
"""Finds the private things in a text."""

COPIED_CHARACTERS = 8
"""From so many characters in a row on, a Chinese query is warned of as a copy."""
COPIED_WORDS = 5
"""From so many words in a row on, any other one is."""

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_WORD = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]|[^\W_]+")
_ASKING = {
    "zh": re.compile(r"[?？]|什么|谁|哪|怎|为何|为什么|几|多少|吗|呢|是否|有没有|找|讨论|关于|何时|何地|列出|的"),
    "en": re.compile(
        r"\?|\b(who|whom|whose|what|when|where|which|why|how|find|show|list|about|discuss\w*|messages?|photos?|pictures?|"
        r"images?|moments?|part|is|are|was|were|do|does|did|can|could|should|will|would|the|of)\b",
        re.IGNORECASE,
    ),
}

Code = Literal["copies", "private", "one_message", "asks_nothing"]


@dataclass(frozen=True, slots=True)
class Warning:  # the word; it is no Python warning
    """One thing that a query's writer should look at."""

    code: Code
    values: dict[str, str | int] = field(default_factory=dict)
    """What the page's sentence names: `text` and `utterance` of a copy, `kinds` of private things."""


def query_warnings(
    text: str, dialogue: Dialogue, fragment: Put, *, find_spans: FindSpans | None = None
) -> list[Warning]:
    """Return what is doubtful about a query.

    Args:
        text: the query; nothing is said of an empty one.
        dialogue: what it is asked of.
        fragment: what answers it so far.
        find_spans: finds private things; None where nothing can look for them.
    """
    if not text.strip():
        return []
    found = [warning for warning in (_copy(text, dialogue),) if warning]
    kinds = sorted({span.kind for span in find_spans(text)}) if find_spans else []
    if kinds:
        found.append(Warning("private", {"kinds": ", ".join(kinds)}))
    if len(fragment.utterance_ids) + len(fragment.image_ids) == 1:
        found.append(Warning("one_message"))
    if not _asks(text):
        found.append(Warning("asks_nothing"))
    return found


def _asks(text: str) -> bool:
    """Return whether a text asks or describes something: a bare word or a plain exclamation does not."""
    words = _WORD.findall(text)
    language = "zh" if _HAN.search(text) else "en"
    return len(words) >= 3 and bool(_ASKING[language].search(text))


def _copy(text: str, dialogue: Dialogue) -> Warning | None:
    """Return the longest run of the query's words that stands in one message, if it is long enough."""
    query = _words(text)
    said = [_joined(_words(utterance.text)) for utterance in dialogue.utterances]
    everything = "\n".join(said)
    first, size = 0, 0
    for start in range(
        len(query)
    ):  # a run is only looked for if it would be the longest: each step finds one, or goes on
        while start + size < len(query) and _joined(query[start : start + size + 1]) in everything:
            first, size = start, size + 1
    run = query[first : first + size]
    chinese = bool(run) and sum(bool(_HAN.match(word)) for word in run) * 2 > size
    if size < (COPIED_CHARACTERS if chinese else COPIED_WORDS):
        return None
    index = next(index for index, words in enumerate(said) if _joined(run) in words)
    return Warning("copies", {"text": ("" if chinese else " ").join(run), "utterance": index, "n": size})


def _joined(words: Sequence[str]) -> str:
    """Return words as text in which a run of whole words is a substring, and no run goes on into the next line."""
    return " " + "  ".join(words) + " "


def _words(text: str) -> list[str]:
    """Return Chinese characters one by one and other words whole, lower case, without punctuation."""
    return [word.lower() for word in _WORD.findall(text)]
