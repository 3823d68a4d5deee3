"""All detectors together: the private things in a text, apart from one another, in the text as it was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mldr.annotation.privacy.detectors.addresses import ADDRESSES
from mldr.annotation.privacy.detectors.apart import apart
from mldr.annotation.privacy.detectors.cards import CARDS
from mldr.annotation.privacy.detectors.codes import CODES
from mldr.annotation.privacy.detectors.hints import HINTS
from mldr.annotation.privacy.detectors.identities import IDENTITIES
from mldr.annotation.privacy.detectors.ids import IDS
from mldr.annotation.privacy.detectors.net import NET
from mldr.annotation.privacy.detectors.numbers import numbers
from mldr.annotation.privacy.detectors.orders import ORDERS
from mldr.annotation.privacy.detectors.phones import PHONES
from mldr.annotation.privacy.detectors.rules import scan
from mldr.annotation.privacy.names import NameList
from mldr.annotation.privacy.normal import Normal, normal
from mldr.annotation.privacy.tags import TAG
from mldr.annotation.spans import Span

DIGIT_RULES = (*PHONES, *IDENTITIES, *CARDS, *IDS, *CODES, *ORDERS, *NET)
"""These read digits that were said as Chinese numerals, too."""


def find_spans(text: str, names: NameList, language: str = "") -> tuple[Span, ...]:
    """Return the private things in a text, in order, none overlapping another.

    Whoever calls this must fail closed: if it raises, whatever it raises, the text is withheld. A text that was not searched
    is never passed on. It takes time linear in the length of the text.

    Args:
        text: any text; tags that stand for something masked before are left alone.
        names: of everybody in the chat.
        language: of the dialogue. All rules are always asked; where it is `zh`, ten digits in a row are a number, not a
            North American telephone.
    """
    view = normal(text).without(TAG)
    kept, covered = apart(_finds(view, names, language), view.text)
    kept += numbers(view.digits, covered)
    return tuple(_placed(kept, view))


def _finds(view: Normal, names: NameList, language: str) -> Iterator[Span]:
    for span in scan(view.digits, DIGIT_RULES):
        if not (
            language == "zh" and span.detector == "north-american" and view.digits[span.start : span.end].isdigit()
        ):
            yield span
    yield from scan(view.text, (*ADDRESSES, *HINTS))
    for start, end, form in names.find(view):
        yield Span(start, end, "name", form.confidence, "member")


def _placed(kept: Iterable[Span], view: Normal) -> Iterator[Span]:
    """Yield the spans where they stand in the text as given; one of its characters may be several of the normal text."""
    last = 0
    for span in sorted(kept, key=lambda span: span.start):
        start, end = view.place(span.start, span.end)
        start = max(start, last)
        if start < end:
            yield replace(span, start=start, end=end)
            last = end
