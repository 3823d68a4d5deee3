"""One system answering dialogues: one after another, or several at once in threads; every answer as a finished line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from mldr.errors import MldrError
from mldr.retrievers.making import answerable_for
from mldr.retrievers.protocol import Ask, DialogueView, Retriever
from mldr.retrievers.rows import prediction_line


@dataclass(frozen=True, slots=True)
class Open:
    """A dialogue with the queries that are not answered yet."""

    view: DialogueView
    asks: list[Ask]
    reveal: Callable[[], None] | None = None
    """Shows an oracle the truth; called right before it answers."""


def answers(name: str, retriever: Retriever, opened: Open, meta: Mapping[str, Any]) -> Iterator[str]:
    """Yield the predictions for one dialogue as lines of a predictions file.

    A line's latency is the time since the line before it, or since the dialogue was shown: of a system that answers the queries of
    a dialogue together the first bears what they share.

    Raises:
        MldrError: if the system fails, or answers what it was not asked.
    """
    open_ids = {ask.query_id for ask in opened.asks}
    began = time.perf_counter()
    with answerable_for(name):
        if opened.reveal is not None:
            opened.reveal()
        predictions = iter(retriever.retrieve(opened.view, opened.asks))
    while True:
        with answerable_for(name):
            prediction = next(predictions, None)
        if prediction is None:
            return
        now = time.perf_counter()
        line = prediction_line(name, prediction, now - began, meta)
        began = now
        if prediction.query_id not in open_ids:
            raise MldrError(f"{name} answered {prediction.query_id!r}, which it was not asked, or twice")
        open_ids.remove(prediction.query_id)
        yield line


def one_by_one(
    name: str, retriever: Retriever, dialogues: Iterable[Open], meta: Mapping[str, Any]
) -> Iterator[list[str]]:
    """Yield lines as they come; an empty list ends each dialogue."""
    for opened in dialogues:
        for line in answers(name, retriever, opened, meta):
            yield [line]
        yield []


def several_at_once(
    name: str,
    retriever: Retriever,
    dialogues: Iterable[Open],
    meta: Mapping[str, Any],
    at_once: int,
    stop: Callable[[], None],
) -> Iterator[list[str]]:
    """Yield lines as they come, from `at_once` threads; an empty list ends each dialogue.

    Dialogues are read here, one for each thread that is free, so memory does not grow with the split. After a failure nothing new
    is begun, what is under way is given up by `stop`, and what was answered by then is yielded before the failure is raised.
    """
    said: SimpleQueue[str | BaseException | None] = SimpleQueue()

    def answer(opened: Open) -> None:
        try:
            for line in answers(name, retriever, opened, meta):
                said.put(line)
            said.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that reads
            said.put(error)

    source, running, failed = iter(dialogues), 0, None
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="mldr-retrieve")
    try:
        while True:
            while failed is None and running < at_once and (opened := next(source, None)) is not None:
                pool.submit(answer, opened)
                running += 1
            if not running:
                break
            match said.get():
                case str() as line:
                    yield [line]
                case None:
                    running -= 1
                    yield []
                case error:
                    running -= 1
                    if failed is None:
                        failed = error
                        stop()
    finally:
        if running:  # Ctrl-C, or nobody reads on
            stop()
        pool.shutdown(wait=True, cancel_futures=True)
    if failed is not None:
        raise failed
