"""The task for inspect_ai: `inspect eval mldr/mldr_ffr -T dataset=DATASET -T split=test --model ...`.

Needs inspect-ai (0.3 or later) beside mldr. The model's raw text is read by the answer parser of `mldr.answers`, and the metrics
are those of `mldr-eval`, worked out over all samples at once, since micro averages are no means of single scores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mldr
from mldr.answers import parse_answer
from mldr.errors import MldrError
from mldr.retrievers.harness.questions import Question, check_where, questions
from mldr.retrievers.harness.scoring import check_free, measured, write_predictions
from mldr.retrievers.vlm.generator import Part
from mldr.retrievers.vlm.prompting import Prompting

_RESPONSE = "response"


def _unregistered(*made: Any, **settings: Any) -> Any:
    """Stand in for a decorator of inspect_ai: without it the module can be imported, and nothing is registered."""
    return made[0] if made else lambda function: function


try:
    from inspect_ai import Task, task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ContentImage, ContentText
    from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, metric, scorer
    from inspect_ai.solver import TaskState, generate
except ImportError:
    task = metric = scorer = _unregistered


@task  # type: ignore[untyped-decorator,unused-ignore]
def mldr_ffr(
    dataset: str,
    split: str = "test",
    sees: str = "pixels",
    order: str = "dialogue_first",
    language: str = "auto",
    predictions: str = "",
    on_this_machine: bool = False,
) -> Task:
    """Return Fine-grained Fragment Retrieval on a split of a dataset.

    Args:
        dataset: a folder, or a Hub id (owner/name).
        split: whose gold is there.
        sees: `text`, `captions` or `pixels`.
        order: `dialogue_first`, by which the queries of a dialogue share a prefix, or `query_first`, the papers'.
        language: of the instruction: `auto` (the dialogue's), `zh` or `en`.
        predictions: also write the answers to this file, for `mldr-eval` and the board.
        on_this_machine: the model runs here; needed for real chats without the consent scope `third_party_model`.
    """
    if task is _unregistered:
        raise MldrError("the inspect_ai task needs inspect-ai: pip install inspect-ai")
    loaded = mldr.load(dataset)
    check_where(loaded, on_this_machine)
    if predictions:
        check_free(Path(predictions))  # later on it is written anew as answers come in
    how = Prompting(sees=sees, order=order, language=language)  # type: ignore[arg-type]
    samples = [_sample(question) for question in questions(loaded, split, how)]
    name = f"{loaded.name}/{split}"
    return Task(
        dataset=MemoryDataset(samples, name=name),
        solver=generate(),
        scorer=fragment(dataset, split, predictions),
        name="mldr_ffr",
        metadata={"gold_hash": loaded.manifest.gold_hash.get(split, ""), "mldr": mldr.__version__},
    )


def _sample(question: Question) -> Sample:
    user = ChatMessageUser(content=[_content(part) for part in question.prompt.parts])
    system = [ChatMessageSystem(content=question.prompt.system)] if question.prompt.system else []
    meta = {"query_id": question.query_id, "dialogue_id": question.dialogue_id}
    return Sample(input=[*system, user], target=question.target, id=question.query_id, metadata=meta)


def _content(part: Part) -> ContentText | ContentImage:
    if isinstance(part, str):
        return ContentText(text=part)
    return ContentImage(image=part.uri())


@metric  # type: ignore[untyped-decorator,unused-ignore]
def measures() -> Metric:
    """Return the metric that gives all measures at once, of the dataset that the samples name."""

    def compute(scores: list[SampleScore]) -> Any:
        told = [one.score.metadata or {} for one in scores]
        responses = {str(one.sample_id): meta.get(_RESPONSE) for one, meta in zip(scores, told, strict=True)}
        if told and told[0].get("predictions"):
            write_predictions(Path(told[0]["predictions"]), responses)
        return measured(told[0]["dataset"], told[0]["split"], responses) if told else {}

    return compute


@scorer(metrics=[measures()])  # type: ignore[untyped-decorator,unused-ignore]
def fragment(dataset: str, split: str, predictions: str = "") -> Scorer:
    """Return the scorer: a sample shows its own macro joint F1, the task the figures of `mldr-eval` over all samples.

    Args:
        dataset: a folder, or a Hub id.
        split: of the dataset.
        predictions: also write the answers to this file.
    """
    where = {"dataset": dataset, "split": split, "predictions": predictions}

    async def score(state: TaskState, target: Target) -> Score:
        text = state.output.completion
        own = measured(dataset, split, {str(state.sample_id): text})
        found = parse_answer(text)
        return Score(
            value=own.get("joint_f1(avg=macro)", 0.0),
            answer=text[-400:] if found is None else f"{list(found.utterance_ids)} {list(found.image_ids)}",
            explanation="no complete answer in the model's text" if found is None else None,
            metadata={_RESPONSE: text, **where, **own},
        )

    return score
