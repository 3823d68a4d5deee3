"""Debian's Chromium, for the tests of the pages; skipped with a reason where it is not, failed where CI demands it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def absent(reason: str) -> NoReturn:
    """Skip, or fail where a browser is demanded."""
    if os.environ.get("MLDR_NEED_BROWSER") == "1":
        pytest.fail(f"MLDR_NEED_BROWSER=1, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")  # a longer one would leave playwright's event loop running under other tests
def browser() -> Iterator[Browser]:
    """Debian's Chromium, started once."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("no playwright: pip install playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        absent("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        started.close()
