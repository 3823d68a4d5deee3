"""A real server on loopback that speaks the OpenAI protocol and misbehaves on demand: chat completions and embeddings.

    with ChatServer(lambda messages, schema: '{"tag": "food"}', faults=["429", None, "hang"]) as server:
        endpoint = ModelEndpoint(provider="fake", model="fake", base_url=server.base_url, key_env="")
        ...
        assert server.count("chat") == 3

`answer(messages, schema)` gives the text of an answer; messages are the dicts of the request, schema is a dict, or None where the
request asks by the prompt alone. Left out, `fitting(schema)` answers with the least value that fits. `faults` are used up one a
request, in order of arrival (None: answer well), then `chance` draws from `kinds` by seed. `python tests/fakes/chat_server.py
--latency 0.1` serves in its own process and prints its address.

Faults: "429" (with Retry-After), any other status of three digits ("500", "408", "401", ...), "hang" (no answer until the client
leaves), "closed" (the connection ends before an answer), "cut" (half of the body, then the end), "bad_body" (a body that is no
JSON), "half_json" (the answer's text is half), "other_schema", "empty", "refusal", "length" (cut by max_tokens).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import math
import random
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

FAULTS = ("429", "500", "hang", "closed", "cut", "bad_body", "half_json", "other_schema", "empty", "refusal", "length")
ANSWERED_BADLY = {"half_json", "other_schema", "empty", "refusal", "length"}
GONE = (ConnectionError, asyncio.IncompleteReadError, BrokenPipeError, TimeoutError)

Answer = Callable[[list[dict[str, Any]], dict[str, Any] | None], str]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the server saw it."""

    path: str
    """`chat`, `embeddings` or `models`."""
    headers: dict[str, str]
    """By names in lower case."""
    body: dict[str, Any]
    fault: str | None
    """What the server did to it; None where it was answered well."""


def fitting(schema: dict[str, Any] | None) -> Any:
    """Return the least value that fits a simple schema; without one, an empty object."""
    if not schema:
        return {}
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: fitting(of) for name, of in schema.get("properties", {}).items()}
    if kind == "array":
        return [fitting(schema.get("items"))] * int(schema.get("minItems", 0))
    if kind == "string":
        return "x" * int(schema.get("minLength", 1))
    return {"integer": schema.get("minimum", 0), "number": schema.get("minimum", 0), "boolean": False}.get(kind)


def hash_vector(text: str, dimensions: int) -> list[float]:
    """Return a unit vector that depends on the text alone."""
    draw = random.Random(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    vector = [draw.gauss(0, 1) for _ in range(dimensions)]
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector]


class ChatServer:
    """Serves from a thread of its own while its context is entered.

    Attributes:
        base_url: `http://127.0.0.1:PORT/v1`.
        requests: every request that came whole, in order of arrival.
        paid: last message's text -> how often it was answered well (and the answer was sent whole).
        in_flight_most: the most requests that were open at one moment.
    """

    def __init__(
        self,
        answer: Answer | None = None,
        *,
        faults: Iterable[str | None] = (),
        chance: float = 0.0,
        kinds: Iterable[str] = FAULTS,
        seed: int = 0,
        in_a_row: int = 3,
        latency_s: float = 0.0,
        retry_after: str = "0",
        modes: Iterable[str] = ("json_schema", "json_object", "prompt"),
        mode_status: int = 400,
        dimensions: int = 8,
        port: int = 0,
    ) -> None:
        """Set what the server does.

        Args:
            answer: gives the text of an answer; None fits the schema.
            faults: scripted, one a request; None answers well.
            chance: of a fault drawn from `kinds` for any later request, by the seed, the last message and how often it came.
            kinds: the faults that may be drawn.
            seed: of the drawn faults.
            in_a_row: at most so many drawn faults for one message; then it is answered well.
            latency_s: seconds before every answer.
            retry_after: the header of a 429.
            modes: ways of asking for a schema that the server knows; others get `mode_status` with a body that names them.
            mode_status: the status of such a refusal (400; llama-cpp-python answers 500).
            dimensions: of the vectors.
            port: 0 takes a free one.
        """
        self.answer = answer or (lambda messages, schema: json.dumps(fitting(schema)))
        self.faults = list(faults)
        self.chance, self.kinds, self.seed, self.in_a_row = chance, list(kinds), seed, in_a_row
        self.latency_s, self.retry_after = latency_s, retry_after
        self.modes, self.mode_status, self.dimensions, self.port = set(modes), mode_status, dimensions, port
        self.base_url = ""
        self.requests: list[Asked] = []
        self.paid: Counter[str] = Counter()
        self.in_flight = self.in_flight_most = 0
        self._came: Counter[str] = Counter()
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None

    def count(self, path: str = "chat") -> int:
        """Return how many requests came: `chat`, `embeddings` or `models`."""
        return sum(asked.path == path for asked in self.requests)

    def __enter__(self) -> ChatServer:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        if self._thread is not None:
            self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, limit=2**26)
        self.port = server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        self._ready.set()
        await self._closing.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (*GONE, asyncio.CancelledError):  # the client left, or the server is being closed
            pass
        finally:
            with suppress(*GONE):
                writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; return whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        lines = [line.partition(":") for line in head[1:] if line]
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        path = head[0].split(" ")[1].removeprefix("/v1/").removesuffix("/completions")
        body = json.loads(raw) if raw else {}
        fault = self._fault(body) if path == "chat" or self.faults else None
        self.requests.append(Asked(path, headers, body, fault))
        self.in_flight += 1
        self.in_flight_most = max(self.in_flight, self.in_flight_most)
        try:
            await asyncio.sleep(self.latency_s)
            return await self._reply(writer, path, body, fault)
        finally:
            self.in_flight -= 1

    def _fault(self, body: dict[str, Any]) -> str | None:
        if self.faults:
            return self.faults.pop(0)
        text = _last(body)
        nth = self._came[text]
        self._came[text] += 1
        draw = random.Random(f"{self.seed} {nth} {text}")
        return draw.choice(self.kinds) if nth < self.in_a_row and draw.random() < self.chance else None

    async def _reply(self, writer: asyncio.StreamWriter, path: str, body: dict[str, Any], fault: str | None) -> bool:
        if fault == "hang":
            await self._closing.wait()
        if fault in ("hang", "closed"):
            return False
        status, reply = self._status_and_reply(path, body, fault)
        raw = b"<html>not JSON" if fault == "bad_body" else json.dumps(reply).encode("utf-8")
        retry = f"Retry-After: {self.retry_after}\r\n" if status == 429 else ""
        kind = "text/html" if fault == "bad_body" else "application/json"
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{retry}Content-Length: {len(raw)}\r\n\r\n"
        if path == "chat" and status == 200 and fault is None:
            self.paid[_last(body)] += 1
        writer.write(head.encode("latin-1") + (raw[: len(raw) // 2] if fault == "cut" else raw))
        await writer.drain()
        return fault != "cut"

    def _status_and_reply(self, path: str, body: dict[str, Any], fault: str | None) -> tuple[int, Any]:
        if fault and fault.isdigit():
            return int(fault), {"error": {"message": f"scripted {fault}", "type": "fake", "code": None}}
        if path == "embeddings":
            return 200, self._embedded(body)
        if path == "models":
            return 200, {"object": "list", "data": [{"id": "fake", "object": "model"}]}
        if path != "chat":
            return 404, {"error": {"message": f"no such path {path}"}}
        asked = body.get("response_format") or {"type": "prompt"}
        if asked["type"] not in self.modes:
            return self.mode_status, {"error": {"message": f"response_format {asked['type']} is not supported"}}
        schema = asked["json_schema"]["schema"] if asked["type"] == "json_schema" else asked.get("schema")
        return 200, self._completion(body, self.answer(body["messages"], schema), fault)

    def _completion(self, body: dict[str, Any], text: str, fault: str | None) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if fault in ("half_json", "length"):
            message["content"] = text[: len(text) // 2]
        elif fault == "other_schema":
            message["content"] = '{"nobody asked for this": [1]}'
        elif fault == "empty":
            message["content"] = ""
        elif fault == "refusal":
            message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
        asked = sum(len(str(one.get("content"))) for one in body["messages"]) // 4 + 1
        answered = len(message["content"] or "") // 4 + 1
        return {
            "id": "fake",
            "object": "chat.completion",
            "created": 0,
            "model": body.get("model", ""),
            "choices": [{"index": 0, "message": message, "finish_reason": "length" if fault == "length" else "stop"}],
            "usage": {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered},
        }

    def _embedded(self, body: dict[str, Any]) -> dict[str, Any]:
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        rows: list[Any] = [hash_vector(text, int(body.get("dimensions") or self.dimensions)) for text in texts]
        if body.get("encoding_format") == "base64":
            rows = [base64.b64encode(struct.pack(f"<{len(row)}f", *row)).decode("ascii") for row in rows]
        items = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(rows)]
        tokens = sum(len(text) // 4 + 1 for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "model": body.get("model", ""), "data": items, "usage": usage}


def _last(body: dict[str, Any]) -> str:
    """Return the text of the last message (of the input, where it is for embeddings)."""
    return str(body["messages"][-1].get("content")) if body.get("messages") else json.dumps(body.get("input"))


def main() -> None:
    """Serve until standard input ends; the address is the first line of standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--text", help="the text of every answer")
    options = parser.parse_args()
    answer: Answer | None = None if options.text is None else (lambda messages, schema: str(options.text))
    with ChatServer(answer, latency_s=options.latency) as server:
        sys.stdout.write(server.base_url + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        sys.stdout.write(json.dumps({"requests": len(server.requests)}) + "\n")


if __name__ == "__main__":
    main()
