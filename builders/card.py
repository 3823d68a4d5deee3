"""The card of a built set: the core's, with the papers' figures and what trivial systems get beside the set's own."""

from __future__ import annotations

from collections.abc import Mapping

from mldr.builders.floor import floor
from mldr.builders.papers import papers_section
from mldr.card import compose, plain, table
from mldr.dataset import Dataset
from mldr.eval.measures import HEADLINE
from mldr.summary import summarise


def card(dataset: Dataset, notice: str) -> str:
    """Return the README of a built dataset.

    Args:
        dataset: a written dataset with its manifest.
        notice: the recipe's warning, shown first; '' for none.

    Raises:
        MldrError: if the tables do not fit one another.
    """
    summaries = {split: summarise(dataset, split) for split in dataset.splits}
    floors = {split: floor(dataset, split) for split in dataset.splits if dataset.has_gold(split)}
    papers = papers_section(summaries, dataset.manifest, floors)
    return compose(dataset, summaries, notice, [papers, *_floor_section(floors)])


def _floor_section(floors: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> list[str]:
    if not floors:
        return []
    rows = [
        [plain(split), system, *(_percent(values[str(measure)]) for measure in HEADLINE)]
        for split, systems in floors.items()
        for system, values in systems.items()
    ]
    return [
        "## What a system gets without reading\n\n"
        "`all` returns every utterance and image, `none` nothing, `random` each with an even chance. A score that does not "
        "stand clearly above them says nothing of a system. Percent.\n\n"
        + table(["split", "system", "joint F1, micro", "joint F1, macro"], rows)
    ]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"
