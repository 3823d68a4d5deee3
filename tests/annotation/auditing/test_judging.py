"""What people's answers say of labels, by hand-worked cases, by brute force, and on the card."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import mldr
from mldr.annotation.auditing.drawing import draw, draw_flagged
from mldr.annotation.auditing.human import write_audited, write_predictions
from mldr.annotation.auditing.judging import judge
from mldr.annotation.auditing.models import AuditReport
from mldr.annotation.auditing.quality import Comparison, quality
from mldr.annotation.auditing.shown import record, tables
from mldr.annotation.collection import Collection, open_collection
from mldr.console import show_table
from mldr.dialogue import Gold
from mldr.errors import InputError, MldrError
from mldr.eval.evaluator import Evaluator
from mldr.files import write_text
from mldr.verify import verify
from tests.annotation.agreement.labelled import Ids, decide, put
from tests.annotation.auditing.audited import answer, audited_dataset, questions, truly
from tests.annotation.auditing.test_drawing import flags, write_flags
from tests.conftest import Command


@pytest.fixture
def dataset(tmp_path: Path) -> mldr.Dataset:
    return audited_dataset(tmp_path)


@pytest.fixture
def audit(dataset: mldr.Dataset, tmp_path: Path) -> Collection:
    draw(dataset, "test", 24, 0, tmp_path / "audit")
    return open_collection(tmp_path / "audit")


def more(gold: Gold) -> tuple[Ids, Ids]:
    """An annotator who finds one more utterance wherever a label holds one."""
    ids = gold.utterance_ids
    return (tuple(sorted({*ids, 5})), gold.image_ids) if ids else (ids, gold.image_ids)


def test_labels_that_people_give_too_are_right_in_full(dataset: mldr.Dataset, audit: Collection) -> None:
    for who in ("ann", "bob"):
        answer(audit, dataset, who, truly)
    report = judge(dataset, "test", audit, ["ann", "bob"], resamples=50)
    assert (report.sampled, report.agreed, report.open, report.resolved) == (24, 24, 0, 24)
    for found in (report.labels, report.answers, report.against["ann"]):
        assert {value.value for value in found.measures.values()} == {1.0}
    assert report.agreement is not None
    assert report.agreement.overall.of["joint"].alpha_masi.value == 1.0
    assert [one.measures["joint_f1"].value for one in report.human] == [1.0, 1.0]
    assert report.labels.measures["utt_f1"].low == 1.0
    assert AuditReport.model_validate(json.loads(report.model_dump_json())) == report


def test_what_labels_miss_lowers_their_recall_and_the_precision_of_people(
    dataset: mldr.Dataset, audit: Collection
) -> None:
    for who in ("ann", "bob"):
        answer(audit, dataset, who, more)
    report = judge(dataset, "test", audit, ["ann", "bob"], resamples=0)
    labels = report.labels.measures
    assert labels["utt_p"].value == 1.0
    # of 24 queries 8 hold two utterances (multimodal 4, plain 4 of 12), and so on: the weights make the split's own shares of it
    gold = [one for one in dataset.gold("test") if one.utterance_ids]
    held = sum(len(one.utterance_ids) for one in gold)
    drawn_gold = {one.query_id: one for one in dataset.gold("test")}
    sampled = [drawn_gold[asked.query_id] for _, asked in questions(audit)]
    own = sum(len(one.utterance_ids) for one in sampled)
    assert labels["utt_r"].value == pytest.approx(own / (own + sum(bool(one.utterance_ids) for one in sampled)))
    assert abs((labels["utt_r"].value or 0) - held / (held + len(gold))) < 0.1
    assert report.human[0].measures["utt_p"].value == pytest.approx(labels["utt_r"].value)
    assert report.kinds["image"].measures["joint_em"].value == 1.0
    assert report.kinds["multimodal"].measures["joint_em"].value == 0.0
    assert report.kinds["negative"].measures["utt_p"].value is None
    assert report.kinds["negative"].measures["utt_p"].reason == "people chose nothing of that kind"


def test_the_adjudicator_decides_where_people_differ_and_what_is_open_is_counted(
    dataset: mldr.Dataset, audit: Collection
) -> None:
    answer(audit, dataset, "ann", truly)
    answer(audit, dataset, "bob", more, limit=23)
    gold = {one.query_id: one for one in dataset.gold("test")}
    differ = [(n, a) for n, a in questions(audit)[:23] if gold[a.query_id].utterance_ids]
    (first, one), (second, two) = differ[:2]
    decide(audit, first, one.name, more(gold[one.query_id])[0], gold[one.query_id].image_ids)
    decide(audit, second, two.name, (1,), basis="dropped")
    report = judge(dataset, "test", audit, ["ann", "bob"], resamples=0)
    assert (report.adjudicated, report.dropped, report.unanswered) == (1, 1, 0)
    assert report.open == len(differ) - 2 + 1
    assert report.agreed == 24 - len(differ) - 1
    assert report.answers.queries == 23
    assert (report.answers.measures["utt_r"].value or 0) < 1
    assert any(f"{report.open} queries have no answer that stands" in note for note in report.notes)


def test_one_person_alone_can_audit_and_there_is_no_agreement(dataset: mldr.Dataset, audit: Collection) -> None:
    answer(audit, dataset, "ann", truly, limit=5)
    report = judge(dataset, "test", audit, ["ann"], resamples=0)
    assert (report.agreement, report.agreed, report.unanswered) == (None, 5, 19)
    assert "answered by 1 person" in report.notes[0]


def test_a_rare_stratum_weighs_as_much_as_it_has_queries(tmp_path: Path) -> None:
    dataset = audited_dataset(tmp_path, n=30, per=3)
    draw(dataset, "test", 6, 0, tmp_path / "audit")  # one of each stratum: three kinds, two sources
    audit = open_collection(tmp_path / "audit")

    def blind_to_pictures(gold: Gold) -> tuple[Ids, Ids]:
        return (gold.utterance_ids, ()) if gold.utterance_ids else ((), (0,))

    answer(audit, dataset, "ann", blind_to_pictures)
    found = judge(dataset, "test", audit, ["ann"], resamples=0).labels.measures
    assert found["joint_em"].value == pytest.approx(2 / 3)
    uneven = quality(
        [
            Comparison("a", "c", 3.0, (4, 0), (frozenset({1}), frozenset()), (frozenset({1}), frozenset())),
            Comparison("b", "c", 1.0, (4, 0), (frozenset({1}), frozenset()), (frozenset({2}), frozenset())),
        ],
        0,
        0,
    ).measures
    assert (uneven["utt_p"].value, uneven["joint_em"].value) == (0.75, 0.75)


def test_flagged_queries_are_judged_as_they_are_and_not_called_an_estimate(
    dataset: mldr.Dataset, tmp_path: Path
) -> None:
    path = write_flags(tmp_path / "flagged.jsonl", list(flags(dataset, "test", 30)))
    draw_flagged(dataset, "test", path, 12, 0, tmp_path / "audit")
    audit = open_collection(tmp_path / "audit")
    answer(audit, dataset, "ann", more)
    report = judge(dataset, "test", audit, ["ann"], resamples=0)
    assert report.source == "flagged"
    assert any("no estimate for the split" in note for note in report.notes)
    record(dataset, report)
    assert list(mldr.load(dataset.folder).manifest.audit) == ["test (flagged)"]


def test_the_human_row_is_what_the_evaluator_says_of_the_valid_rows_of_the_file(
    dataset: mldr.Dataset, audit: Collection, tmp_path: Path, command: Command
) -> None:
    answer(audit, dataset, "ann", more, limit=20)
    report = judge(dataset, "test", audit, ["ann"], resamples=0)
    assert write_predictions(audit, "ann", tmp_path / "ann.jsonl") == 20
    assert write_audited(audit, "ann", tmp_path / "audited.parquet") == 20
    evaluator = Evaluator(dataset, "test")
    scores = evaluator.score(evaluator.read(tmp_path / "ann.jsonl"), resamples=0)
    assert (scores.n_valid, scores.outcomes["missing"]) == (20, 52)
    human = report.human[0]
    assert (human.answered, human.of) == (20, 72)
    for name, value in scores.measures_valid.items():
        assert human.measures[name].value == pytest.approx(value.value)
    assert pq.read_table(tmp_path / "audited.parquet").column_names == ["query_id", "audited"]
    folder, table = str(dataset.folder), str(tmp_path / "audited.parquet")
    code, out, _ = command(
        "mldr-eval",
        "score",
        folder,
        str(tmp_path / "ann.jsonl"),
        "--split",
        "test",
        "--table",
        table,
        "--by",
        "audited",
    )
    assert code == 0
    assert "yes" in out


def test_the_result_goes_into_manifest_and_card_and_the_dataset_still_verifies(
    dataset: mldr.Dataset, audit: Collection
) -> None:
    write_text(dataset.folder / "README.md", "# A set\n\n## Canary\n\nc\n")
    for who in ("ann", "bob"):
        answer(audit, dataset, who, more)
    report = judge(dataset, "test", audit, ["ann", "bob"], resamples=50)
    record(dataset, report)
    written = mldr.load(dataset.folder)
    assert verify(written) == {}
    entry = written.manifest.audit["test"]
    assert (entry.source, entry.sampled, entry.of, entry.people, entry.resolved) == (
        "dataset",
        24,
        72,
        2,
        24,
    )
    text = (dataset.folder / "README.md").read_text("utf-8")
    assert text.startswith("# A set\n\n## Label audit\n\nPeople answered")
    assert text.endswith("\n\n## Canary\n\nc\n")
    recall = report.labels.measures["utt_r"]
    assert f"{100 * (recall.value or 0):.1f} [" in text
    for name in ("ann", "bob"):
        assert name not in text.replace("answer", "")
        assert name not in entry.model_dump_json().replace("answer", "")
    assert any(note.startswith("95 % intervals by a bootstrap over") for note in entry.notes)
    record(written, report)
    assert (dataset.folder / "README.md").read_text("utf-8") == text


def test_the_tables_show_labels_kinds_and_people(
    dataset: mldr.Dataset, audit: Collection, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(audit, dataset, "ann", more)
    for one in tables(judge(dataset, "test", audit, ["ann"], resamples=20)):
        show_table(one)
    printed = capsys.readouterr().out
    for words in ("multimodal", "negative", "every answer", "the answer that stands", "joint F1, macro", "72"):
        assert words in printed
    assert max(map(len, printed.splitlines())) <= 160


def test_an_audit_of_other_labels_another_split_or_nobody_is_refused(
    dataset: mldr.Dataset, audit: Collection, tmp_path: Path
) -> None:
    with pytest.raises(MldrError, match="'ann' labelled nothing"):
        judge(dataset, "test", audit, ["ann"])
    name, asked = questions(audit)[0]
    put(audit, "ann", name, asked.name, negative=False)
    with pytest.raises(MldrError, match="nobody has finished an answer"):
        judge(dataset, "test", audit, ["ann"])
    answer(audit, dataset, "ann", truly)
    with pytest.raises(MldrError, match="drawn from the split 'test', not from 'validation'"):
        judge(dataset, "validation", audit, ["ann"])
    with pytest.raises(MldrError, match="each named once"):
        judge(dataset, "test", audit, [])
    other = audited_dataset(tmp_path / "other", n=11)
    with pytest.raises(MldrError, match="with other labels"):
        judge(other, "test", audit, ["ann"])
    with pytest.raises(MldrError, match="has other labels"):
        record(other, judge(dataset, "test", audit, ["ann"], resamples=0))


def test_a_query_that_the_split_does_not_have_is_a_fault_with_its_file(
    dataset: mldr.Dataset, audit: Collection
) -> None:
    answer(audit, dataset, "ann", truly)
    name, asked = questions(audit)[0]
    path = audit.queries(name)
    path.write_text(path.read_text().replace(asked.query_id, "made-up"))
    with pytest.raises(InputError, match="'made-up' is not in the split test"):
        judge(dataset, "test", audit, ["ann"])
