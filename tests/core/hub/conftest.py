"""A local Hub for each test, and the real client turned to it. No test here reaches the real Hub."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fakes.hub_server import HubServer

TOKEN = "hf_Secret0fTheTests"
OTHER = "hf_Secret0fSomebodyElse"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    """The server; this process's client uses it with the token of the account `tests`."""
    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    with HubServer({TOKEN: "tests", OTHER: "somebody"}) as server:
        for name, value in {"HF_ENDPOINT": server.url, "HF_TOKEN": TOKEN, "NO_PROXY": "*", "no_proxy": "*"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # the server has no Xet store
        hurried = SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None})
        monkeypatch.setattr(_http, "time", hurried)  # the client's own pauses between its tries
        _closed()
        yield server
        _closed()


def _closed() -> None:
    """Let the client forget its connections, and the proxies of the environment in which they were made."""
    try:
        from huggingface_hub import close_session
    except ImportError:  # before 1.0
        return
    close_session()


Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(server: HubServer, tmp_path: Path) -> dict[str, str]:
    """The environment of a fresh process that uses the server."""
    return {
        **os.environ,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Shell:
    """Run `mldr ...` in a fresh process."""

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mldr", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**environment, **more})

    return run
