"""A system made ready on a dataset: opened, fitted on validation, and shown dialogues without a way back to the dataset."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from mldr.dataset import Asked, Dataset
from mldr.dialogue import Fragment, StoredImage
from mldr.retrievers.answering import Open
from mldr.retrievers.making import answerable_for, plain_json
from mldr.retrievers.protocol import Example, Fittable, Gold, Opened, Oracle, Retriever, Run, ask_of, view_of
from mldr.version import __version__

FITTED_ON = "validation"
"""The only split whose gold a system is ever shown, oracles aside."""


def run_of(dataset: Dataset, out: Path, **settings: Any) -> Run:
    """Return what a system may use of a run on a dataset.

    Args:
        dataset: what is asked.
        out: the predictions file.
        settings: the other fields of `Run`.
    """
    release = dataset.manifest.release
    templates = {} if release is None else release.templates
    origins = (dataset.arrow("dialogues", split, ["origin"])["origin"].unique().to_pylist() for split in dataset.splits)
    real = any(
        origin != "stitched" for found in origins for origin in found
    )  # what is not known to be stitched is real
    return Run(
        out=out,
        real=real,
        consent_scopes=frozenset(dataset.manifest.consent_scopes or ()),
        templates={name: (words["system"], words["user"]) for name, words in sorted(templates.items())},
        **settings,
    )


@contextmanager
def opened(name: str, retriever: Retriever, run: Run) -> Iterator[Callable[[], None]]:
    """Open a system where it can be opened; yield what closes it early, and close it at the end."""
    done: list[bool] = []

    def close() -> None:
        if isinstance(retriever, Opened) and not done:
            done.append(True)
            with answerable_for(name):
                retriever.close()

    try:
        if isinstance(retriever, Opened):
            with answerable_for(name):
                retriever.open(run)
        yield close
    finally:
        close()


def described(name: str, retriever: Retriever, dataset: Dataset, options: Mapping[str, Any]) -> dict[str, Any]:
    """Fit the retriever where it can be fitted; return what every prediction says of its system."""
    meta: dict[str, Any] = {"system": name, "sees": sorted(retriever.sees), "mldr": __version__}
    movable = getattr(retriever, "movable", ())
    if shaping := {option: _without_folder(value) for option, value in options.items() if option not in movable}:
        meta["options"] = shaping
    if isinstance(retriever, Oracle):
        meta["oracle"] = True
    if isinstance(retriever, Fittable):
        if FITTED_ON in dataset.splits and dataset.has_gold(FITTED_ON):
            # A list and no generator: that would be a way back to the dataset. Validation splits are small.
            examples = [_example(retriever.sees, dataset.image_or_missing, one) for one in dataset.asked(FITTED_ON)]
            with answerable_for(name):
                retriever.fit(iter(examples))
            meta["fitted_on"] = FITTED_ON
        meta["fitted"] = plain_json(name, getattr(retriever, "fitted", {}))
    return meta


def _without_folder(value: Any) -> Any:
    """Return a path's last part and any other value as it is: predictions are published, and nobody's folders with them."""
    is_path = isinstance(value, str) and (value.startswith((".", "~")) or Path(value).is_absolute())
    return Path(value).name if is_path else value


def _example(sees: Collection[Any], image: Callable[[str], StoredImage], asked: Asked) -> Example:
    view = view_of(asked.dialogue, sees, image)
    return view, [ask_of(query) for query in asked.queries], [_gold(one) for one in asked.gold]


def _gold(gold: Any) -> Gold:
    return Gold(frozenset(gold.utterance_ids), frozenset(gold.image_ids))


def dialogues(
    retriever: Retriever, dataset: Dataset, split: str, asked: Iterable[Asked], done: Collection[str]
) -> Iterator[Open]:
    """Yield each dialogue as the system sees it, with the queries that are not answered; those with none are skipped."""
    truth = _fragments(dataset, split) if isinstance(retriever, Oracle) else {}
    for one in asked:
        asks = [ask_of(query) for query in one.queries if query.query_id not in done]
        if not asks:
            continue
        reveal = None
        if isinstance(retriever, Oracle):
            golds = {gold.query_id: _gold(gold) for gold in one.gold}
            reveal = partial(retriever.reveal, truth.get(one.dialogue.dialogue_id, ()), golds)
        yield Open(view_of(one.dialogue, retriever.sees, dataset.image_or_missing), asks, reveal)


def _fragments(dataset: Dataset, split: str) -> dict[str, tuple[Fragment, ...]]:
    found = sorted(dataset.fragments(split), key=lambda one: (one.dialogue_id, one.fragment_id))
    return {key: tuple(group) for key, group in groupby(found, key=lambda one: one.dialogue_id)}
