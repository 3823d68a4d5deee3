"""The runner: shows a retriever one dialogue at a time, writes each prediction when it comes, and resumes by query id."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from mldr.dataset import Dataset
from mldr.errors import MldrError
from mldr.eval.goldset import read_query_ids
from mldr.executors import Executor
from mldr.progress import Progress
from mldr.retrievers.answering import one_by_one, several_at_once
from mldr.retrievers.making import GROUP, make_retriever
from mldr.retrievers.protocol import Oracle, Parallel, Retriever
from mldr.retrievers.readying import described, dialogues, opened, run_of
from mldr.retrievers.rows import answered_in, without_failures
from mldr.retrievers.spreading import spread

__all__ = ["GROUP", "Asking", "make_retriever", "run_retriever"]


@dataclass(frozen=True, slots=True)
class Asking:
    """How models are asked in a run; systems that ask none do not look at it."""

    responses: Path | None = None
    """Where answers of models are kept; None is `OUT.responses.sqlite`."""
    offline: bool = False
    """Answer from there alone."""
    budget: float | None = None
    """What may be spent, in the currency of the price."""


def run_retriever(
    name: str,
    dataset: Dataset,
    split: str,
    out: Path,
    *,
    options: Mapping[str, Any] | None = None,
    limit: int | None = None,
    resume: bool = False,
    retry_errors: bool = False,
    force: bool = False,
    asking: Asking | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> int:
    """Answer the queries of a split and write a predictions file; return how many predictions were written.

    Args:
        name: a registered retriever, or `module:Class`.
        dataset: what is asked.
        split: of it.
        out: the predictions file (JSONL).
        options: what the retriever is made with.
        limit: only the queries of so many dialogues.
        resume: keep the predictions that `out` holds and answer the rest.
        retry_errors: with `resume`, ask again where `out` claims `api_error`.
        force: replace `out`.
        asking: how models are asked.
        executor: spreads dialogues over processes or machines; None answers here.
        progress: shows how far it is; nothing by default.

    Raises:
        MldrError: if `out` exists and neither `resume` nor `force` is given, or the retriever fails.
        InterruptedRun: if it can go on with `resume`.
    """
    if out.exists() and not (resume or force):
        raise MldrError(f"{out} exists; go on with --resume, or replace it with --force")
    retriever = make_retriever(name, options or {})
    dataset.files("queries", split)
    shown, asking = progress or Progress(), asking or Asking()
    run = run_of(
        dataset, out, responses=asking.responses, offline=asking.offline, budget=asking.budget, note=shown.note
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with opened(name, retriever, run) as close:
        meta = described(name, retriever, dataset, options or {})
        done: set[str] = set()
        if resume and out.exists():
            if retry_errors and (again := without_failures(out)):
                shown.say(f"asked again: {again:,} queries that ended in api_error")
            done = answered_in(out, read_query_ids(dataset, split).to_pylist(), meta)
        total = dataset.manifest.counts.get(split, {}).get("dialogues")
        total = total if limit is None or total is None else min(total, limit)
        if executor is not None:
            count = sum(1 for _ in dataset.dialogues(split)) if total is None else total
            found = spread(executor, name, retriever, dataset, split, done, options or {}, meta, run, count)
        else:
            found = _here(name, retriever, dataset, split, done, meta, limit, close)
        with out.open("a" if resume else "w", encoding="utf-8", newline="\n") as stream:
            return _written(stream, found, shown, f"{name} on {split}", total)


def _here(
    name: str,
    retriever: Retriever,
    dataset: Dataset,
    split: str,
    done: set[str],
    meta: Mapping[str, Any],
    limit: int | None,
    close: Any,
) -> Iterator[list[str]]:
    """Yield lines as they come from the retriever in this process."""
    asked = dataset.asked(split, gold=isinstance(retriever, Oracle))
    if limit is not None:
        asked = islice(asked, limit)
    shown = dialogues(retriever, dataset, split, asked, done)
    at_once = retriever.at_once if isinstance(retriever, Parallel) else 1
    if at_once > 1 and not isinstance(retriever, Oracle):
        return several_at_once(name, retriever, shown, meta, at_once, close)
    return one_by_one(name, retriever, shown, meta)


def _written(stream: TextIO, found: Iterator[list[str]], shown: Progress, step: str, total: int | None) -> int:
    """Write each line the moment it exists; show dialogues done and queries a second; return the number of lines."""
    written, began = 0, time.monotonic()
    shown.start(step, total)
    for lines in found:
        for line in lines:
            stream.write(line + "\n")
        stream.flush()
        written += len(lines)
        if not lines:
            shown.advance()
            shown.note(f"{written / max(time.monotonic() - began, 1e-9):,.1f} queries a second")
    return written
