"""Plug-ins that go wrong, each in one way. Tests copy this file and run it by `module:Class`."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from mldr.markup import Sees
from mldr.retrievers import Ask, DialogueView, Prediction
from mldr.retrievers.protocol import Run


class Echo:
    """Answers with the position of the query in what it was asked so far; says so in its response."""

    sees: tuple[Sees, ...] = ("text",)

    def __init__(self, word: str = "", upper: bool = False) -> None:
        self.word = word.upper() if upper else word

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        for ask in asks:
            text = f"{self.word}问{ask.text}\n答"
            yield Prediction(
                ask.query_id, (len(ask.text) % len(view.utterances),), (), response=text, meta='{"own":"好"}'
            )


class FailsHalfWay(Echo):
    """Answers two queries and breaks."""

    answered = 0

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        for prediction in super().retrieve(view, asks):
            if self.answered == 2:
                raise RuntimeError("broke half-way")
            self.answered += 1
            yield prediction


class KilledHalfWay(Echo):
    """Is killed after two answers in its first run; what the file holds then is copied beside it for the test."""

    answered = 0

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        mark = Path("killed")
        for prediction in super().retrieve(view, asks):
            if self.answered == 2 and not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            self.answered += 1
            yield prediction


class Stranger(Echo):
    """Answers a query that nobody asked."""

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        yield Prediction("stranger", (), ())


class Twice(Echo):
    """Answers a query twice."""

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        for ask in asks:
            yield Prediction(ask.query_id, (), ())
            yield Prediction(ask.query_id, (0,), ())


class Surrogates(Echo):
    """Has a model's text that broke off inside a character."""

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        for ask in asks:
            yield Prediction(ask.query_id, (), (), response="\ud83d")


class LeavesOut(Echo):
    """Answers the first query of a dialogue only."""

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        yield Prediction(asks[0].query_id, (), ())


class NoRetriever:
    """Lacks everything."""


CONSTANT = 7

SOURCE = Path(__file__)
"""This file, for tests that copy it."""


class Several(Echo):
    """Answers several dialogues at once; a barrier that all must reach shows that it does."""

    at_once = 2
    barrier = threading.Barrier(2, timeout=20)
    closed: ClassVar[list[str]] = []

    def open(self, run: Run) -> None:
        self.closed.clear()

    def close(self) -> None:
        self.closed.append("closed")

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        self.barrier.wait()
        yield from super().retrieve(view, asks)


class SeveralOneFails(Several):
    """Fails in one of its threads; the other one would wait for a minute unless it is closed."""

    ended = threading.Event()

    def open(self, run: Run) -> None:
        super().open(run)
        self.ended.clear()

    def close(self) -> None:
        super().close()
        self.ended.set()

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        self.barrier.wait()
        if len(asks) == 1:
            raise RuntimeError("broke in a thread")
        yield Prediction(asks[0].query_id, (), ())
        if not self.ended.wait(60):
            yield Prediction("nobody stopped me", (), ())


class Claims(Echo):
    """Claims a failure for every second query."""

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        for number, ask in enumerate(asks):
            yield Prediction(ask.query_id, outcome="api_error") if number % 2 else Prediction(ask.query_id, (), ())


class Samples:
    """Draws samples from a fixed list, by the words of the query: `1,2|1||fail` is four samples."""

    sees: tuple[Sees, ...] = ("text",)

    def __init__(self, temperature: float = 0.0) -> None:
        self.temperature = temperature

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        return self.sampled(view, asks, 0)

    def sampled(self, view: DialogueView, asks: list[Ask], sample: int) -> Iterator[Prediction]:
        for ask in asks:
            drawn = ask.text.split("|")
            said = drawn[sample % len(drawn)]
            if said == "fail":
                yield Prediction(ask.query_id, response="no", outcome="parse_error")
            else:
                ids = tuple(int(one) for one in said.split(",") if one)
                yield Prediction(ask.query_id, ids, ids[:1], response=said, meta='{"model":"m"}')


class Asks(Echo):
    """Says that it asks a server."""

    needs = ("endpoint",)
