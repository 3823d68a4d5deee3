"""One local Ray for a module of tests: it takes seconds to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mldr.executors import RayExecutor


@pytest.fixture(scope="module")
def ray_here() -> Iterator[RayExecutor]:
    """Two workers; executors opened beside it use the same Ray."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'mldr[ray]'")
    with RayExecutor(workers=2) as executor:
        yield executor
