"""Asking a language model: how near to the ideal rate, beside the bare client; then the same questions from the store.

The server is a process of its own on loopback and answers each request after 100 ms; 32 requests are in flight, so 320 a second
are ideal. The replay takes one core; it is shown for short answers (a tag) and long ones (a dialogue of 30 utterances). Beside the
clock's rate stands what this process computed, which other work on the machine disturbs less.

python benchmarks/chat.py
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from mldr.chat import ChatModel, ChatRequest, Message, ModelEndpoint, ResponseStore

SERVER = Path(__file__).resolve().parent.parent / "tests" / "fakes" / "chat_server.py"
LATENCY_S, CONCURRENCY, ROUNDS, QUESTIONS = 0.1, 32, 3, 1600
IDEAL = CONCURRENCY / LATENCY_S
LONG = 2000
STRING = {"type": "string"}
TAG = {"type": "object", "properties": {"tag": STRING}, "required": ["tag"], "additionalProperties": False}
LINE = {
    "type": "object",
    "properties": {"speaker": STRING, "text": STRING, "sources": {"type": "array", "items": {"type": "integer"}}},
    "required": ["speaker", "text", "sources"],
    "additionalProperties": False,
}
DIALOGUE = {
    "type": "object",
    "properties": {"utterances": {"type": "array", "items": LINE}},
    "required": ["utterances"],
    "additionalProperties": False,
}
SHORT_TEXT = json.dumps({"tag": "food"})
LONG_TEXT = json.dumps({"utterances": [{"speaker": "user1", "text": "How was lunch? " * 6, "sources": [4]}] * 30})
PROMPT = "Which topic do these utterances share? " + "I had noodles with my sister at the station. " * 40


class Rate(NamedTuple):
    """How fast."""

    a_second: float
    computing_ms: float


class Server:
    """A server in its own process, until the context ends; then `requests` is how many came."""

    def __init__(self, text: str, latency_s: float) -> None:
        self.command = [sys.executable, str(SERVER), "--latency", str(latency_s), "--text", text]
        self.requests = -1

    def __enter__(self) -> Server:
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.base_url = self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        self.requests = json.loads(self.process.communicate()[0])["requests"]


def questions(first: int, number: int, schema: dict[str, Any]) -> list[ChatRequest]:
    """Return so many different questions."""
    return [
        ChatRequest(
            (Message("system", "You label dialogues."), Message("user", f"{i}. {PROMPT}")), schema, "tag", "tag"
        )
        for i in range(first, first + number)
    ]


async def bare(base_url: str, asked: list[ChatRequest]) -> None:
    """Ask with the client alone: no store, no check of what comes back."""
    from openai import AsyncOpenAI

    slots = asyncio.Semaphore(CONCURRENCY)
    async with AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client:

        async def one(request: ChatRequest) -> None:
            messages: Any = [{"role": message.role, "content": message.content} for message in request.messages]
            form: Any = {
                "type": "json_schema",
                "json_schema": {"name": "tag", "schema": request.schema, "strict": True},
            }
            async with slots:
                await client.chat.completions.create(
                    model="m", messages=messages, response_format=form, max_tokens=4096
                )

        await asyncio.gather(*map(one, asked))


async def ours(base_url: str, store: ResponseStore, asked: list[ChatRequest]) -> None:
    """Ask with `ChatModel`."""
    endpoint = ModelEndpoint(provider="fake", model="m", base_url=base_url, key_env="", concurrency=CONCURRENCY)
    async with ChatModel(endpoint, store) as model:
        await asyncio.gather(*map(model.ask, asked))


def timed(number: int, run: Callable[[], Awaitable[None]]) -> Rate:
    """Return how many a second, and the milliseconds of computing for one."""

    async def taken() -> tuple[float, float]:
        start, computed = time.perf_counter(), time.process_time()
        await run()
        return time.perf_counter() - start, time.process_time() - computed

    seconds, computing = asyncio.run(taken())
    return Rate(number / seconds, 1000 * computing / number)


def median(rates: list[Rate]) -> Rate:
    """Return the median of each figure."""
    return Rate(*(statistics.median(figures) for figures in zip(*rates, strict=True)))


def replayed(path: Path, base_url: str, asked: list[ChatRequest]) -> Rate:
    """Return the median rate at which a store that was opened anew answers."""
    rates: list[Rate] = []
    for _ in range(ROUNDS):
        with ResponseStore(path) as store:
            rates.append(timed(len(asked), lambda: ours(base_url, store, asked)))
    return median(rates)


def main() -> None:
    """Time both in turn, then the store; print one line each."""
    rates: dict[str, list[Rate]] = {"bare client": [], "ChatModel": []}
    with tempfile.TemporaryDirectory() as folder:
        path, long_path = Path(folder) / "short.sqlite", Path(folder) / "long.sqlite"
        with Server(SHORT_TEXT, LATENCY_S) as server, ResponseStore(path) as store:
            timed(CONCURRENCY, lambda: bare(server.base_url, questions(0, CONCURRENCY, TAG)))  # loads the client
            for number in range(ROUNDS):
                asked = questions(number * QUESTIONS, QUESTIONS, TAG)
                rates["bare client"].append(timed(QUESTIONS, lambda: bare(server.base_url, asked)))  # noqa: B023
                rates["ChatModel"].append(timed(QUESTIONS, lambda: ours(server.base_url, store, asked)))  # noqa: B023
        made = server.requests
        with Server(LONG_TEXT, 0.0) as long_server, ResponseStore(long_path) as store:
            timed(LONG, lambda: ours(long_server.base_url, store, questions(0, LONG, DIALOGUE)))
        with Server(SHORT_TEXT, 0.0) as unused:
            short = replayed(path, unused.base_url, questions(0, ROUNDS * QUESTIONS, TAG))
            long = replayed(long_path, unused.base_url, questions(0, LONG, DIALOGUE))
    print_table(rates, made, short, long, unused.requests)


def print_table(rates: dict[str, list[Rate]], made: int, short: Rate, long: Rate, again: int) -> None:
    """Write the figures."""
    write = sys.stdout.write
    write(f"{LATENCY_S * 1000:.0f} ms a request, {CONCURRENCY} in flight; medians of {ROUNDS} runs of {QUESTIONS:,}\n")
    write(f"{'ideal':<34} {IDEAL:8,.0f} a second\n")
    for name, seen in rates.items():
        of_all = median(seen)
        write(f"{name:<34} {of_all.a_second:8,.0f} a second {of_all.computing_ms:7.2f} ms computing each")
        write(f" {of_all.a_second / IDEAL:6.1%} of ideal\n")
    for name, one in (("from the store, tags", short), ("from the store, dialogues (4 kB)", long)):
        write(f"{name:<34} {one.a_second:8,.0f} a second {one.computing_ms:7.2f} ms computing each")
        write(f" ({1000 / one.computing_ms:,.0f} a second of one core)\n")
    write(f"requests: {made:,} in the runs with the server, {again} in those from the store\n")


if __name__ == "__main__":
    main()
