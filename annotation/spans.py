"""A private thing found in a text, and what stands for it: the words that detectors, surrogates and reviewers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

SpanKind = Literal[
    "name",
    "mobile",
    "landline",
    "resident_id",
    "bank_card",
    "passport",
    "permit",
    "plate",
    "email",
    "url",
    "ip",
    "gps",
    "wechat_id",
    "qq",
    "code",
    "order_number",
    "address",
    "number",
    "other",
]
"""`number`: a run of digits that no other kind explains and that is long enough to be somebody's; `other`: marked by a person."""
SPAN_KINDS: tuple[SpanKind, ...] = get_args(SpanKind)

SURE = 0.7
"""From this confidence on a span is masked without asking; below, it is masked until a person says that it need not be."""


@dataclass(frozen=True, slots=True)
class Span:
    """A private thing in a text: text[start:end], in code points of the text as given (not as normalised for the search)."""

    start: int
    end: int
    kind: SpanKind
    confidence: float
    """0 to 1; a failed checksum lowers it, and the span is masked all the same."""
    detector: str
    """Which rule found it, in one word; `person` where somebody marked it."""


@dataclass(frozen=True, slots=True)
class Mask:
    """What a text shows in place of a private thing: masked[start:end] == surrogate."""

    start: int
    end: int
    kind: SpanKind
    surrogate: str
    confidence: float
    detector: str


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with its private things replaced."""

    text: str
    masks: tuple[Mask, ...]
    """In order, apart from one another."""
