"""What the card says of a label audit, how it gets there, and what a public copy keeps of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.card import compose, record_audit
from mldr.card.audit import HEADING, audit_section, with_audit
from mldr.errors import InputError, MldrError
from mldr.files import write_text
from mldr.manifest import AuditEntry, AuditFigures, HumanFigures, Interval, Manifest, read_manifest, write_manifest
from mldr.summary import summarise
from mldr.verify import verify
from mldr.withhold import withhold
from tests.conftest import write_dataset
from tests.core.test_card import licensed, with_manifest

RIGHT: Interval = (0.875, 0.8, 0.95)


def figures(queries: int, **measures: Interval) -> AuditFigures:
    return AuditFigures(queries=queries, measures=dict(measures))


def entry(gold_hash: str = "", **changed: Any) -> AuditEntry:
    found = AuditEntry(
        gold_hash=gold_hash,
        sampled=60,
        of=170,
        resolved=51,
        people=2,
        answers=figures(60, utt_p=RIGHT),
        labels=figures(51, utt_p=RIGHT, utt_r=(0.5, None, None), img_f1=(None, None, None)),
        kinds={"negative": figures(1_234, joint_em=(1.0, 1.0, 1.0))},
        human=[HumanFigures(answered=60, measures={"joint_f1": (0.75, 0.7, 0.8)}), HumanFigures(answered=59)],
        alpha_masi=(0.812, 0.7, 0.9),
        notes=["60 of 170 queries were drawn"],
    )
    return found.model_copy(update=changed)


def recorded(dataset: mldr.Dataset, split: str = "test", **changed: Any) -> Manifest:
    record_audit(dataset.folder, split, entry(dataset.manifest.gold_hash[split], **changed))
    return read_manifest(dataset.folder)


def card(dataset: mldr.Dataset) -> str:
    return (dataset.folder / "README.md").read_text(encoding="utf-8")


def composed(dataset: mldr.Dataset) -> str:
    return compose(dataset, {split: summarise(dataset, split) for split in dataset.splits}, "")


def test_a_set_that_nobody_audited_says_so() -> None:
    assert audit_section(Manifest(name="mldr-ffr-a")).startswith(f"{HEADING}\n\nUnaudited: no people have answered")


def test_the_section_has_a_row_for_each_modality_of_each_group() -> None:
    section = audit_section(Manifest(name="mldr-ffr-a", audit={"test": entry()}))
    assert "Unaudited" not in section
    for line in (
        "### `test`",
        "| all, every answer | utterances | 60 | 87.5 [80.0, 95.0] | - | - | - |",
        "| all, where an answer stands | utterances | 51 | 87.5 [80.0, 95.0] | 50.0 | - | - |",
        "| all, where an answer stands | images | 51 | - | - | - | - |",
        "| negative | both | 1,234 | - | - | - | 100.0 [100.0, 100.0] |",
        "- 60 of 170 queries were drawn",
        "- joint F1 of 2 people against the labels, as a system is scored, on the queries that each answered: "
        "75.0 [70.0, 80.0] (60 queries); - (59 queries)",
    ):
        assert line in section.splitlines()
    alone = audit_section(Manifest(name="mldr-ffr-a", audit={"test": entry(human=[HumanFigures(answered=60)])}))
    assert "joint F1 of one person against" in alone


def test_foreign_text_of_a_manifest_marks_nothing_up_on_the_card() -> None:
    hostile = entry(notes=["<script>\n## Canary"], kinds={"a|b\n## x": figures(1)})
    section = audit_section(Manifest(name="mldr-ffr-a", audit={"te`st\n## y": hostile}))
    assert [line for line in section.splitlines() if line.startswith("## ")] == [HEADING]
    assert "<script>" not in section
    assert "a\\|b" in section


def test_an_audit_is_written_into_manifest_and_card_and_the_set_still_verifies(small_dataset: mldr.Dataset) -> None:
    write_text(small_dataset.folder / "README.md", composed(small_dataset))
    before = card(small_dataset)
    manifest = recorded(small_dataset)
    assert manifest.audit["test"].labels.measures["utt_p"] == RIGHT
    assert verify(mldr.Dataset(small_dataset.folder)) == {}
    after = card(small_dataset)
    old, new = (audit_section(one) for one in (small_dataset.manifest, manifest))
    assert after == before.replace(old, new)
    assert after == composed(mldr.Dataset(small_dataset.folder))


def test_a_later_audit_of_a_split_makes_way_for_none_but_its_own(small_dataset: mldr.Dataset) -> None:
    recorded(small_dataset, "validation", sampled=1)
    recorded(small_dataset, sampled=2)
    recorded(small_dataset, sampled=3, source="flagged")
    manifest = recorded(small_dataset, sampled=4)
    assert {name: one.sampled for name, one in manifest.audit.items()} == {
        "test": 4,
        "test (flagged)": 3,
        "validation": 1,
    }
    assert card(small_dataset).count(HEADING) == 1
    assert card(small_dataset).count("\n### `") == 3


@pytest.mark.parametrize("rest", ["", "## Queries by rule\n\nx\n", "## Sources and licences\n\nx\n\n## Canary\n\nc\n"])
def test_a_card_without_the_section_gets_it_before_what_follows(rest: str) -> None:
    manifest = Manifest(name="mldr-ffr-a", audit={"test": entry()})
    text = with_audit(f"# A set\n\n## Statistics\n\ns\n\n{rest}", manifest)
    assert text.startswith(f"# A set\n\n## Statistics\n\ns\n\n{HEADING}\n")
    assert text.endswith(rest)
    assert with_audit(text, manifest) == text


def test_a_set_without_a_card_gets_a_short_one(small_dataset: mldr.Dataset) -> None:
    (small_dataset.folder / "README.md").unlink(missing_ok=True)
    recorded(small_dataset)
    assert card(small_dataset).startswith(f"# {small_dataset.name}\n\n{HEADING}\n")


def test_what_cannot_be_recorded_is_refused_and_changes_nothing(small_dataset: mldr.Dataset, tmp_path: Path) -> None:
    before = (small_dataset.folder / "manifest.json").read_bytes()
    with pytest.raises(MldrError, match="no split 'train'; it has test, validation"):
        record_audit(small_dataset.folder, "train", entry())
    with pytest.raises(MldrError, match="has other labels of test than were audited"):
        record_audit(small_dataset.folder, "test", entry("ab"))
    (small_dataset.folder / "README.md").write_bytes(b"\xff")
    with pytest.raises(MldrError, match=r"README\.md: cannot be read"):
        recorded(small_dataset)
    assert (small_dataset.folder / "manifest.json").read_bytes() == before
    with pytest.raises(MldrError, match="is not an mldr dataset"):
        record_audit(tmp_path / "nowhere", "test", entry())


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"labels": 3}, "audit.test.labels"),
        ({"labels": {"queries": "many"}}, "audit.test.labels.queries"),
        ({"labels": {"queries": 1, "measures": {"utt_p": [1.0]}}}, "audit.test.labels.measures.utt_p"),
        ({"labels": {"queries": 1, "measures": {"utt_p": ["<b>", None, None]}}}, "audit.test.labels.measures.utt_p"),
        ({"human": [{"answered": -1}]}, "audit.test.human"),
        ({"notes": "one"}, "audit.test.notes"),
        ({"source": "hearsay"}, "audit.test.source"),
        ({"annotator": "ann"}, "audit.test.annotator"),
    ],
)
def test_a_malformed_audit_is_a_fault_of_the_manifest_with_its_place(
    tmp_path: Path, change: dict[str, Any], place: str
) -> None:
    write_manifest(tmp_path, Manifest(name="mldr-ffr-a", audit={"test": entry()}))
    document = json.loads((tmp_path / "manifest.json").read_text())
    document["audit"]["test"].update(change)
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(InputError) as caught:
        read_manifest(tmp_path)
    assert place in str(caught.value)


def test_an_audit_reads_back_as_it_was_written(tmp_path: Path) -> None:
    manifest = Manifest(name="mldr-ffr-a", audit={"test": entry(), "test (flagged)": entry(alpha_masi=None)})
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest


def test_a_public_copy_tells_of_an_audit_but_not_how_the_withheld_labels_are_spread(
    small_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    for split, source in (("test", "dataset"), ("test", "flagged"), ("validation", "dataset")):
        recorded(small_dataset, split, source=source)
    salted = with_manifest(small_dataset, lambda manifest: setattr(manifest, "salt_sha256", "ab" * 32))
    withhold(salted, ["test"], tmp_path / "public")
    public = mldr.Dataset(tmp_path / "public")
    assert verify(public) == {}
    assert {name: set(one.kinds) for name, one in public.manifest.audit.items()} == {
        "test": set(),
        "test (flagged)": set(),
        "validation": {"negative"},
    }
    assert public.manifest.audit["test"].labels == salted.manifest.audit["test"].labels
    assert card(public).count("| negative | both | 1,234 |") == 1
    assert card(public).count("| all, where an answer stands | both | 51 |") == 3


def test_a_set_that_people_labelled_is_called_unaudited_by_nobody(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path, {"test": licensed("CC0-1.0")})
    assert HEADING in composed(dataset)
    asked = with_manifest(dataset, lambda manifest: setattr(manifest, "consent_scopes", ["research"]))
    assert HEADING not in composed(asked)
    recorded(asked)
    assert HEADING in composed(mldr.Dataset(asked.folder))
