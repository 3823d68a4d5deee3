"""A server on loopback that behaves as badly as it is told, and remembers who asked for what."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.conftest import picture


@dataclass
class Site:
    """A running server."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def picture(self, path: str, colour: str = "red") -> str:
        """Serve a picture and return its url."""
        return self.bytes(path, picture(colour))

    def bytes(self, path: str, content: bytes, status: int = 200, **headers: str) -> str:
        """Serve bytes and return their url."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        self.answers[path] = lambda request: answer(request, content, status, named)
        return self.url(path)

    def first(self, path: str, *then: Callable[[BaseHTTPRequestHandler], None]) -> str:
        """Serve one answer after another, the last one for ever."""
        left = list(then)
        self.answers[path] = lambda request: (left.pop(0) if len(left) > 1 else left[0])(request)
        return self.url(path)


def answer(
    request: BaseHTTPRequestHandler, content: bytes, status: int = 200, headers: dict[str, str] | None = None
) -> None:
    """Send a whole answer."""
    request.send_response(status)
    for key, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
        request.send_header(key, value)
    request.end_headers()
    request.wfile.write(content)


def cut_short(request: BaseHTTPRequestHandler) -> None:
    """Announce more than is sent."""
    answer(request, picture()[:-10], headers={"Content-Length": "5000"})
    request.close_connection = True


def endless(request: BaseHTTPRequestHandler) -> None:
    """Send zeros until the other side has enough."""
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(bytes(64 * 1024))
    except OSError:
        request.close_connection = True


def dripping(request: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, so that no read times out."""
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    try:
        for _ in range(200):
            request.wfile.write(b"x")
            time.sleep(0.02)
    except OSError:
        request.close_connection = True


def silent(request: BaseHTTPRequestHandler) -> None:
    """Say nothing for a second."""
    time.sleep(1)
    request.close_connection = True


@contextmanager
def running() -> Iterator[Site]:
    """Run a server."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            site.headers.append(dict(self.headers))
            behaviour = site.answers.get(self.path)
            if behaviour is None:
                answer(self, b"", 404)
            else:
                behaviour(self)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
