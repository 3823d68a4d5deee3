"""What one filter of the cleaning found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Filtered:
    """What one filter drops, and what it cannot judge."""

    dropped: dict[str, str] = field(default_factory=dict)
    """source_id -> reason, worded as a count's name."""
    not_judged: Counter[str] = field(default_factory=Counter)
    """reason -> sources that are kept because the filter knows too little of them."""
