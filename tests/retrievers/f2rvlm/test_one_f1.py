"""The F1 that grades and rewards compute is the one that the evaluation reports of the same responses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldr.dialogue import Dialogue, DialogueImage, Fragment, Gold, Query, Utterance
from mldr.eval import Evaluator, Prediction
from mldr.eval.counts import per_query
from mldr.retrievers.f2rvlm.grading import Grade
from mldr.retrievers.f2rvlm.rewards import LENGTH_DECAY, Target, f1_reward
from tests.conftest import Rows, stored_picture, write_dataset
from tests.retrievers.f2rvlm.support_rewards import answer

N_QUERIES = 8
IDS = st.lists(st.integers(-1, 7), max_size=7)
RESPONSES = st.one_of(
    st.builds(answer, IDS, IDS),
    st.builds("So:\n{}\n".format, st.builds(answer, IDS, IDS)),
    st.sampled_from(["", "none", answer()[:-1], answer([5]), answer([9**50])]),
)


def rows() -> tuple[Dialogue, list[Gold], Rows]:
    """Return a dialogue of six utterances, one without text, and eight queries whose gold was drawn; one is a negative."""
    images = [stored_picture(colour) for colour in ("red", "blue", "green")]
    utterances = tuple(Utterance("a", "" if i == 5 else f"text {i}", {1: (0,), 5: (1, 2)}.get(i, ())) for i in range(6))
    dialogue = Dialogue("0" * 16, "en", "stitched", "c", utterances, tuple(DialogueImage(i.image_key) for i in images))
    draw = np.random.default_rng(3)
    golds, queries, fragments = [], [], []
    for number in range(N_QUERIES):
        query_id = f"{dialogue.dialogue_id}-{number:08x}"
        share = 0.4 if number else 0.0
        ids = tuple(np.flatnonzero(draw.random(5) < share).tolist())
        image_ids = tuple(np.flatnonzero(draw.random(3) < share).tolist())
        fragment_id = f"{dialogue.dialogue_id}-f{number:07x}" if ids or image_ids else ""
        queries.append(Query(query_id, dialogue.dialogue_id, "en", f"query {number}"))
        golds.append(Gold(query_id, fragment_id, "fine", ids, image_ids, negative_type="" if fragment_id else "near"))
        if fragment_id:
            fragments.append(Fragment(fragment_id, dialogue.dialogue_id, "fine", "t", f"s{number}", ids, image_ids))
    tables: Rows = {
        "dialogues": [dialogue],
        "queries": list(queries),
        "gold": list(golds),
        "fragments": list(fragments),
        "images": list(images),
    }
    return dialogue, golds, tables


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluator, list[Gold], list[Target]]:
    """An evaluator of that split, its gold, and the targets of the rewards."""
    dialogue, golds, tables = rows()
    folder: Path = tmp_path_factory.mktemp("one") / "dataset"
    evaluator = Evaluator(write_dataset(folder, {"test": tables}), "test")
    return evaluator, golds, [Target.of(gold, dialogue) for gold in golds]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RESPONSES, min_size=N_QUERIES, max_size=N_QUERIES))
def test_grades_and_the_evaluation_agree_on_every_response(
    case: tuple[Evaluator, list[Gold], list[Target]], responses: list[str]
) -> None:
    evaluator, golds, targets = case
    predictions = {g.query_id: Prediction(g.query_id, response=text) for g, text in zip(golds, responses, strict=True)}
    counts = evaluator.counts(predictions)
    graded = [
        Grade.of(gold.query_id, text, target, entropy=0, n_tokens=1)
        for gold, text, target in zip(golds, responses, targets, strict=True)
    ]
    np.testing.assert_allclose([one.utterance_f1 for one in graded], per_query(counts.utt, "f1"), atol=1e-12)
    np.testing.assert_allclose([one.image_f1 for one in graded], per_query(counts.img, "f1"), atol=1e-12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(RESPONSES, min_size=N_QUERIES, max_size=N_QUERIES))
def test_the_papers_reward_is_the_evaluations_f1_with_the_cost_of_length(
    case: tuple[Evaluator, list[Gold], list[Target]], responses: list[str]
) -> None:
    evaluator, golds, targets = case
    predictions = {g.query_id: Prediction(g.query_id, response=text) for g, text in zip(golds, responses, strict=True)}
    counts = evaluator.counts(predictions)
    expected = sum(
        0.5 * per_query(one, "f1") * LENGTH_DECAY ** np.abs(one.fp - one.fn) for one in (counts.utt, counts.img)
    )
    np.testing.assert_allclose(f1_reward(responses, targets, form="paper"), expected, atol=1e-12)
