"""A server for small local pages: loopback only, a token in the address, JSON in and out, and a strict policy for the page.

What a page does is its routes'; everything here is about who may ask, and about errors that a person can read.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mldr.errors import MissingExtra, MldrError

if TYPE_CHECKING:
    import uvicorn

HOST = "127.0.0.1"
BODY_LIMIT = 1024 * 1024
"""Bytes of a request's body."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler is told of a request."""

    params: Mapping[str, str]
    """The parts of the address that the route's path names."""
    query: Mapping[str, str]
    body: Any = None
    """The JSON value of a POST, None for a GET. It is hostile: handlers validate it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is no JSON value, or not a plain success."""

    content: Any
    """Bytes, or a JSON value."""
    media_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(MldrError):
    """A request that is not carried out, with its HTTP status and what the page needs to go on."""

    def __init__(self, status: int, message: str, *, place: str = "request", **more: Any) -> None:
        self.status, self.place, self.more = status, place, more
        super().__init__(message)


Handler = Callable[[Call], Any]
"""Returns a JSON value or a `Reply`; raises `Refusal`, or `MldrError` for what the client can mend (400). Runs in a thread."""


@dataclass(frozen=True, slots=True)
class Route:
    """An address of a page."""

    method: Literal["GET", "POST"]
    path: str
    """`/api/dialogues/{dialogue_id}`"""
    handle: Handler


@dataclass(frozen=True, slots=True)
class LocalApp:
    """A local page: its addresses, and the files that it is made of, each under its own address (`/style.css`)."""

    routes: Sequence[Route]
    static: Mapping[str, tuple[bytes, str]]
    """Address -> (bytes, media type). No folder is ever served."""


@dataclass(frozen=True, slots=True)
class Running:
    """A page that is being served."""

    port: int
    token: str

    @property
    def origin(self) -> str:
        """Its address without the token."""
        return f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """The address that a person opens."""
        return f"{self.origin}/?token={self.token}"


def serve(
    app: LocalApp, *, port: int = 0, open_browser: bool = False, say: Callable[[str], None], note: Callable[[str], None]
) -> None:
    """Serve a page until Ctrl-C; every request that was answered is finished then.

    Args:
        app: the page.
        port: 0 for a free one.
        open_browser: open it in the person's browser.
        say: gets the address (standard output).
        note: gets one line for each fault inside a handler (standard error); no content of a request is in it.

    Raises:
        MissingExtra: without starlette and uvicorn.
        MldrError: if the port is taken.
        KeyboardInterrupt: at Ctrl-C, after everything is closed.
    """
    server, listening, here = _server(app, port, note)
    with listening:
        say(here.url)
        if open_browser:
            webbrowser.open(here.url)
        server.run(sockets=[listening])


@contextlib.contextmanager
def running(app: LocalApp, *, port: int = 0, note: Callable[[str], None] = lambda _: None) -> Iterator[Running]:
    """Serve a page from a thread while the block runs.

    Raises:
        MissingExtra: without starlette and uvicorn.
        MldrError: if the port is taken, or the server does not start.
    """
    server, listening, here = _server(app, port, note)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    with listening:
        thread.start()
        try:
            _await_start(server, thread)
            yield here
        finally:
            server.should_exit = True
            thread.join(10)


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    while not server.started:
        if not thread.is_alive():
            raise MldrError("the local page did not start")
        time.sleep(0.005)


def _server(app: LocalApp, port: int, note: Callable[[str], None]) -> tuple[uvicorn.Server, socket.socket, Running]:
    try:
        import uvicorn

        from mldr.web.guard import guarded
    except ImportError as error:
        raise MissingExtra("a local page", "web") from error
    listening = _listen(port)
    here = Running(int(listening.getsockname()[1]), secrets.token_urlsafe(24))
    settings = uvicorn.Config(
        guarded(app, here, note),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=3,
    )
    return uvicorn.Server(settings), listening, here


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(128)  # from now on: the address is told, and a browser opened, before the server answers
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise MldrError(f"port {port} of {HOST} cannot be used ({reason}); choose another --port, or 0") from error
    return listening
