"""A plug-in that cheats: it walks everything that can be reached from what it is shown. Tests copy it and run it by
`module:Class`, then look through what it found.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, GeneratorType, MethodType, ModuleType
from typing import Any, ClassVar

from mldr.markup import Sees
from mldr.retrievers import Ask, DialogueView, Gold, Prediction


def reachable(*roots: Any) -> list[Any]:
    """Return every object that can be reached from some others, without leaving through a class or a module: their
    globals are the interpreter's, which any code in the process can reach anyway.
    """
    found: dict[int, Any] = {}
    pending = list(roots)
    while pending:
        thing = pending.pop()
        if id(thing) in found or isinstance(thing, (type, ModuleType, BuiltinFunctionType)):
            continue
        found[id(thing)] = thing
        pending.extend(_next(thing))
    return list(found.values())


def _next(thing: Any) -> Iterator[Any]:
    if isinstance(thing, MethodType):
        yield from (thing.__self__, thing.__func__)
        return
    if isinstance(thing, FunctionType):
        yield from (cell.cell_contents for cell in thing.__closure__ or ())
        yield from (thing.__defaults__, thing.__kwdefaults__, thing.__dict__)
        return
    if isinstance(thing, GeneratorType):
        yield from (thing.gi_frame.f_locals if thing.gi_frame else {}).values()
        return
    if isinstance(thing, (str, bytes, int, float, type(None))):
        return
    yield from gc.get_referents(thing)
    yield from getattr(thing, "__dict__", {}).values()
    for kind in type(thing).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            yield getattr(thing, slot, None)
    if type(thing).__module__.startswith("mldr"):  # properties and methods of ours too
        yield from (getattr(thing, name, None) for name in dir(thing) if not name.startswith(("__", "model_")))


class Cheat:
    """Keeps what it can reach from its views and asks."""

    sees: tuple[Sees, ...] = ("text", "captions", "pixels")
    found: ClassVar[list[Any]] = []
    views: ClassVar[list[DialogueView]] = []

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        self.views.append(view)
        self.found.extend(reachable(view, asks))
        for ask in asks:
            yield Prediction(ask.query_id, (), ())


class CheatsInFit(Cheat):
    """Keeps what it is given to fit, and what can be reached from that."""

    sees: tuple[Sees, ...] = ("text",)
    examples: ClassVar[list[tuple[DialogueView, list[Ask], list[Gold]]]] = []
    calls: ClassVar[list[str]] = []

    @property
    def fitted(self) -> dict[str, Any]:
        return {"examples": len(self.examples)}

    def fit(self, examples: Iterable[tuple[DialogueView, list[Ask], list[Gold]]]) -> None:
        self.calls.append("fit")
        self.found.extend(reachable(examples))
        self.examples.extend(examples)

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        self.calls.append("retrieve")
        return super().retrieve(view, asks)


class FitsAlone:
    """Has fit() and nothing that says what it fitted, as the protocol allows."""

    sees: tuple[Sees, ...] = ("text",)
    calls: ClassVar[list[int]] = []

    def fit(self, examples: Iterable[tuple[DialogueView, list[Ask], list[Gold]]]) -> None:
        self.calls.append(len(list(examples)))

    def retrieve(self, view: DialogueView, asks: list[Ask]) -> Iterator[Prediction]:
        for ask in asks:
            yield Prediction(ask.query_id, (), ())


class SeesText(Cheat):
    sees: tuple[Sees, ...] = ("text",)
    views: ClassVar[list[DialogueView]] = []


class SeesCaptions(Cheat):
    sees: tuple[Sees, ...] = ("text", "captions")
    views: ClassVar[list[DialogueView]] = []


class SeesPixels(Cheat):
    sees: tuple[Sees, ...] = ("text", "pixels")
    views: ClassVar[list[DialogueView]] = []


SOURCE = Path(__file__)
"""This file, for tests that copy it."""
