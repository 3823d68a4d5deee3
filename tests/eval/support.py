"""Gold, predictions and files for the tests of scoring, and hypothesis strategies that make them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import mldr
from mldr.answers import format_answer
from mldr.dialogue import Dialogue, DialogueImage, Gold, Query, StoredImage, Utterance, kind_of
from mldr.errors import Fault, InputError, MldrError
from mldr.eval import read_predictions
from mldr.eval.counts import CountTable, count
from mldr.eval.goldset import DIALOGUE_COLUMNS, GOLD_COLUMNS, GoldSet, universe_of
from mldr.eval.intake import from_predictions
from mldr.eval.outcomes import Outcome
from mldr.eval.outcomes import judge as judge_all
from mldr.eval.prediction import Prediction
from mldr.eval.ragged import Ragged
from tests.conftest import Rows, small_rows, write_dataset
from tests.eval.bruteforce import Case

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""No test here depends on how fast it runs; files of an example may be written over those of the last."""

TEST_IDS = tuple(f"{number:016x}-{position:08x}" for number, position in ((16, 0), (16, 1), (16, 2), (17, 3)))
"""The queries of `test` in `small_dataset`: multimodal, utterance, image, negative."""

PREDICTIONS_SCHEMA = pa.schema(
    [
        ("query_id", pa.string()),
        ("utterance_ids", pa.list_(pa.int64())),
        ("image_ids", pa.list_(pa.int64())),
        ("response", pa.string()),
        ("utterance_scores", pa.list_(pa.float64())),
        ("image_scores", pa.list_(pa.float64())),
        ("latency_s", pa.float64()),
        ("outcome", pa.string()),
        ("meta", pa.string()),
    ]
)


def row(query_id: str, utterance_ids: Iterable[int] = (), image_ids: Iterable[int] = (), **more: Any) -> dict[str, Any]:
    """Return a row of a predictions file."""
    return {"query_id": query_id, "utterance_ids": list(utterance_ids), "image_ids": list(image_ids), **more}


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in rows), encoding="utf-8")
    return path


def write_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=PREDICTIONS_SCHEMA), path)
    return path


@dataclass(frozen=True)
class Asked:
    """One query as the tests write it down."""

    query_id: str
    cluster_id: str
    kind: str
    n_utterances: int
    n_images: int
    textless: frozenset[int]
    gold_utterances: frozenset[int]
    gold_images: frozenset[int]


@dataclass(frozen=True)
class Verdict:
    """What became of one query, taken out of the columns."""

    outcome: Outcome
    utterance_ids: tuple[int, ...] = ()
    image_ids: tuple[int, ...] = ()
    utterance_scores: tuple[float, ...] | None = None
    image_scores: tuple[float, ...] | None = None
    repeated: int = 0
    textless: int = 0
    out_of_range: int = 0


def gold_set(asked: Sequence[Asked]) -> GoldSet:
    """Return queries as columns."""
    clusters = sorted({one.cluster_id for one in asked})
    rows = [{**dict.fromkeys(GOLD_COLUMNS, ""), "query_id": one.query_id, "kind": one.kind} for one in asked]
    dialogue = {**dict.fromkeys(DIALOGUE_COLUMNS, ""), "language": "en", "origin": "stitched"}
    return GoldSet(
        dataset_name="tests",
        split="test",
        query_ids=pa.array([one.query_id for one in asked], pa.string()),
        cluster=np.array([clusters.index(one.cluster_id) for one in asked], dtype=np.int64),
        n_clusters=len(clusters),
        utt=universe_of(
            np.array([one.n_utterances for one in asked], dtype=np.int64),
            Ragged.of([sorted(one.gold_utterances) for one in asked]),
            Ragged.of([sorted(one.textless) for one in asked]),
        ),
        img=universe_of(
            np.array([one.n_images for one in asked], dtype=np.int64),
            Ragged.of([sorted(one.gold_images) for one in asked]),
            None,
        ),
        gold=pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in GOLD_COLUMNS])),
        dataset=None,
        dialogues=pa.Table.from_pylist([dialogue]),
        dialogue=np.zeros(len(asked), dtype=np.int64),
    )


def judge(prediction: Prediction | None, asked: Asked) -> Verdict:
    """Judge one query."""
    given = [] if prediction is None else [replace(prediction, query_id=asked.query_id)]
    found = judge_all(from_predictions(given, {asked.query_id: 0}), gold_set([asked]))
    return Verdict(
        found.name(0),
        tuple(found.utt.ids[0].tolist()),
        tuple(found.img.ids[0].tolist()),
        None if found.utt.scores is None else tuple(found.utt.scores.tolist()),
        None if found.img.scores is None else tuple(found.img.scores.tolist()),
        int(found.utt.repeated[0] + found.img.repeated[0]),
        int(found.utt.textless[0]),
        int(found.utt.outside[0] + found.img.outside[0]),
    )


def ask(
    n_utterances: int = 6,
    n_images: int = 2,
    textless: Iterable[int] = (),
    gold_utterances: Iterable[int] = (),
    gold_images: Iterable[int] = (),
    query_id: str = "q",
) -> Asked:
    """Return a query as scoring sees it."""
    utterances, images = frozenset(gold_utterances), frozenset(gold_images)
    kind = kind_of(tuple(utterances), tuple(images))
    return Asked(query_id, "cluster", kind, n_utterances, n_images, frozenset(textless), utterances, images)


@dataclass(frozen=True)
class Answered:
    """One query, as brute force sees it, beside the prediction that says the same."""

    case: Case
    prediction: Prediction | None

    def asked(self, query_id: str = "q") -> Asked:
        case = self.case
        return ask(
            case.n_utterances, case.n_images, case.textless, case.gold_utterances, case.gold_images, query_id=query_id
        )


def table_of(answered: Sequence[Answered]) -> CountTable:
    """Return the count table of some answered queries, by the code under test."""
    asked = [item.asked(f"q{position}") for position, item in enumerate(answered)]
    given = [
        replace(item.prediction, query_id=query.query_id)
        for item, query in zip(answered, asked, strict=True)
        if item.prediction is not None
    ]
    gold = gold_set(asked)
    return count(gold, judge_all(from_predictions(given, {one.query_id: i for i, one in enumerate(asked)}), gold))


def answered(case: Case) -> Answered:
    """Return a case with the plain prediction that says its answer."""
    if case.answer is None:
        return Answered(case, Prediction("q", outcome="api_error"))
    return Answered(case, Prediction("q", tuple(case.answer[0]), tuple(case.answer[1])))


FAILURES: tuple[Prediction | None, ...] = (
    None,
    Prediction("q", (0,), (0,), outcome="api_error"),
    Prediction("q", outcome="refused"),
    Prediction("q", (), (), outcome="parse_error"),
    Prediction("q", response="I cannot find it."),
    Prediction("q", response="<|utt_ids_start|>[0, 1]"),
)
"""Every way to fail."""


def subsets(items: Iterable[int]) -> st.SearchStrategy[frozenset[int]]:
    pool = sorted(items)
    return st.frozensets(st.sampled_from(pool)) if pool else st.just(frozenset())


@st.composite
def answered_queries(draw: st.DrawFn, in_range: bool = False, failures: bool = True) -> Answered:
    """Draw a dialogue, its gold and an answer: empty universes, repeats, ids outside, textless ids, failures."""
    n_utterances, n_images = draw(st.integers(0, 6)), draw(st.integers(0, 4))
    textless = draw(subsets(range(n_utterances)))
    case = Case(
        n_utterances,
        textless,
        n_images,
        draw(subsets(set(range(n_utterances)) - textless)),
        draw(subsets(range(n_images))),
        None,
    )
    if failures and draw(st.integers(0, 4)) == 0:
        return Answered(case, draw(st.sampled_from(FAILURES)))
    spare = 0 if in_range else 3
    utterances = draw(_some_ids(n_utterances + spare))
    images = draw(_some_ids(n_images + spare))
    prediction = Prediction("q", tuple(utterances), tuple(images))
    if draw(st.booleans()):
        prediction = Prediction("q", response=f"draft\n{format_answer(utterances, images)}\nend")
    return Answered(replace(case, answer=(utterances, images)), prediction)


def _some_ids(size: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, size - 1), max_size=8) if size else st.just([])


def dataset_of(
    folder: Path, dialogue: Dialogue, golds: Sequence[Gold], images: Sequence[StoredImage] = ()
) -> mldr.Dataset:
    """Write a dataset of one split `test`: one dialogue, a query for each gold."""
    queries = [
        Query(gold.query_id, dialogue.dialogue_id, dialogue.language, f"about {gold.query_id}") for gold in golds
    ]
    rows: Rows = {
        "dialogues": [dialogue],
        "queries": list(queries),
        "gold": list(golds),
        "fragments": [],
        "images": list(images),
    }
    return write_dataset(folder, {"test": rows})


def mixed_dialogue(n_images: int = 2, origin: str = "stitched") -> Dialogue:
    """Return five utterances, of which number 3 has only an image, and two images without bytes."""
    utterances: tuple[Utterance, ...] = (
        Utterance("Ann", "shall we go hiking"),
        Utterance("Bob", "look at this lake", (0,)),
        Utterance("Ann", "lovely"),
        Utterance("Bob", "", (1,)),
        Utterance("Ann", "see you on Sunday"),
    )
    if n_images == 0:
        utterances = tuple(replace(u, image_ids=(), text=u.text or "no picture") for u in utterances)
    images = tuple(DialogueImage(f"ref:tests/{number}", f"caption {number}") for number in range(n_images))
    return Dialogue("d" * 16, "en", "real" if origin == "real" else "stitched", "cluster", utterances, images)


def bare_images(dialogue: Dialogue) -> list[StoredImage]:
    """Return a dialogue's images as a dataset keeps those without bytes."""
    return [StoredImage(image.image_key, "missing", source="tests") for image in dialogue.images]


def without_gold(folder: Path) -> mldr.Dataset:
    """Write a dataset whose split `test` keeps its queries and withholds its gold."""
    rows = small_rows(16, "blue")
    rows["gold"], rows["fragments"] = [], []
    return write_dataset(folder, {"test": rows})


IDS = ("q0", "q1", "q2", "q3")


def faults_of(path: Path, query_ids: Iterable[str] = IDS) -> list[Fault]:
    with pytest.raises(InputError) as caught:
        read_predictions(path, set(query_ids))
    return list(caught.value.faults)


def read_or_refuse(path: Path, content: bytes) -> None:
    """Read any bytes as a predictions file of q0 ... q3: nothing but predictions or an error in words may come of it."""
    path.write_bytes(content)
    try:
        found = read_predictions(path, set(IDS))
    except MldrError:
        return
    assert found
    assert set(found) <= set(IDS)
