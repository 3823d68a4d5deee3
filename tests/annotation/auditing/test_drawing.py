"""What an audit draws: how many of what, blind, and the same each time."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mldr
from mldr.annotation.auditing.drawing import audit_id, draw, draw_flagged, read_plan
from mldr.annotation.auditing.sampling import PER_DIALOGUE, Row, allotted, sample
from mldr.annotation.auditing.shown import plan_lines
from mldr.annotation.collection import open_collection
from mldr.dialogue import Query
from mldr.errors import InputError, MldrError
from tests.annotation.agreement.labelled import new_collection
from tests.annotation.auditing.audited import audited_dataset, questions, rows
from tests.conftest import write_dataset

Stratum = tuple[str, str, str]
sizes = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from("de"), st.sampled_from("fg")), st.integers(1, 60), min_size=1
)


@given(sizes, st.integers(1, 200))
def test_every_stratum_gives_one_and_the_rest_goes_by_size(found: dict[Stratum, int], n: int) -> None:
    if n < len(found):
        with pytest.raises(MldrError, match="each gives one at least"):
            allotted(found, n)
        return
    got = allotted(found, n)
    total = sum(found.values())
    assert sum(got.values()) == min(n, total)
    for stratum, size in found.items():
        assert 1 <= got[stratum] <= size
        quota = min(n, total) * size / total
        assert got[stratum] <= max(1, quota + 1)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab")), min_size=2, max_size=30),
    st.integers(2, 30),
    st.integers(0, 9),
)
def test_a_sample_fills_every_stratum_and_is_the_same_in_any_order(
    given_: list[tuple[int, str]], n: int, seed: int
) -> None:
    every = [Row(f"q{i}", f"d{dialogue}", (kind, "en", "rule")) for i, (dialogue, kind) in enumerate(given_)]
    drawn = sample(every, n, seed)
    assert sample(list(reversed(every)), n, seed) == drawn
    assert len({row.query_id for row in drawn}) == len(drawn)
    assert Counter(row.stratum for row in drawn) == allotted(Counter(row.stratum for row in every), n)


def test_few_queries_are_drawn_of_one_dialogue_until_a_stratum_would_go_short() -> None:
    rare = [Row(f"r{i}", f"d{i % 4}", ("image", "en", "rule")) for i in range(12)]
    main = [Row(f"m{i}", f"d{i % 4}", ("multimodal", "en", "rule")) for i in range(36)]
    few, many = sample([*rare, *main], 12, 0), sample([*rare, *main], 24, 0)
    assert max(Counter(row.dialogue_id for row in few).values()) == PER_DIALOGUE
    assert Counter(row.stratum[0] for row in few) == {"image": 3, "multimodal": 9}
    assert max(Counter(row.dialogue_id for row in many).values()) == 6
    assert Counter(row.stratum[0] for row in many) == {"image": 6, "multimodal": 18}


def test_the_sample_follows_kind_and_source_and_another_seed_draws_others(tmp_path: Path) -> None:
    dataset = audited_dataset(tmp_path)
    plan = draw(dataset, "test", 24, 0, tmp_path / "audit")
    assert (plan.drawn, plan.of, plan.source) == (24, 72, "dataset")
    assert {(one.kind, one.label_source, one.of, one.drawn) for one in plan.strata} == {
        (kind, source, of, of // 3)
        for source in ("rule", "model")
        for kind, of in (("multimodal", 6), ("utterance", 18), ("image", 6), ("negative", 6))
    }
    drawn = [asked.query_id for _, asked in questions(open_collection(tmp_path / "audit"))]
    draw(dataset, "test", 24, 1, tmp_path / "other")
    assert drawn != [asked.query_id for _, asked in questions(open_collection(tmp_path / "other"))]
    assert max(Counter(query_id[:16] for query_id in drawn).values()) <= PER_DIALOGUE
    assert "24 of 72 queries of test" in plan_lines(plan)[0]


def test_the_same_draw_gives_the_same_bytes(tmp_path: Path) -> None:
    dataset = audited_dataset(tmp_path)
    for name in ("one", "two"):
        draw(dataset, "test", 20, 3, tmp_path / name)
    files = [
        {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*") if p.is_file()}
        for name in ("one", "two")
    ]
    assert files[0] == files[1]


def test_nothing_in_the_folder_tells_a_label_a_source_or_what_is_on_a_picture(tmp_path: Path) -> None:
    made = rows()
    marked = [replace(one, meta='{"secret": "who knows"}') for one in made["dialogues"]]  # type: ignore[arg-type]
    dataset = write_dataset(tmp_path / "set", {"test": {**made, "dialogues": marked}})
    draw(dataset, "test", 24, 0, tmp_path / "audit")
    text = b"".join(p.read_bytes() for p in (tmp_path / "audit").rglob("*.json*")).decode()
    for word in ("secret", "negative", "multimodal", "fine", "strata", "label_source", 'gold"', "picture 0"):
        assert word not in text
    audit = open_collection(tmp_path / "audit")
    for name, asked in questions(audit):
        assert set(json.loads(audit.queries(name).read_text().splitlines()[0])) == {
            "name",
            "text",
            "language",
            "origin",
            "query_id",
        }
        assert asked.origin == "dataset"
        assert asked.name in ("q1", "q2", "q3")


def test_pictures_are_copied_byte_by_byte_and_may_be_shown(tmp_path: Path) -> None:
    dataset = audited_dataset(tmp_path)
    draw(dataset, "test", 24, 0, tmp_path / "audit")
    audit = open_collection(tmp_path / "audit")
    for collected in audit:
        assert collected.subjects == {}
        assert collected.dialogue.origin == "stitched"
        for image in collected.images:
            assert (image.status, image.decision) == ("present", "yes")
            content = audit.image_path(image.image_key, image.media_type).read_bytes()
            assert f"sha256:{hashlib.sha256(content).hexdigest()}" == image.image_key
            assert content == dataset.image(image.image_key).content


def test_a_picture_without_bytes_is_missing_and_its_caption_stands_for_it(tmp_path: Path) -> None:
    made = rows()
    made["images"] = [replace(one, status="url_only", content=None) for one in made["images"]]  # type: ignore[arg-type]
    dataset = write_dataset(tmp_path / "set", {"test": made})
    plan = draw(dataset, "test", 24, 0, tmp_path / "audit")
    assert plan.unseen_images == plan.images > 0
    collected = next(iter(open_collection(tmp_path / "audit")))
    assert (collected.images[0].status, collected.dialogue.images[0].caption) == ("missing", "picture 0")
    assert "people see their caption alone" in plan_lines(plan)[-1]


def test_a_picture_whose_bytes_are_not_its_own_stops_the_draw_and_leaves_nothing(tmp_path: Path) -> None:
    made = rows()
    made["images"] = [replace(one, content=b"other") for one in made["images"]]  # type: ignore[arg-type]
    dataset = write_dataset(tmp_path / "set", {"test": made})
    with pytest.raises(InputError, match="not those that its key names"):
        draw(dataset, "test", 24, 0, tmp_path / "audit")
    assert not (tmp_path / "audit").exists()
    assert not (tmp_path / "audit.partial").exists()


def test_queries_that_nobody_can_be_asked_are_left_out_and_counted(tmp_path: Path) -> None:
    made = rows()
    queries = [one for one in made["queries"] if isinstance(one, Query)]
    queries[0], queries[1] = replace(queries[0], text=" \n"), replace(queries[1], text="x" * 2_001)
    dataset = write_dataset(tmp_path / "set", {"test": {**made, "queries": list(queries)}})
    plan = draw(dataset, "test", 60, 0, tmp_path / "audit")
    assert (plan.not_askable, plan.of) == (2, 70)
    assert "2 queries cannot be asked" in "\n".join(plan_lines(plan))


def test_a_draw_refuses_what_stands_there_withheld_gold_and_too_few(tmp_path: Path) -> None:
    dataset = audited_dataset(tmp_path)
    draw(dataset, "test", 24, 0, tmp_path / "audit")
    with pytest.raises(MldrError, match="exists"):
        draw(dataset, "test", 24, 0, tmp_path / "audit")
    with pytest.raises(MldrError, match="-n 3: there are 8 strata"):
        draw(dataset, "test", 3, 0, tmp_path / "few")
    made = rows()
    bare = write_dataset(tmp_path / "bare", {"test": {"dialogues": made["dialogues"], "queries": made["queries"]}})
    with pytest.raises(MldrError, match="is withheld"):
        draw(bare, "test", 24, 0, tmp_path / "none")
    with pytest.raises(MldrError, match="no split 'train'"):
        draw(dataset, "train", 24, 0, tmp_path / "none")


def flags(dataset: mldr.Dataset, split: str, n: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for gold in list(dataset.gold(split))[:n]:
        ids = {"utterance_ids": list(gold.utterance_ids), "image_ids": list(gold.image_ids)}
        answer = {"utterance_ids": [5], "image_ids": []}
        found.append({"query_id": gold.query_id, "gold": ids, "answer": answer, "model": "some model"})
    return found


def write_flags(path: Path, records: list[object]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return path


def test_flagged_queries_come_in_the_same_way_and_those_of_other_splits_do_not(tmp_path: Path) -> None:
    dataset = audited_dataset(tmp_path)
    path = write_flags(tmp_path / "flagged.jsonl", [*flags(dataset, "test", 9), *flags(dataset, "validation", 2)])
    plan = draw_flagged(dataset, "test", path, 50, 0, tmp_path / "audit")
    assert (plan.source, plan.of, plan.drawn, plan.most_of_one) == ("flagged", 9, 9, 6)  # two dialogues
    assert "make the later ones easier" in plan_lines(plan)[1]
    audit = open_collection(tmp_path / "audit")
    assert {asked.origin for _, asked in questions(audit)} == {"flagged"}
    assert {asked.query_id for _, asked in questions(audit)} <= {
        str(flag["query_id"]) for flag in flags(dataset, "test", 9)
    }
    assert "some model" not in "".join(p.read_text() for p in (tmp_path / "audit").rglob("*.json*"))


def test_flags_of_another_build_are_named_line_by_line(tmp_path: Path) -> None:
    dataset = audited_dataset(tmp_path)
    good = flags(dataset, "test", 2)
    other = {**good[1], "gold": {"utterance_ids": [5], "image_ids": []}}
    path = write_flags(
        tmp_path / "flagged.jsonl",
        [good[0], other, {**good[0], "query_id": "x"}, [1], {"query_id": "q"}, {**good[0], "query_id": 3}],
    )
    with pytest.raises(InputError) as error_info:
        draw_flagged(dataset, "test", path, 50, 0, tmp_path / "audit")
    assert [fault.place.rpartition(" ")[2] for fault in error_info.value.faults] == ["2", "3", "4", "5", "6"]
    with pytest.raises(MldrError, match="cannot be read"):
        draw_flagged(dataset, "test", tmp_path / "none.jsonl", 50, 0, tmp_path / "audit")
    empty = write_flags(tmp_path / "empty.jsonl", [])
    with pytest.raises(MldrError, match="no flagged query of test"):
        draw_flagged(dataset, "test", empty, 50, 0, tmp_path / "audit")


def test_the_plan_is_read_back_without_its_strata_and_another_collection_has_none(tmp_path: Path) -> None:
    dataset = audited_dataset(tmp_path)
    plan = draw(dataset, "test", 24, 0, tmp_path / "audit")
    assert read_plan(open_collection(tmp_path / "audit")) == plan.model_copy(update={"strata": []})
    with pytest.raises(MldrError, match="is no audit"):
        read_plan(new_collection(tmp_path))
    (tmp_path / "audit" / "audit.json").write_text('{"format": "mldr/audit-plan@1", "dataset": 3}')
    with pytest.raises(InputError, match="split"):
        read_plan(open_collection(tmp_path / "audit"))


@pytest.mark.parametrize("name", ["../../x", "a/b", "", "0123456789ABCDEF", "one"])
def test_a_dialogue_that_no_file_can_be_called_after_gets_an_id_of_its_own(name: str) -> None:
    made = audit_id(name)
    assert len(made) == 16
    assert set(made) <= set("0123456789abcdef")
    assert audit_id(made) == made
