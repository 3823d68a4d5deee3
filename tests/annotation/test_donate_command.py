"""The two commands that open the giver's pages: each prints an address of this machine, answers there, and ends at Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.annotation.support_donations import cut_store


def opened(arguments: Sequence[str], folder: Path) -> str:
    """Start a command, fetch its page, and stop it as a person would; return the page."""
    command = [sys.executable, "-m", "mldr", "annotate", *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), process.stderr.read() if process.stderr else ""
            visit = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            with visit.open(address) as answer:
                return str(answer.read().decode())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(10)


def test_donate_opens_the_walk_and_makes_a_closed_store(tmp_path: Path) -> None:
    assert "/donate.css" in opened(["donate", "--no-open"], tmp_path)
    assert (tmp_path / "private-chats").stat().st_mode & 0o077 == 0
    assert not (tmp_path / "donation.zip").exists()


def test_review_opens_the_privacy_pass_over_a_store(tmp_path: Path) -> None:
    cut_store(tmp_path / "store")
    assert "/main.js" in opened(["privacy", "store", "--review"], tmp_path)


@pytest.mark.parametrize("arguments", [[], ["--review", "--out", "collection"]])
def test_privacy_wants_either_a_page_or_copies(tmp_path: Path, arguments: list[str]) -> None:
    cut_store(tmp_path / "store")
    command = [sys.executable, "-m", "mldr", "annotate", "privacy", "store", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--review" in done.stderr
