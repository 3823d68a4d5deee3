"""The runner: shows a retriever one dialogue at a time, writes each prediction when it comes, and resumes by query id."""

from __future__ import annotations

import inspect
import json
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, cast, get_args

from mldr.dataset import Asked, Dataset
from mldr.dialogue import StoredImage
from mldr.errors import MldrError, printable
from mldr.eval.goldset import read_query_ids
from mldr.eval.prediction import Prediction, row_faults
from mldr.eval.reader import read_predictions
from mldr.files import canonical_json, parse_json
from mldr.markup import Sees
from mldr.plugins import resolve
from mldr.progress import Progress
from mldr.retrievers.protocol import Example, Fittable, Gold, Retriever, ask_of, view_of
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
    try:
        known = [parameter for parameter in inspect.signature(kind).parameters if parameter != "self"]
    except (TypeError, ValueError) as error:
        raise MldrError(f"{name} is no retriever: a class is expected") from error
    if wrong := [option for option in options if option not in known]:
        takes = ", ".join(known) or "none"
        raise MldrError(f"{name} takes no option {', '.join(sorted(wrong))}; it takes {takes}")
    with _answerable_for(name):
        retriever = kind(**options)
        sees = getattr(retriever, "sees", None)
    if not callable(getattr(retriever, "retrieve", None)):
        raise MldrError(f"{name} is no retriever: it lacks retrieve()")
    if isinstance(sees, str) or not isinstance(sees, Collection) or not sees or not set(sees) <= set(get_args(Sees)):
        raise MldrError(f"{name}: sees is {sees!r}; a list of {', '.join(get_args(Sees))} is expected")
    return cast(Retriever, retriever)


@contextmanager
def _answerable_for(name: str) -> Iterator[None]:
    """Turn whatever a system's own code raises into one line that names the system and the place."""
    try:
        yield
    except (MldrError, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if len(frames) > 1 else ""
        raise MldrError(f"{name} failed: {type(error).__name__}: {printable(str(error))}{place}") from error


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
        force: replace `out`.
        progress: shows how far it is; nothing by default.

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
    written, shown = 0, progress or Progress()
    with out.open("a" if resume else "w", encoding="utf-8", newline="\n") as stream:
        for position, asked in enumerate(shown.over(dataset.asked(split, gold=False), f"{name} on {split}", total)):
            if limit is not None and position >= limit:
                break
            for line in _answers(name, retriever, dataset, asked, done, meta):
                stream.write(line + "\n")
                stream.flush()
                written += 1
    return written


def _described(name: str, retriever: Retriever, dataset: Dataset, options: Mapping[str, Any]) -> dict[str, Any]:
    """Fit the retriever where it can be fitted; return what every prediction says of its system."""
    meta: dict[str, Any] = {"system": name, "sees": sorted(retriever.sees), "mldr": __version__}
    if options:
        meta["options"] = dict(options)
    if isinstance(retriever, Fittable):
        if FITTED_ON in dataset.splits and dataset.has_gold(FITTED_ON):
            # A list and no generator: that would be a way back to the dataset. Validation splits are small.
            examples = [_example(retriever.sees, dataset.image, asked) for asked in dataset.asked(FITTED_ON)]
            with _answerable_for(name):
                retriever.fit(iter(examples))
            meta["fitted_on"] = FITTED_ON
        meta["fitted"] = _plain_json(name, getattr(retriever, "fitted", {}))
    return meta


def _example(sees: Collection[Sees], image: Callable[[str], StoredImage], asked: Asked) -> Example:
    view = view_of(asked.dialogue, sees, image)
    golds = [Gold(frozenset(gold.utterance_ids), frozenset(gold.image_ids)) for gold in asked.gold]
    return view, [ask_of(query) for query in asked.queries], golds


def _plain_json(name: str, value: Any) -> Any:
    """Return a system's own value as JSON keeps it; numbers of numpy become Python's."""
    try:
        return json.loads(json.dumps(value, default=lambda one: one.item(), allow_nan=False))
    except (TypeError, ValueError, AttributeError) as error:
        raise MldrError(f"{name}: {printable(repr(value))} cannot be written as JSON") from error


def _answers(
    name: str, retriever: Retriever, dataset: Dataset, asked: Asked, done: set[str], meta: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the predictions for one dialogue as lines of a predictions file."""
    asks = [ask_of(query) for query in asked.queries if query.query_id not in done]
    if not asks:
        return
    open_ids = {ask.query_id for ask in asks}
    with _answerable_for(name):
        view = view_of(asked.dialogue, retriever.sees, dataset.image)
        predictions = iter(retriever.retrieve(view, asks))
    while True:
        with _answerable_for(name):
            prediction = next(predictions, None)
        if prediction is None:
            return
        line = _line(name, prediction, meta)
        if prediction.query_id not in open_ids:
            raise MldrError(f"{name} answered {prediction.query_id!r}, which it was not asked, or twice")
        open_ids.remove(prediction.query_id)
        yield line


def _line(name: str, prediction: Any, meta: Mapping[str, Any]) -> str:
    """Return a prediction as a line of a predictions file, with what is known of its system.

    Raises:
        MldrError: if it is none, or `mldr-eval` would refuse it.
    """
    if not isinstance(prediction, Prediction):
        raise MldrError(f"{name} yielded {type(prediction).__name__}; a Prediction is expected")
    own = prediction.meta
    values = {field.name: _plain(getattr(prediction, field.name)) for field in fields(prediction)}
    try:
        known = parse_json(own) if own else {}
        line = Prediction(**{**values, "meta": canonical_json({**known, **meta})}).to_json()
        wrong = list(row_faults(json.loads(line)))
    except (TypeError, ValueError) as error:
        raise MldrError(f"{name}: a prediction for {prediction.query_id!r} cannot be written ({error})") from error
    if wrong:
        raise MldrError(f"{name}: a prediction for {prediction.query_id!r} is wrong: {'; '.join(wrong)}")
    return line


def _plain(value: Any) -> Any:
    """Return numbers of numpy as Python's, and any sequence as a tuple."""
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, Iterable):
        return tuple(_plain(one) for one in value)
    return value.item() if hasattr(value, "item") else value


def _done(out: Path, dataset: Dataset, split: str, meta: Mapping[str, Any]) -> set[str]:
    """Return the query ids that `out` answers, after cutting a last line that was not finished."""
    whole = out.read_bytes()
    if whole and not whole.endswith(b"\n"):
        with out.open("rb+") as stream:
            stream.truncate(whole.rfind(b"\n") + 1)
    if not out.stat().st_size:
        return set()
    found = read_predictions(out, set(read_query_ids(dataset, split).to_pylist()))
    for prediction in found.values():
        before = json.loads(prediction.meta) if prediction.meta else {}
        if any(before.get(key) != meta.get(key) for key in ("system", "options", "fitted", "sees")):
            raise MldrError(f"{out} holds predictions of another system or other options; use --force to replace it")
    return set(found)
