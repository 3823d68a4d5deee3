"""What `mldr retrieve --list` says of each system."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from mldr.plugins import names, resolve
from mldr.retrievers.runner import GROUP


def listing() -> Iterator[str]:
    """Yield a line for each registered system: its name, what it sees by default, what it does."""
    for name in names(GROUP):
        kind = resolve(GROUP, name)
        sees = ", ".join(kind().sees)
        words = (inspect.getdoc(kind) or "").splitlines()[0]
        yield f"{name:<10} sees {sees:<14} {words}"
