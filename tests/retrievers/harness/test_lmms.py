"""The lmms-eval task: its functions called as lmms-eval calls them, and lmms-eval itself where it is installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import mldr
from mldr.errors import MldrError
from mldr.eval import Evaluator
from mldr.retrievers.harness.lmms import metric_name
from mldr.retrievers.harness.lmms_folder import LmmsFolder, write_lmms_folder
from mldr.retrievers.harness.scoring import SHOWN, write_predictions
from tests.conftest import Command
from tests.retrievers.harness.answers import pretended

RUN = Path(__file__).with_name("lmms_run.py")


class _Loader(yaml.SafeLoader):
    """Reads the tag that lmms-eval reads."""


_Loader.add_constructor("!function", lambda loader, node: f"!function {node.value}")


@pytest.fixture
def folder(demo_dataset: mldr.Dataset, tmp_path: Path) -> Path:
    write_lmms_folder(LmmsFolder(demo_dataset.folder, "test"), tmp_path / "tasks")
    return tmp_path / "tasks/mldr_ffr_test"


@pytest.fixture
def functions(folder: Path) -> ModuleType:
    """The task's own `utils.py`, imported from its file."""
    spec = importlib.util.spec_from_file_location("lmms_utils", folder / "utils.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def docs(dataset: mldr.Dataset) -> list[dict[str, str]]:
    return list(dataset.arrow("queries", "test").to_pylist())


def ours(dataset: mldr.Dataset, out: Path, texts: dict[str, str]) -> dict[str, float | None]:
    write_predictions(out, texts)
    evaluator = Evaluator(dataset, "test")
    scores = evaluator.score(evaluator.read(out), resamples=0)
    return {metric_name(name): scores.measures[name].value for name in SHOWN}


def test_the_score_equals_ours_on_the_same_answers(
    demo_dataset: mldr.Dataset, functions: ModuleType, tmp_path: Path
) -> None:
    texts = pretended(demo_dataset, "test")
    collected: dict[str, list[list[str]]] = {}
    for doc in docs(demo_dataset):
        for name, answered in functions.process_results(doc, [texts[doc["query_id"]]]).items():
            collected.setdefault(name, []).append(answered)
    found = {name: getattr(functions, name)(pairs) for name, pairs in collected.items()}
    assert found == ours(demo_dataset, tmp_path / "p.jsonl", texts)


def test_the_configuration_names_functions_and_files_that_are_there(
    folder: Path, functions: ModuleType, demo_dataset: mldr.Dataset
) -> None:
    config = yaml.load((folder / "mldr_ffr_test.yaml").read_text("utf-8"), Loader=_Loader)
    named = [value.removeprefix("!function utils.") for value in config.values() if str(value).startswith("!function")]
    named += [metric["aggregation"].removeprefix("!function utils.") for metric in config["metric_list"]]
    assert all(callable(getattr(functions, name)) for name in named)
    assert len(named) == 5 + len(SHOWN)
    files = config["dataset_kwargs"]["data_files"]["test"]
    assert [Path(path) for path in files] == [path.resolve() for path in demo_dataset.files("queries", "test")]
    assert config["metadata"]["gold_hash"] == demo_dataset.manifest.gold_hash["test"]


def test_pictures_come_in_the_order_of_their_slots(demo_dataset: mldr.Dataset, functions: ModuleType) -> None:
    seen = 0
    for doc in docs(demo_dataset)[:20]:
        pictures = functions.doc_to_visual(doc)
        text = functions.doc_to_text(doc)
        *system, user = functions.doc_to_messages(doc)
        assert text.count("<image>") == len(pictures)
        assert [part["type"] for part in user["content"]].count("image") == len(pictures)
        joined = "".join(part["text"] if part["type"] == "text" else "<image>" for part in user["content"])
        assert text == f"{system[0]['content'][0]['text']}\n\n{joined}"
        for part, picture in zip((p for p in user["content"] if p["type"] == "image"), pictures, strict=True):
            assert part["url"].tobytes() == picture.tobytes()
        assert functions.doc_to_target(doc) == ""
        seen += len(pictures)
    assert seen > 0


def test_a_task_is_not_overwritten_without_force(demo_dataset: mldr.Dataset, tmp_path: Path, command: Command) -> None:
    words = ["mldr", "harness", "lmms-eval", str(demo_dataset.folder), "--split", "test", "--out", str(tmp_path / "t")]
    code, out, err = command(*words)
    assert code == 0
    assert [Path(line).name for line in out.splitlines()] == ["mldr_ffr_test.yaml", "utils.py"]
    assert "--include_path" in err
    assert command(*words)[0] == 1
    assert command(*words, "--force")[0] == 0


def test_a_split_without_gold_makes_no_task(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    from mldr.withhold import withhold

    withhold(small_dataset, ["test"], tmp_path / "public", without_salt=True)
    with pytest.raises(MldrError, match="is withheld, so a harness cannot score it"):
        write_lmms_folder(LmmsFolder(tmp_path / "public", "test"), tmp_path / "tasks")


def test_lmms_eval_itself_runs_the_task_to_our_score(demo_dataset: mldr.Dataset, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("lmms_eval", reason="lmms-eval is not installed")
    import json

    texts = pretended(demo_dataset, "test")
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    words = [str(folder.parent), "mldr_ffr_test", str(tmp_path / "texts.json"), str(tmp_path / "found.json")]
    done = subprocess.run([sys.executable, str(RUN), *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3_000:]
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert found == ours(demo_dataset, tmp_path / "p.jsonl", texts)
