"""What the tests of statistics, slices and comparisons share: datasets of many clusters, scored answers, the strict reading."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from mldr.dialogue import Gold, Query
from mldr.errors import MldrError
from mldr.eval.evaluator import Evaluator
from mldr.eval.intake import PredictionTable, from_predictions, read_table
from mldr.eval.prediction import Prediction
from mldr.eval.ragged import Ragged
from mldr.eval.reader import read_predictions
from tests.conftest import Rows, small_dialogue, stored_picture, write_dataset
from tests.eval.support import Answered, answered_queries


def clustered_rows(n_clusters: int) -> Rows:
    """Return one dialogue a cluster, each with an image and with one query for two utterances and the image."""
    image = stored_picture("green")
    rows: Rows = {"dialogues": [], "queries": [], "gold": [], "fragments": [], "images": [image]}
    for number in range(n_clusters):
        dialogue = small_dialogue(number, images=[image])
        query_id = f"{dialogue.dialogue_id}-{0:08x}"
        rows["dialogues"].append(dialogue)
        rows["queries"].append(Query(query_id, dialogue.dialogue_id, "en", "where?"))
        rows["gold"].append(Gold(query_id, "f", "fine", (1, 2), (0,)))
    return rows


def clustered_ids(n_clusters: int) -> list[str]:
    return [f"{number:016x}-{0:08x}" for number in range(n_clusters)]


def clustered(folder: Path, n_clusters: int) -> Evaluator:
    """Return an evaluator of so many queries, each a cluster of its own."""
    return Evaluator(write_dataset(folder, {"test": clustered_rows(n_clusters)}), "test")


def answers(query_ids: Iterable[str], utterance_ids: Sequence[int]) -> dict[str, Prediction]:
    """Return the same answer to every query."""
    return {query_id: Prediction(query_id, tuple(utterance_ids), (0,)) for query_id in query_ids}


def strict_table(path: Path, query_ids: Sequence[str]) -> PredictionTable:
    """Read a file the strict way, row by row."""
    known = {name: position for position, name in enumerate(query_ids)}
    return from_predictions(read_predictions(path, known).values(), known)


def outcome_of(path: Path, query_ids: Sequence[str], strict: bool) -> str:
    """Return what reading a file says: 'good', or the text of its error."""
    try:
        if strict:
            strict_table(path, query_ids)
        else:
            read_table(path, pa.array(query_ids, pa.string()))
    except MldrError as error:
        return str(error)
    return "good"


def rows_of(table: PredictionTable) -> list[tuple[Any, ...]]:
    """Return the rows of a table as Python values; of a row that claims an outcome, neither ids nor scores matter."""
    found: list[tuple[Any, ...]] = []
    for position in range(len(table)):
        claimed = int(table.claimed[position])
        sides: list[object] = []
        for ids, scores in ((table.utterances, table.utterance_scores), (table.images, table.image_scores)):
            if scores is not None:
                assert len(scores) == len(ids.values), "scores stand parallel to the ids"
            start, end = (int(offset) for offset in ids.offsets[position : position + 2])
            marks = None if scores is None or np.isnan(scores[start:end]).any() else scores[start:end].tolist()
            sides += [] if claimed else [ids[position].tolist(), marks or None]
        latency = float(table.latency[position])
        found.append((int(table.query[position]), claimed, *sides, None if np.isnan(latency) else latency))
    return found


def lists_of(ragged: Ragged) -> list[list[int]]:
    return [ragged[position].tolist() for position in range(len(ragged))]


def json_line(**columns: Any) -> bytes:
    return json.dumps(columns).encode()


@st.composite
def scored_queries(draw: st.DrawFn) -> Answered:
    """Draw a query whose answer carries scores, many of them equal; some answers carry none, some fail."""
    item = draw(answered_queries())
    if item.case.answer is None:
        return item
    utterances, images = (tuple(ids) for ids in item.case.answer)
    some = st.sampled_from((-1.5, 0.0, 0.25, 0.5, 3.0))
    scores = [
        draw(st.none() | st.lists(some, min_size=len(ids), max_size=len(ids)).map(tuple))
        for ids in (utterances, images)
    ]
    return replace(item, prediction=Prediction("q", utterances, images, None, scores[0], scores[1]))
