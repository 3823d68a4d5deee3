"""The inspect_ai task, run by inspect_ai itself with a model that gives known answers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.eval import Evaluator
from mldr.retrievers.harness.scoring import SHOWN, measured
from tests.retrievers.harness.answers import pretended

pytest.importorskip("inspect_ai", reason="inspect-ai is not installed")

os.environ.setdefault("INSPECT_DISPLAY", "none")


def run(dataset: mldr.Dataset, logs: Path, texts: dict[str, str], limit: int | None = None, **arguments: Any) -> Any:
    """Run the task with a model that answers in the order in which samples come, one at a time."""
    from inspect_ai import eval as run_eval
    from inspect_ai.model import ModelAPI, ModelOutput, get_model, modelapi

    from mldr.retrievers.harness.inspect_task import mldr_ffr

    pending = iter(texts.values())

    @modelapi(name="pretended")
    class Pretended(ModelAPI):  # type: ignore[misc,unused-ignore]
        async def generate(self, *asked: Any, **settings: Any) -> ModelOutput:
            return ModelOutput.from_content("pretended", next(pending))

    (log,) = run_eval(
        mldr_ffr(str(dataset.folder), "test", **arguments),
        model=get_model("pretended/model", memoize=False),
        log_dir=str(logs),
        display="none",
        max_samples=1,
        limit=limit,
    )
    assert log.status == "success", log.error
    return log


def figures(log: Any) -> dict[str, float]:
    return {name: metric.value for score in log.results.scores for name, metric in score.metrics.items()}


def test_the_score_equals_ours_on_the_same_answers(demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    texts = pretended(demo_dataset, "test")
    log = run(demo_dataset, tmp_path / "logs", texts, predictions=str(tmp_path / "p.jsonl"))
    evaluator = Evaluator(demo_dataset, "test")
    ours = evaluator.score(evaluator.read(tmp_path / "p.jsonl"), resamples=0)
    found = figures(log)
    assert {name: found[name] for name in SHOWN} == {name: ours.measures[name].value for name in SHOWN}
    assert found["joint_f1"] == measured(str(demo_dataset.folder), "test", texts)["joint_f1"]
    assert ours.outcomes["parse_error"] == sum(text in ("", "Sorry, I cannot say.") for text in texts.values())


def test_a_limited_run_is_scored_on_what_it_asked(demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    texts = dict(list(pretended(demo_dataset, "test").items())[:10])
    log = run(demo_dataset, tmp_path / "logs", texts, limit=10, sees="text")
    expected = measured(str(demo_dataset.folder), "test", texts)
    assert {name: figures(log)[name] for name in expected} == expected


def test_a_sample_is_the_prompt_of_vlm_api_with_its_pictures(demo_dataset: mldr.Dataset) -> None:
    from inspect_ai.model import ContentImage

    from mldr.retrievers.harness.inspect_task import mldr_ffr
    from mldr.retrievers.harness.questions import questions
    from mldr.retrievers.vlm.prompting import Prompting

    task = mldr_ffr(str(demo_dataset.folder), "test")
    for sample, question in zip(task.dataset, questions(demo_dataset, "test", Prompting()), strict=True):
        assert sample.id == question.query_id
        content = sample.input[-1].content
        pictures = [part for part in content if isinstance(part, ContentImage)]
        assert len(pictures) == len(question.prompt.pictures)
        text = "".join("<image>" if isinstance(part, ContentImage) else part.text for part in content)
        assert text == question.prompt.text("<image>")
