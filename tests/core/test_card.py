from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import mldr
from mldr.card import bullets, compose, held, plain, table
from mldr.card.front import hub_licence
from mldr.dialogue import Dialogue, StoredImage
from mldr.licences import combined
from mldr.manifest import Manifest, read_manifest, write_manifest
from mldr.summary import summarise
from tests.conftest import Rows, small_rows, write_dataset


def licensed(licence: str, image_licence: str = "CC0-1.0", **changed: Any) -> Rows:
    """Return small rows whose dialogues and images are under some licence."""
    rows = small_rows(0, "red")
    rows["dialogues"] = [replace(d, licence=licence, **changed) for d in rows["dialogues"] if isinstance(d, Dialogue)]
    rows["images"] = [replace(i, licence=image_licence) for i in rows["images"] if isinstance(i, StoredImage)]
    return rows


def with_manifest(dataset: mldr.Dataset, change: Callable[[Manifest], None]) -> mldr.Dataset:
    manifest = read_manifest(dataset.folder)
    change(manifest)
    write_manifest(dataset.folder, manifest)
    return mldr.Dataset(dataset.folder)


def written(dataset: mldr.Dataset, notice: str = "") -> str:
    return compose(dataset, {split: summarise(dataset, split) for split in dataset.splits}, notice)


def front(text: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return document


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


@given(st.text(max_size=500))
def test_foreign_text_stays_on_its_line_and_marks_nothing_up(text: str) -> None:
    shown = plain(text)
    assert shown.isprintable()
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>#|~&!]", shown)


def test_a_table_has_as_many_cells_in_each_row() -> None:
    assert table(["", "a"], [["b", "c"]]) == "| | a |\n|---|---|\n| b | c |\n"


def test_a_long_list_is_cut_and_the_rest_is_counted() -> None:
    assert bullets(["a", "b", "c"], shown=1) == "- a\n- ... and 2 more, each named in its row\n"


def test_one_licence_that_rules_is_the_hubs_license(tmp_path: Path) -> None:
    text = written(write_dataset(tmp_path, {"test": licensed("CC BY 4.0; CC0-1.0", "public domain")}))
    assert front(text)["license"] == "cc-by-4.0"
    assert "license_name" not in front(text)
    assert "**As a whole: redistributable, on the terms: attribution.** The licence that rules is CC-BY-4.0." in text
    assert "可再分发，须署名；整体适用 CC-BY-4.0" in text


@pytest.mark.parametrize(
    ("texts", "fields"),
    [
        (["CC0-1.0"], {"license": "cc0-1.0"}),
        (["ODbL"], {"license": "odbl"}),
        (["GPL-3.0"], {"license": "gpl-3.0"}),
        (
            ["CC-BY-SA-2.0"],
            {
                "license": "other",
                "license_name": "cc-by-sa-2.0",
                "license_link": "https://creativecommons.org/licenses/by-sa/2.0/",
            },
        ),
        (["MIT", "Apache-2.0"], {"license": "other", "license_name": "mixed-attribution"}),
        (["MIT", "CC0", "CC-BY-NC-ND-4.0", "ISC", "cc by-nc"], {"license": "cc-by-nc-nd-4.0"}),
        (["public domain"], {"license": "other", "license_name": "mixed-no-conditions"}),
        (["CC-BY-4.0", ""], {"license": "other", "license_name": "not-redistributable-as-one"}),
    ],
)
def test_the_hub_reads_an_identifier_or_a_name_that_says_the_terms(texts: list[str], fields: dict[str, str]) -> None:
    assert hub_licence(combined(texts)) == fields


@pytest.mark.parametrize(
    ("licence", "image_licence", "reason"),
    [
        ("", "CC0-1.0", "a part states no licence"),
        ("CC0-1.0", "unknown", "a part states no licence"),
        ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0", "each ask that all of it be under them alone"),
        ("CC-BY-ND-4.0", "CC0-1.0", "CC-BY-ND-4.0 permits no adaptation, and it was adapted"),
        ("MIT; my own", "CC0-1.0", "the licence 'my own' is not known to mldr"),
    ],
)
def test_what_must_not_be_passed_on_is_said_with_the_reason(
    tmp_path: Path, licence: str, image_licence: str, reason: str
) -> None:
    text = written(write_dataset(tmp_path, {"test": licensed(licence, image_licence)}))
    assert front(text)["license"] == "other"
    assert "not redistributable as one" in text
    assert reason in text
    assert "整体不可再分发" in text


def test_no_derivatives_does_not_bar_dialogues_that_were_not_made_of_others(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path, {"test": licensed("CC-BY-ND-4.0", origin="real")})
    assert held(dataset).terms.redistributable


def test_an_image_that_is_only_an_address_is_listed_and_is_no_part_of_the_terms(tmp_path: Path) -> None:
    rows = licensed("CC0-1.0")
    rows["images"] = [
        replace(image, status="url_only", content=None, url="https://example.org/a.jpg", licence="", attribution="Ann")
        for image in rows["images"]
        if isinstance(image, StoredImage)
    ]
    text = written(write_dataset(tmp_path, {"test": rows}))
    assert front(text)["license"] == "cc0-1.0"
    assert "an address or a caption only, so no part of the terms (1): not stated — Ann" in text


def test_the_terms_of_the_models_count(small_dataset: mldr.Dataset) -> None:
    def change(manifest: Manifest) -> None:
        manifest.recipe = {
            "models": {"big": {"model": "big-7b", "terms": "CC-BY-NC-4.0"}, "idle": {"model": "idle", "terms": ""}},
            "stitch": {"model": "big"},
            "tag": {"model": ""},
            "verify": None,
        }

    found = held(with_manifest(small_dataset, change))
    assert found.models == {"big-7b": "CC-BY-NC-4.0"}
    assert found.terms.non_commercial


def test_models_are_known_from_their_usage_where_the_recipe_is_left_out(small_dataset: mldr.Dataset) -> None:
    def change(manifest: Manifest) -> None:
        manifest.model_usage = {
            "stitch": {"model": "big-7b", "terms": "Apache-2.0", "requests": 3},
            "tag": {"model": "other"},
        }

    found = held(with_manifest(small_dataset, change))
    assert found.models == {"big-7b": "Apache-2.0", "other": ""}
    assert not found.terms.redistributable


def test_changes_to_the_sources_are_listed_and_unreadable_ones_counted(tmp_path: Path) -> None:
    rows = licensed("CC0-1.0", meta=json.dumps({"changes": ["cut after 20 turns", "<b>"], "other": 1}))
    first, second = rows["dialogues"]
    assert isinstance(second, Dialogue)
    rows["dialogues"] = [first, replace(second, meta="{broken")]
    text = written(write_dataset(tmp_path, {"test": rows}))
    assert "- cut after 20 turns: 1 dialogues" in text
    assert "- \\<b\\>: 1 dialogues" in text
    assert "cannot be read: 1 dialogues" in text


def test_sections_appear_only_where_they_apply(small_dataset: mldr.Dataset) -> None:
    assert headings(written(small_dataset)) == [
        "Statistics",
        "Label audit",
        "Queries by rule",
        "Sources and licences",
        "中文摘要",
    ]


def test_agreement_cost_and_drops_are_told(small_dataset: mldr.Dataset) -> None:
    def change(manifest: Manifest) -> None:
        manifest.verification = {"test": {"image": {"asked": 4, "agreed": 1}, "negative": {"asked": 4, "agreed": 4}}}
        manifest.model_usage = {
            "stitch": {"model": "m", "requests": 1200, "tokens_in": 5, "tokens_out": 6, "cost": 1.5, "currency": "EUR"},
            "verify (judge)": {"model": "v|x", "requests": 8, "tokens_in": 1, "tokens_out": 2},
        }
        manifest.dropped = {"a <reason>": 7}
        manifest.canary = "mldr canary 1"

    text = written(with_manifest(small_dataset, change))
    assert (
        "| test | image | 4 | 1 | 25.0 % |\n| test | negative | 4 | 4 | 100.0 % |\n| test | all | 8 | 5 | 62.5 % |"
        in text
    )
    assert "| stitch | m | 1,200 | 5 | 6 | 1.5 EUR |\n| verify (judge) | v\\|x | 8 | 1 | 2 | not priced |" in text
    assert "- a \\<reason\\>: 7" in text
    assert "A model (v\\|x) answered queries a second time" in text
    for heading in ("How the labels were checked", "What it cost", "What was left out", "Canary"):
        assert heading in headings(text)


def test_a_split_without_gold_is_said_to_be_withheld_with_its_hash(tmp_path: Path) -> None:
    rows = small_rows(0, "red")
    dataset = write_dataset(tmp_path, {"test": {t: rows[t] for t in ("dialogues", "queries", "images")}})
    dataset = with_manifest(dataset, lambda manifest: manifest.gold_hash.update(test="ab" * 32))
    text = written(dataset)
    assert "## Withheld gold" in text
    assert "ab" * 32 in text
    assert "标准答案不公开：test" in text
    assert [config["config_name"] for config in front(text)["configs"]] == ["dialogues", "queries", "images"]


def test_the_notice_stands_first_in_both_languages(small_dataset: mldr.Dataset) -> None:
    text = written(small_dataset, "Never [quote](x).")
    assert text.count("Never \\[quote\\](x).") == 2
    assert text.index("Never") < text.index("Long multimodal")


def test_the_histogram_has_a_row_a_split(small_dataset: mldr.Dataset) -> None:
    assert "| utterances | 5-9 |\n|---|---|\n| validation | 2 |\n| test | 2 |" in written(small_dataset)
