from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import mldr
from tests.core.support import python

COMMIT = "a" * 40
READ = """
import mldr
from mldr.errors import MldrError
from mldr.verify import verify
try:
    dataset = mldr.load({name!r})
    extra = verify(dataset)
    print(dataset.name, *(sum(len(asked.queries) for asked in dataset.asked(split)) for split in dataset.splits), extra)
except MldrError as error:
    print("refused:", error)
"""


class Hub(BaseHTTPRequestHandler):
    """The few routes of the Hugging Face Hub that a snapshot download asks for."""

    folder: Path

    def do_GET(self) -> None:
        content = self._content(unquote(urlsplit(self.path).path))
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET

    def _content(self, path: str) -> bytes | None:
        files = {p.relative_to(self.folder).as_posix(): p for p in self.folder.rglob("*") if p.is_file()}
        if path.startswith("/api/datasets/tests/demo/revision/"):
            siblings = [{"rfilename": name} for name in files]
            return json.dumps({"id": "tests/demo", "sha": COMMIT, "siblings": siblings}).encode()
        if path.startswith("/api/datasets/tests/demo/tree/"):
            entries = [{"type": "file", "path": n, "size": p.stat().st_size, "oid": "0" * 40} for n, p in files.items()]
            return json.dumps(entries).encode()
        name = path.removeprefix(f"/datasets/tests/demo/resolve/{COMMIT}/")
        return files[name].read_bytes() if name in files else None

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(demo_dataset: mldr.Dataset) -> Iterator[str]:
    handler = type("DemoHub", (Hub,), {"folder": demo_dataset.folder})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def load_in_a_fresh_process(name: str, endpoint: str, folder: Path) -> str:
    environment = {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "0", "NO_PROXY": "*"}
    return python(READ.format(name=name), folder, **environment).strip()


def test_a_dataset_on_the_hub_is_downloaded_and_verifies(hub: str, demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    counts = " ".join(str(demo_dataset.manifest.counts[split]["queries"]) for split in demo_dataset.splits)
    assert load_in_a_fresh_process("tests/demo", hub, tmp_path) == f"{demo_dataset.name} {counts} {{}}"


def test_a_dataset_that_is_not_on_the_hub_is_refused_in_one_line(hub: str, tmp_path: Path) -> None:
    said = load_in_a_fresh_process("tests/none", hub, tmp_path)
    assert said.startswith("refused: tests/none: no such folder here, and not to be had from the Hub")
    assert "\n" not in said


def test_a_hub_that_cannot_be_reached_is_said_so(tmp_path: Path) -> None:
    said = load_in_a_fresh_process("tests/demo", "http://127.0.0.1:9", tmp_path)
    assert said.startswith("refused: tests/demo: no such folder here, and not to be had from the Hub")
    assert "\n" not in said
