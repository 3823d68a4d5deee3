"""Plug-ins that go wrong, each in one way. Tests copy this file and run it by `module:Class`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from mldr.markup import Sees
from mldr.retrievers import Ask, DialogueView, Prediction


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
