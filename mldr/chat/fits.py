"""A quick yes for answers that fit simple schemas; whatever it does not know or does not like, `jsonschema` judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]

_SAYS_NOTHING = {"$schema", "$comment", "title", "description", "default", "examples"}
_OF_TYPE: dict[str, tuple[set[str], tuple[type, ...]]] = {
    "string": ({"minLength", "maxLength"}, (str,)),
    "integer": ({"minimum", "maximum"}, (int,)),
    "number": ({"minimum", "maximum"}, (int, float)),
    "boolean": (set(), (bool,)),
    "null": (set(), (type(None),)),
}


def quick_check(schema: Any) -> Check | None:
    """Return a function that says True only of values that fit `schema` (draft 2020-12), or None where a keyword is not known here.

    False means nothing but "not quickly": 3.0 fits `integer` and gets it. jsonschema takes 1 ms for a dialogue of 30 utterances, so
    that a store could not be read at the speed that it is made for.
    """
    if not isinstance(schema, Mapping):
        return None
    words = set(schema) - _SAYS_NOTHING
    if words == {"anyOf"}:
        return _any_of(schema["anyOf"])
    if "enum" in words and words <= {"enum", "type"}:
        return _one_of(schema)
    kind = schema.get("type")
    if kind == "object" and words <= {"type", "properties", "required", "additionalProperties"}:
        return _object(schema)
    if kind == "array" and words <= {"type", "items", "minItems", "maxItems"}:
        return _array(schema)
    if isinstance(kind, str) and kind in _OF_TYPE and words <= _OF_TYPE[kind][0] | {"type"}:
        return _scalar(schema, _OF_TYPE[kind][1])
    return None


def _object(schema: Mapping[str, Any]) -> Check | None:
    checks = {name: quick_check(of) for name, of in schema.get("properties", {}).items()}
    known = {name: check for name, check in checks.items() if check is not None}
    if len(known) < len(checks) or schema.get("additionalProperties", True) not in (True, False):
        return None
    required, closed = frozenset(schema.get("required", ())), schema.get("additionalProperties", True) is False

    def check(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, item in value.items():
            inner = known.get(name)
            if closed if inner is None else not inner(item):
                return False
        return True

    return check


def _array(schema: Mapping[str, Any]) -> Check | None:
    inner = quick_check(schema["items"]) if "items" in schema else (lambda value: True)
    if inner is None:
        return None
    least, most = schema.get("minItems", 0), schema.get("maxItems", float("inf"))
    return lambda value: type(value) is list and least <= len(value) <= most and all(map(inner, value))


def _scalar(schema: Mapping[str, Any], types: tuple[type, ...]) -> Check:
    if types == (str,):
        if "minLength" not in schema and "maxLength" not in schema:
            return lambda value: type(value) is str
        least, most = schema.get("minLength", 0), schema.get("maxLength", float("inf"))
        return lambda value: type(value) is str and least <= len(value) <= most
    low, high = schema.get("minimum", -float("inf")), schema.get("maximum", float("inf"))
    if "minimum" not in schema and "maximum" not in schema:
        return lambda value: type(value) in types
    return lambda value: type(value) in types and low <= value <= high


def _one_of(schema: Mapping[str, Any]) -> Check | None:
    allowed = schema["enum"]
    if schema.get("type", "string") != "string" or not all(type(one) is str for one in allowed):
        return None  # 1, 1.0 and True are told apart by rules of their own
    texts = frozenset(allowed)
    return lambda value: type(value) is str and value in texts


def _any_of(schemas: Any) -> Check | None:
    checks = [quick_check(one) for one in schemas]
    known = [check for check in checks if check is not None]
    if len(known) < len(checks):
        return None
    return lambda value: any(check(value) for check in known)
