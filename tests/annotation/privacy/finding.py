"""What the tests of the detectors share."""

from __future__ import annotations

from mldr.annotation.chat import Member
from mldr.annotation.privacy.detectors import NameList, find_spans
from mldr.annotation.spans import Span

NOBODY = NameList.of(())


def people(*names: str | tuple[str, ...]) -> NameList:
    """Return the list of a chat with a member for each name, or for each group of names."""
    members = [Member(f"m{i}", (name,) if isinstance(name, str) else name) for i, name in enumerate(names)]
    return NameList.of(members)


def found(text: str, names: NameList = NOBODY, language: str = "") -> list[tuple[str, str]]:
    """Return (kind, what stands there) for everything private in a text."""
    return [(span.kind, text[span.start : span.end]) for span in find_spans(text, names, language)]


def only(text: str, names: NameList = NOBODY) -> Span:
    """Return the one private thing of a text."""
    (span,) = find_spans(text, names)
    return span
