from __future__ import annotations

from pathlib import Path

import pytest

import mldr
from mldr.dialogue import Dialogue
from mldr.errors import MldrError
from mldr.eval import Evaluator
from mldr.manifest import read_manifest, write_manifest
from mldr.retrievers.harness.questions import check_where, questions
from mldr.retrievers.harness.scoring import SHOWN, check_free, measured, write_predictions
from mldr.retrievers.vlm.prompting import Prompting
from tests.core.support import python
from tests.retrievers.harness.answers import pretended


def by_mldr_eval(dataset: mldr.Dataset, out: Path, texts: dict[str, str]) -> dict[str, float | None]:
    write_predictions(out, texts)
    evaluator = Evaluator(dataset, "test")
    scores = evaluator.score(evaluator.read(out), resamples=0)
    return {name: scores.measures[name].value for name in SHOWN}


def test_the_figures_are_those_of_mldr_eval_on_the_same_answers(demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    texts = pretended(demo_dataset, "test")
    found = measured(str(demo_dataset.folder), "test", texts)
    assert found == by_mldr_eval(demo_dataset, tmp_path / "p.jsonl", texts)
    assert 0.0 < found["joint_f1"] < 1.0


def test_queries_that_were_not_asked_are_left_out_and_failed_calls_are_not(demo_dataset: mldr.Dataset) -> None:
    folder = str(demo_dataset.folder)
    texts = {name: text for name, text in list(pretended(demo_dataset, "test").items())[:1]}
    assert measured(folder, "test", texts)["joint_f1(avg=macro)"] == 1.0
    ((name, _),) = texts.items()
    assert measured(folder, "test", {name: None})["joint_f1(avg=macro)"] == 0.0


def test_nothing_asked_has_no_score(demo_dataset: mldr.Dataset) -> None:
    with pytest.raises(MldrError, match="no query was asked"):
        measured(str(demo_dataset.folder), "test", {})


def test_an_answer_to_no_query_of_the_split_is_refused(demo_dataset: mldr.Dataset) -> None:
    with pytest.raises(MldrError):
        measured(str(demo_dataset.folder), "test", {"no-such-query": ""})


def test_predictions_of_another_run_are_not_overwritten(tmp_path: Path) -> None:
    check_free(tmp_path / "p.jsonl")
    write_predictions(tmp_path / "p.jsonl", {"a": "x", "b": None})
    assert (tmp_path / "p.jsonl").read_text("utf-8").count("\n") == 2
    with pytest.raises(MldrError, match="exists"):
        check_free(tmp_path / "p.jsonl")


def test_every_query_is_asked_once_with_the_prompt_of_vlm_api(demo_dataset: mldr.Dataset) -> None:
    asked = list(questions(demo_dataset, "test", Prompting()))
    assert [one.query_id for one in asked] == [query.query_id for query in demo_dataset.queries("test")]
    texts = {query.query_id: query.text for query in demo_dataset.queries("test")}
    for one in asked:
        assert texts[one.query_id].split("\n")[0] in one.prompt.text("<image>")
    assert any(one.prompt.pictures for one in asked)


def test_gold_is_in_no_prompt(demo_dataset: mldr.Dataset) -> None:
    for one in questions(demo_dataset, "test", Prompting(sees="text")):
        assert one.target not in one.prompt.text("")


def test_a_split_without_gold_cannot_be_asked(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    from mldr.withhold import withhold

    withhold(small_dataset, ["test"], tmp_path / "public", without_salt=True)
    with pytest.raises(MldrError, match="is withheld, so a harness cannot score it"):
        list(questions(mldr.load(tmp_path / "public"), "test", Prompting()))


def test_real_chats_are_handed_to_no_harness_without_consent(tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.conftest import small_rows, write_dataset

    rows = small_rows(0, "red")
    rows["dialogues"] = [replace(one, origin="real") for one in rows["dialogues"] if isinstance(one, Dialogue)]
    dataset = write_dataset(tmp_path / "d", {"test": rows})
    with pytest.raises(MldrError, match="third_party_model"):
        check_where(dataset, on_this_machine=False)
    check_where(dataset, on_this_machine=True)
    manifest = read_manifest(dataset.folder)
    manifest.consent_scopes = ["third_party_model"]
    write_manifest(dataset.folder, manifest)
    check_where(mldr.Dataset(dataset.folder), on_this_machine=False)


def test_without_inspect_one_is_told_what_to_install(demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['inspect_ai'] = None\n"
        "from mldr.errors import MldrError\n"
        "from mldr.retrievers.harness.inspect_task import mldr_ffr\n"
        f"try: mldr_ffr({str(demo_dataset.folder)!r})\n"
        "except MldrError as error: print(error)\n"
    )
    assert python(code, tmp_path).strip() == "the inspect_ai task needs inspect-ai: pip install inspect-ai"
