"""YAML configuration to a pydantic model, with every fault at its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from mldr.errors import Fault, Faults, InputError, fault

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[str | int, ...]

_WORDS = {
    "extra_forbidden": "an unknown key; remove it or mend its spelling",
    "missing": "is missing",
}


def load_yaml_model(path: Path, model: type[Model]) -> Model:
    """Return the model that a YAML file describes.

    Raises:
        InputError: with each fault's file, line and key: not text, not YAML, a key twice, unknown keys, wrong values.
    """
    return yaml_model(_text(path), str(path), model)


def yaml_model(text: str, name: str, model: type[Model]) -> Model:
    """Return the model that YAML text describes; `name` is its place in messages.

    Raises:
        InputError: as `load_yaml_model`.
    """
    node = _compose(text, name)
    lines: dict[Location, int] = {}
    faults = Faults()
    _Index(name, lines, faults).visit(node, ())
    faults.check()
    document = _parsed(text, name)
    if not isinstance(document, dict):
        raise fault(name, "a YAML mapping of keys to values is expected")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InputError(_fault(detail, name, lines) for detail in error.errors()) from error


def model_faults(error: ValidationError, name: str) -> InputError:
    """Return the faults of a document that has no lines (JSON), each at its key."""
    return InputError(_fault(detail, name, {}) for detail in error.errors())


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise fault(str(path), f"not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise fault(str(path), f"cannot be read ({error.strerror})") from error


def _compose(text: str, name: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise fault(f"{name}, line {mark.line + 1}" if mark else name, f"not YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError, ArithmeticError) as error:  # the latter two: "\\UFFFFFFFF" in a quoted string
        raise fault(name, f"not YAML: {error}") from error
    except RecursionError as error:
        raise fault(name, "not YAML that can be read: nested too deeply") from error


def _parsed(text: str, name: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        # PyYAML lets through what its constructors raise: a date such as 2024-99-99, !!bool maybe, !!timestamp soon
        raise fault(name, f"not YAML that can be read: {error}") from error


@dataclass(slots=True)
class _Index:
    """Notes the line of each key and item, and as faults: keys that stand twice, and aliases, with which a small file
    can describe a huge one.
    """

    name: str
    lines: dict[Location, int]
    faults: Faults
    seen: set[int] = dataclass_field(default_factory=set)

    def visit(self, node: yaml.Node | None, at: Location) -> None:
        if node is None:
            return
        self.lines.setdefault(at, node.start_mark.line + 1)
        if id(node) in self.seen:
            self.faults.add(self._place(node), "an alias (*name); write the value out")
            return
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            self._mapping(node, at)
        elif isinstance(node, yaml.SequenceNode):
            for position, item in enumerate(node.value):
                self.visit(item, (*at, position))

    def _mapping(self, node: yaml.MappingNode, at: Location) -> None:
        keys: set[str] = set()
        for key, value in node.value:
            text = str(key.value)
            if text in keys:
                self.faults.add(self._place(key), f"the key {text!r} stands twice")
            keys.add(text)
            self.lines[(*at, text)] = key.start_mark.line + 1
            self.visit(value, (*at, text))

    def _place(self, node: yaml.Node) -> str:
        return f"{self.name}, line {node.start_mark.line + 1}"


def _fault(detail: Any, name: str, lines: dict[Location, int]) -> Fault:
    location: Location = tuple(detail["loc"])
    line = _line(location, lines)
    place = f"{name}, line {line}" if line is not None else name
    key = ".".join(str(part) for part in location)
    words = _WORDS.get(detail["type"]) or str(detail["msg"]).removeprefix("Value error, ")
    return Fault(f"{place}, {key}" if key else place, words)


def _line(location: Sequence[str | int], lines: dict[Location, int]) -> int | None:
    """Return the line of the nearest key above a location: a missing key has none of its own."""
    for length in range(len(location), 0, -1):
        if tuple(location[:length]) in lines:
            return lines[tuple(location[:length])]
    return lines.get(())
