"""The runner: shows a retriever one dialogue at a time, writes each prediction when it comes, and resumes by query id."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from mldr.console import progress
from mldr.dataset import Asked, Dataset
from mldr.errors import MldrError
from mldr.eval.goldset import read_query_ids
from mldr.eval.prediction import Prediction
from mldr.eval.reader import read_predictions
from mldr.files import canonical_json
from mldr.plugins import resolve
from mldr.retrievers.protocol import Example, Fitted, Gold, Retriever, ask_of, view_of
from mldr.version import __version__

GROUP = "mldr.retrievers"
FITTED_ON = "validation"
"""The only split whose gold a system is ever shown."""


def make_retriever(name: str, options: Mapping[str, Any]) -> Retriever:
    """Return a retriever by registered name or `module:Class`, made with its options.

    Raises:
        MldrError: if there is none, or it does not take these options.
    """
    kind = resolve(GROUP, name)
    known = [parameter for parameter in inspect.signature(kind).parameters if parameter != "self"]
    if wrong := [option for option in options if option not in known]:
        takes = ", ".join(known) or "none"
        raise MldrError(f"{name} takes no option {', '.join(sorted(wrong))}; it takes {takes}")
    try:
        retriever = kind(**options)
    except (TypeError, ValueError) as error:
        raise MldrError(f"{name}: {error}") from error
    if not callable(getattr(retriever, "retrieve", None)) or not getattr(retriever, "sees", None):
        raise MldrError(f"{name} is no retriever: it lacks retrieve() or sees")
    return cast(Retriever, retriever)


def run_retriever(
    name: str,
    dataset: Dataset,
    split: str,
    out: Path,
    *,
    options: Mapping[str, Any] | None = None,
    limit: int | None = None,
    resume: bool = False,
    force: bool = False,
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
        force: replace `out`.

    Raises:
        MldrError: if `out` exists and neither `resume` nor `force` is given, or the retriever fails.
    """
    if out.exists() and not (resume or force):
        raise MldrError(f"{out} exists; go on with --resume, or replace it with --force")
    retriever = make_retriever(name, options or {})
    dataset.files("queries", split)
    meta = _described(name, retriever, dataset, options or {})
    done = _done(out, dataset, split, meta) if resume and out.exists() else set()
    total = dataset.manifest.counts.get(split, {}).get("dialogues")
    out.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with out.open("a" if resume else "w", encoding="utf-8", newline="\n") as stream:
        for position, asked in enumerate(progress(dataset.asked(split), total, f"{name} on {split}")):
            if limit is not None and position >= limit:
                break
            for prediction in _answers(name, retriever, dataset, asked, done):
                stream.write(_with_meta(prediction, meta).to_json() + "\n")
                stream.flush()
                written += 1
    return written


def _described(name: str, retriever: Retriever, dataset: Dataset, options: Mapping[str, Any]) -> dict[str, Any]:
    """Fit the retriever where it can be fitted; return what every prediction says of its system."""
    meta: dict[str, Any] = {"system": name, "sees": sorted(retriever.sees), "mldr": __version__}
    if options:
        meta["options"] = dict(options)
    if isinstance(retriever, Fitted):
        if FITTED_ON in dataset.splits and dataset.has_gold(FITTED_ON):
            retriever.fit(_examples(retriever, dataset))
            meta["fitted_on"] = FITTED_ON
        meta["fitted"] = retriever.fitted
    return meta


def _examples(retriever: Retriever, dataset: Dataset) -> Iterator[Example]:
    for asked in dataset.asked(FITTED_ON):
        view = view_of(asked.dialogue, retriever.sees, dataset.image)
        golds = [Gold(frozenset(gold.utterance_ids), frozenset(gold.image_ids)) for gold in asked.gold]
        yield view, [ask_of(query) for query in asked.queries], golds


def _answers(name: str, retriever: Retriever, dataset: Dataset, asked: Asked, done: set[str]) -> Iterator[Prediction]:
    asks = [ask_of(query) for query in asked.queries if query.query_id not in done]
    if not asks:
        return
    open_ids = {ask.query_id for ask in asks}
    view = view_of(asked.dialogue, retriever.sees, dataset.image)
    for prediction in retriever.retrieve(view, asks):
        if prediction.query_id not in open_ids:
            raise MldrError(f"{name} answered {prediction.query_id!r}, which it was not asked, or twice")
        open_ids.remove(prediction.query_id)
        yield prediction


def _with_meta(prediction: Prediction, meta: Mapping[str, Any]) -> Prediction:
    from dataclasses import replace

    own = json.loads(prediction.meta) if prediction.meta else {}
    return replace(prediction, meta=canonical_json({**own, **meta}))


def _done(out: Path, dataset: Dataset, split: str, meta: Mapping[str, Any]) -> set[str]:
    """Return the query ids that `out` answers, after cutting a last line that was not finished."""
    whole = out.read_bytes()
    if whole and not whole.endswith(b"\n"):
        with out.open("rb+") as stream:
            stream.truncate(whole.rfind(b"\n") + 1)
    if not out.stat().st_size:
        return set()
    found = read_predictions(out, read_query_ids(dataset, split))
    for prediction in found.values():
        before = json.loads(prediction.meta) if prediction.meta else {}
        if any(before.get(key) != meta.get(key) for key in ("system", "options", "fitted", "sees")):
            raise MldrError(f"{out} holds predictions of another system or other options; use --force to replace it")
    return set(found)
