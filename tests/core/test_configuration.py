from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from mldr.configuration import load_yaml_model, model_faults, yaml_model
from mldr.errors import InputError
from tests.core.support import plain_text


class Source(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: str
    limit: int = Field(default=0, ge=0)


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    when: date | None = None
    sources: list[Source] = Field(default_factory=list)

    @field_validator("name")
    @classmethod
    def _lower(cls, value: str) -> str:
        if value != value.lower():
            raise ValueError("is written in lower case")
        return value


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


def faults_of(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        yaml_model(text, "recipe.yaml", Settings)
    return [str(fault) for fault in caught.value.faults]


def test_yaml_becomes_the_model(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("\ufeffname: 演示\nwhen: 2024-02-29\nsources:\n  - path: a.jsonl\n    limit: 3\n", encoding="utf-8")
    wanted = Settings(name="演示", when=date(2024, 2, 29), sources=[Source(path="a.jsonl", limit=3)])
    assert load_yaml_model(path, Settings) == wanted


def test_an_unknown_key_is_named_with_its_line_and_path() -> None:
    assert faults_of("name: a\nsources:\n  - path: b\n    limitt: 3\n") == [
        "recipe.yaml, line 4, sources.0.limitt: an unknown key; remove it or mend its spelling"
    ]


def test_a_missing_key_stands_at_the_line_of_what_lacks_it() -> None:
    assert faults_of("name: a\nsources:\n  - limit: 3\n") == ["recipe.yaml, line 3, sources.0.path: is missing"]


def test_every_wrong_value_is_told_at_once_with_its_line() -> None:
    faults = faults_of("name: A\nwhen: soon\nsources:\n  - path: b\n    limit: -1\n")
    assert faults[0] == "recipe.yaml, line 1, name: is written in lower case"
    assert [fault.split(":")[0] for fault in faults[1:]] == [
        "recipe.yaml, line 2, when",
        "recipe.yaml, line 5, sources.0.limit",
    ]


def test_keys_that_stand_twice_are_refused_at_every_depth() -> None:
    assert faults_of("name: a\nsources:\n  - path: b\n    path: c\nname: d\n") == [
        "recipe.yaml, line 4: the key 'path' stands twice",
        "recipe.yaml, line 5: the key 'name' stands twice",
    ]


def test_a_billion_laughs_are_refused_at_the_first_alias() -> None:
    lines = ["a0: &a0 [ha, ha]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    with pytest.raises(InputError) as caught:
        yaml_model("\n".join(lines), "recipe.yaml", Anything)
    assert "alias" in caught.value.faults[0].message
    assert caught.value.total == 81


def test_an_alias_to_itself_is_refused() -> None:
    assert any("alias" in fault for fault in faults_of("name: &a [*a]\n"))


def test_text_that_is_not_utf8_is_refused_with_its_byte(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"name: caf\xe9\n")
    with pytest.raises(InputError, match=r"recipe\.yaml: not UTF-8 text \(byte 9\)"):
        load_yaml_model(path, Settings)


def test_a_file_that_is_not_there_is_one_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_yaml_model(tmp_path / "none.yaml", Settings)
    with pytest.raises(InputError, match="cannot be read"):
        load_yaml_model(tmp_path, Settings)


def test_broken_yaml_is_refused_with_its_line() -> None:
    assert faults_of("name: a\nsources: [1\n")[0].startswith("recipe.yaml, line 3: not YAML")


@pytest.mark.parametrize("text", ["", "- a\n", "words", "3"])
def test_a_document_that_is_no_mapping_is_refused(text: str) -> None:
    assert faults_of(text) == ["recipe.yaml: a YAML mapping of keys to values is expected"]


@pytest.mark.parametrize(
    "value",
    [
        "2024-99-99",
        "2001-01-01 00:00:00 +99:99",
        "!!float x",
        "!!int ''",
        "!!bool maybe",
        "!!timestamp soon",
        "1" + ":59" * 200 + ".0",
        '"\\U7fffffff"',
        '"\\Uffffffff"',
        "!!python/object/apply:os.getcwd []",
        "=",
        "[" * 3_000,
        "\x01",
    ],
)
def test_a_value_that_yaml_cannot_read_is_a_fault_and_no_crash(value: str) -> None:
    faults = faults_of(f"name: a\nwhen: {value}\n")
    assert len(faults) == 1
    assert "YAML" in faults[0]


@given(plain_text | st.lists(st.sampled_from([*":-?!&*[]{}#|>\"'\n 0a%@`,~<", "!!", "  "])).map("".join))
def test_whatever_text_comes_it_is_a_model_or_faults(text: str) -> None:
    with suppress(InputError):
        assert isinstance(yaml_model(text, "recipe.yaml", Anything), Anything)


def test_the_faults_of_a_document_without_lines_name_its_keys() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"name": "a", "sources": [{"path": "b", "size": 1}]})
    error = model_faults(caught.value, "manifest.json")
    assert [fault.place for fault in error.faults] == ["manifest.json, sources.0.size"]
