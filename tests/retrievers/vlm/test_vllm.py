"""The engine of vLLM was never at hand: a stand-in with the shape of its interface is asked here, which shows our side alone."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mldr.errors import MissingExtra, MldrError
from mldr.retrievers import ViewImage
from mldr.retrievers.listing import listed
from mldr.retrievers.making import make_retriever
from mldr.retrievers.protocol import Run
from mldr.retrievers.vlm.vllm import VlmVllm
from tests.conftest import picture
from tests.retrievers.support import asked, view

ANSWER = "<|utt_ids_start|>[1]<|utt_ids_end|>;<|img_ids_start|>[0]<|img_ids_end|>"


@dataclass
class Completion:
    text: str = ANSWER
    finish_reason: str = "stop"
    token_ids: tuple[int, ...] = (1, 2, 3)


@dataclass
class Answered:
    outputs: tuple[Completion, ...] = (Completion(),)
    prompt_token_ids: tuple[int, ...] = (1,) * 40


class StandIn:
    """`vllm.LLM` as far as it is used."""

    made: dict[str, Any]
    asked: list[Any]

    def __init__(self, **arguments: Any) -> None:
        if arguments["model"] == "mldr-tests/broken":
            raise RuntimeError("no room on the GPU\nfor this")
        type(self).made, type(self).asked = arguments, []

    def chat(self, messages: list[Any], sampling: Any, use_tqdm: bool) -> list[Answered]:
        if any("too long" in json.dumps(one) for one in messages):
            raise ValueError("The decoder prompt is longer than the maximum model length")
        self.asked.append((messages, sampling))
        return [Answered() for _ in messages]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> type[StandIn]:
    module = ModuleType("vllm")
    module.LLM, module.SamplingParams = StandIn, dict  # type: ignore[attr-defined]
    module.__spec__ = ModuleSpec("vllm", None)
    monkeypatch.setitem(sys.modules, "vllm", module)
    return StandIn


def opened(tmp_path: Path, **options: Any) -> VlmVllm:
    retriever = VlmVllm("mldr-tests/model", **options)
    retriever.open(Run(tmp_path / "p.jsonl"))
    return retriever


def test_queries_go_to_the_engine_together_with_pictures_in_order(tmp_path: Path, engine: type[StandIn]) -> None:
    retriever = opened(tmp_path, gpus=2, max_length=9_000, temperature=0.5, seed=3)
    seen = replace(view("a", "b", images=[(1, "")]), images=(ViewImage(content=picture()),))
    found = list(retriever.sampled(seen, asked("one", "two"), 4))
    assert [(p.query_id, p.utterance_ids, p.image_ids) for p in found] == [("one", (1,), (0,)), ("two", (1,), (0,))]
    assert engine.made == {
        "model": "mldr-tests/model",
        "trust_remote_code": False,
        "enable_prefix_caching": True,
        "limit_mm_per_prompt": {"image": 64},
        "tensor_parallel_size": 2,
        "max_model_len": 9_000,
    }
    ((messages, sampling),) = engine.asked
    assert [part["type"] for part in messages[0][1]["content"]] == ["text", "image_url", "text"]
    assert messages[0][1]["content"][1]["image_url"]["url"].startswith("data:image/png;base64,")
    assert (sampling["temperature"], sampling["seed"]) == (0.5, 7)
    meta = json.loads(found[0].meta)
    assert (meta["model"], meta["tokens_in"], meta["tokens_out"], meta["finish_reason"]) == (
        "mldr-tests/model",
        40,
        3,
        "stop",
    )


def test_a_prompt_that_the_engine_refuses_fails_alone(tmp_path: Path, engine: type[StandIn]) -> None:
    found = {
        p.query_id: p for p in opened(tmp_path, sees="text").retrieve(view("a"), asked("good", "too long", "fine"))
    }
    assert {query: p.outcome for query, p in found.items()} == {"good": "", "too long": "api_error", "fine": ""}
    assert "maximum model length" in json.loads(found["too long"].meta)["fault"]


def test_an_engine_that_does_not_start_is_one_line(tmp_path: Path, engine: type[StandIn]) -> None:
    with pytest.raises(MldrError, match=r"cannot be loaded \(RuntimeError: no room on the GPU\)"):
        VlmVllm("mldr-tests/broken").open(Run(tmp_path / "p.jsonl"))


def test_it_says_what_to_install_and_what_to_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldr.retrievers.vlm.vllm.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"mldr\[vllm\]"):
        VlmVllm("mldr-tests/model").open(Run(tmp_path / "p.jsonl"))
    with pytest.raises(MldrError, match="no model is named"):
        VlmVllm().open(Run(tmp_path / "p.jsonl"))
    with pytest.raises(MldrError, match="gpus"):
        make_retriever("vlm-vllm", {"gpus": 0})


def test_the_list_says_that_we_did_not_run_it() -> None:
    assert "not run by us" in next(row.words for row in listed() if row.name == "vlm-vllm")
