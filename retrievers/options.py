"""What systems say of options that they cannot take: one wording, `NAME is VALUE; ... is expected`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def check_flags(options: Mapping[str, Any]) -> None:
    """Refuse what is neither true nor false.

    Raises:
        ValueError: naming the option.
    """
    for name, value in options.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}; true or false is expected")


def check_known(options: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse a word that is not among the known ones.

    Raises:
        ValueError: naming the option and the words.
    """
    words = tuple(known)
    for name, value in options.items():
        if value not in words:
            raise ValueError(f"{name} is {value!r}; {', '.join(words)} are known")


def check_whole(options: Mapping[str, Any], least: int | None = None, *, optional: bool = False) -> None:
    """Refuse what is no whole number, or too small a one.

    Args:
        options: name -> value.
        least: the smallest that is taken, None for any.
        optional: whether None is taken.

    Raises:
        ValueError: naming the option.
    """
    for name, value in options.items():
        if value is None and optional:
            continue
        if type(value) is not int or (least is not None and value < least):
            size = "" if least is None else f", {least} or more,"
            raise ValueError(f"{name} is {value!r}; a whole number{size} is expected")


def check_numbers(
    options: Mapping[str, Any], low: float | None = None, high: float | None = None, *, optional: bool = False
) -> None:
    """Refuse what is no number, or outside of the bounds, which are themselves taken.

    Args:
        options: name -> value.
        low: the smallest that is taken, None for any.
        high: the largest, None for any; with `low` alone.
        optional: whether None is taken.

    Raises:
        ValueError: naming the option.
    """
    for name, value in options.items():
        if value is None and optional:
            continue
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or (low is not None and not value >= low) or (high is not None and not value <= high):
            between = "" if low is None else f", {low:g} or more," if high is None else f" from {low:g} to {high:g}"
            raise ValueError(f"{name} is {value!r}; a number{between} is expected")
