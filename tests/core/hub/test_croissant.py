from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import mldr
from mldr.errors import InputError
from mldr.hub.croissant import croissant, croissant_text, described
from mldr.hub.croissant_check import check_croissant
from mldr.tables import TABLES, arrow_schema

PAGE = "https://huggingface.co/datasets/tests/demo"


@pytest.fixture(scope="module")
def document(demo_dataset: mldr.Dataset) -> dict[str, Any]:
    return croissant(demo_dataset, PAGE)


def files_of(dataset: mldr.Dataset) -> list[str]:
    return sorted(dataset.manifest.files)


def test_every_column_of_every_table_is_described(document: dict[str, Any]) -> None:
    assert described(document) == {table: set(arrow_schema(table).names) for table in TABLES}


def test_the_description_passes_the_check_and_is_the_same_each_time(demo_dataset: mldr.Dataset) -> None:
    text = croissant_text(demo_dataset, PAGE)
    check_croissant(text, files_of(demo_dataset))
    assert croissant_text(mldr.Dataset(demo_dataset.folder), PAGE) == text


def test_the_reference_implementation_reads_it_without_an_error_and_finds_the_rows(
    demo_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    mlcroissant = pytest.importorskip(
        "mlcroissant", reason="mlcroissant, the reference implementation, is not installed"
    )
    path = tmp_path / "croissant.json"
    path.write_text(croissant_text(demo_dataset, PAGE), encoding="utf-8")
    read = mlcroissant.Dataset(jsonld=path, mapping={"repository": demo_dataset.folder})
    assert not read.metadata.issues.errors
    # Not dialogues and fragments: under pandas 3, mlcroissant 1.1.1 gives the names of their columns in place of rows, since
    # `apply` makes a frame of records that have as many fields as the frame has columns. With one field left out it reads them.
    found = {table: list(read.records(table)) for table in ("queries", "gold", "images")}
    for table, rows in found.items():
        counts = [counts[table] for counts in demo_dataset.manifest.counts.values()]
        assert len(rows) == sum(counts)
        assert {row[f"{table}/split"] for row in rows} == {b"test", b"validation"} or {
            row[f"{table}/split"] for row in rows
        } == {"test", "validation"}
    texts = {row["queries/text"] for row in found["queries"]}
    expected = {query.text for split in demo_dataset.splits for query in demo_dataset.queries(split)}
    assert {text.decode() if isinstance(text, bytes) else text for text in texts} == expected
    picture = found["images"][0]["images/image"]
    assert picture.size[0] > 1


def broken(document: dict[str, Any], change: str) -> dict[str, Any]:
    copy = deepcopy(document)
    if change == "no licence":
        del copy["license"]
    elif change == "another version":
        copy["conformsTo"] = "http://mlcommons.org/croissant/9.9"
    elif change == "an id twice":
        copy["recordSet"][1]["field"][1]["@id"] = copy["recordSet"][1]["field"][0]["@id"]
    elif change == "a reference to nothing":
        copy["distribution"][1]["containedIn"]["@id"] = "nowhere"
    elif change == "a pattern of no file":
        copy["distribution"][1]["includes"] = "other/*.parquet"
    elif change == "a column that is not there":
        copy["recordSet"][1]["field"][1]["source"]["extract"]["column"] = "colour"
    elif change == "a split that cannot be told":
        copy["recordSet"][1]["field"][0]["source"]["transform"]["regex"] = "nothing"
    elif change == "a type that nobody knows":
        copy["recordSet"][1]["field"][1]["dataType"] = "sc:Colour"
    return copy


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("no licence", "lacks 'license'"),
        ("another version", "croissant/1.0' is expected"),
        ("an id twice", "is the @id of two parts"),
        ("a reference to nothing", "nowhere: is referred to and not described"),
        ("a pattern of no file", "no file fits 'other/"),
        ("a column that is not there", "dialogues/colour: is not both in the description and in the table"),
        ("a split that cannot be told", "cannot be told by 'nothing'"),
        ("a type that nobody knows", "dataType is 'sc:Colour'"),
    ],
)
def test_a_description_that_does_not_hold_is_refused_with_its_place(
    document: dict[str, Any], demo_dataset: mldr.Dataset, change: str, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_croissant(json.dumps(broken(document, change)), files_of(demo_dataset))
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"@context": {}}', "null", '{"name": NaN}'])
def test_what_is_no_description_at_all_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"croissant\.json"):
        check_croissant(text, [])


def test_a_shard_that_is_not_described_is_a_fault(document: dict[str, Any], demo_dataset: mldr.Dataset) -> None:
    with pytest.raises(InputError, match="does not describe other/test"):
        check_croissant(json.dumps(document), [*files_of(demo_dataset), "other/test-00000-of-00001.parquet"])


def test_a_set_without_images_or_gold_describes_the_tables_that_it_has(
    small_dataset: mldr.Dataset, tmp_path: Path
) -> None:
    from mldr.withhold import withhold

    withhold(small_dataset, ["validation", "test"], tmp_path / "public", without_salt=True)
    public = mldr.load(tmp_path / "public")
    text = croissant_text(public, PAGE)
    check_croissant(text, files_of(public))
    assert set(described(json.loads(text))) == {"dialogues", "queries", "images"}
