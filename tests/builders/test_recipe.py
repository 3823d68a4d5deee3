from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mldr.builders.recipe import Recipe, load_recipe
from mldr.builders.sources.demo import DEMO_FOLDER
from mldr.errors import InputError
from mldr.plugins import resolve
from tests.builders.support import write_recipe
from tests.conftest import Command


def faults_of(path: Path) -> str:
    with pytest.raises(InputError) as raised:
        load_recipe(path)
    return str(raised.value)


def test_the_bundled_recipe_loads() -> None:
    recipe = load_recipe(DEMO_FOLDER / "recipe.yaml")
    assert recipe.name == "demo"
    assert set(recipe.splits) == {"validation", "test"}


def test_defaults_are_written_out_in_the_published_recipe(tmp_path: Path) -> None:
    published = load_recipe(write_recipe(tmp_path)).published()
    assert published["queries"]["negatives"] == 2
    assert published["match"]["method"] == "topics"
    assert published["images"] == "required"


def test_a_published_recipe_names_files_and_no_folders(tmp_path: Path) -> None:
    sources = [{"type": "jsonl", "name": "src", "path": str(tmp_path / "somebody" / "chats.jsonl")}]
    published = load_recipe(write_recipe(tmp_path, sources=sources)).published()
    assert published["sources"][0]["path"] == "chats.jsonl"
    assert "somebody" not in str(published)


def test_a_published_recipe_names_no_server(tmp_path: Path) -> None:
    model = {"provider": "local", "model": "m", "base_url": "http://10.1.2.3:8000/v1", "key_env": "SECRET_NAME"}
    here = load_recipe(write_recipe(tmp_path / "a", models={"writer": model}, stitch={"model": "writer"}))
    moved = {**model, "base_url": "http://elsewhere/v1", "timeout_s": 5.0}
    there = load_recipe(write_recipe(tmp_path / "b", models={"writer": moved}, stitch={"model": "writer"}))
    assert here.published() == there.published()
    assert "10.1.2.3" not in str(here.published())
    assert "SECRET_NAME" not in str(here.published())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"stitch": {"model": "writer"}}, "`models` has none"),
        ({"match": {"method": "embeddings"}}, "needs an `embedder`"),
        ({"stitch": {"language": "zh"}}, "needs stitch.model"),
        ({"verify": {"model": "judge"}}, "verify.model is 'judge'"),
        (
            {"models": {"w": {"provider": "p", "model": "m"}}, "verify": {"model": "w", "splits": ["dev", "test"]}},
            "verify.splits names dev; `splits` has validation, test",
        ),
        ({"queries": {"kinds": {"multimodal": 0.5, "utterance": 0.5, "image": 0.5}}}, "sum to 1"),
        ({"models": {"w": {"provider": "p", "model": "m", "base_url": "ftp://x"}}}, "must start with http"),
        ({"models": {"w": {"provider": "p", "model": "m", "base_url": "http://u:p@x/v1"}}}, "key_env"),
    ],
)
def test_what_a_step_needs_and_lacks_is_said(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    assert words in faults_of(write_recipe(tmp_path, **changed))


def test_every_fault_of_a_recipe_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        "format: mldr/recipe@1\nname: Bad Name\nsede: 3\nsources:\n  - type: demo\n    name: demo\n    max_turns: 1\n"
        "splits: {train: 0.5}\n",
        encoding="utf-8",
    )
    text = faults_of(path)
    for words in ("line 2, name", "line 3, sede: an unknown key", "line 7, sources.0.max_turns", "line 8, splits"):
        assert words in text
    assert text.startswith("4 faults:")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"splits": {"test": 1.5}}, "the share of test is 1.5"),
        ({"splits": {"test": 0.7, "validation": 0.7}}, "shares sum to at most 1"),
        ({"splits": {}}, "at least one split"),
        ({"seed": "3"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"languages": ["english"]}, "no primary language subtag"),
        ({"images": "some"}, "images"),
        ({"sources": []}, "sources"),
        ({"sources": [{"type": "demo", "name": "a"}, {"type": "demo", "name": "a"}]}, "the same name"),
        ({"queries": {"negatives": -1}}, "negatives"),
        ({"format": "mldr/recipe@99"}, "newer than this mldr"),
        ({"format": "mldr/dataset@1"}, "mldr/recipe@1 is expected"),
    ],
)
def test_a_wrong_value_is_refused_with_its_reason(tmp_path: Path, changed: dict[str, object], words: str) -> None:
    assert words in faults_of(write_recipe(tmp_path, **changed))


def test_a_recipe_without_a_format_says_what_to_write(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("name: x\n", encoding="utf-8")
    assert "format: mldr/recipe@1" in faults_of(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"- 1\n- 2\n", b"a: [1\n", b"just words", b"\x00\x01"])
def test_a_file_that_is_no_recipe_is_refused_without_a_traceback(
    tmp_path: Path, content: bytes, command: Command
) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(content)
    code, out, err = command("mldr", "build", "check", str(path))
    assert (code, out) == (1, "")
    assert "r.yaml" in err
    assert "Traceback" not in err


def test_a_missing_recipe_is_one_line(tmp_path: Path, command: Command) -> None:
    code, _, err = command("mldr", "build", "check", str(tmp_path / "none.yaml"))
    assert code == 1
    assert "cannot be read" in err


def test_the_recipe_schema_has_a_description_of_every_split_key() -> None:
    schema = Recipe.model_json_schema()
    assert schema["additionalProperties"] is False
    assert "splits" in schema["required"]


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "docs" / "recipes").glob("*.yaml")), ids=lambda p: p.stem
)
def test_the_recipes_of_the_documentation_load_and_admit_what_their_sources_are_published_under(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    published = {getattr(resolve("mldr.sources", entry.type), "licence", "") for entry in recipe.sources}
    assert not recipe.licences or published <= {*recipe.licences, ""}
