"""From a name and options to a system that is ready, and whatever its own code raises as one line."""

from __future__ import annotations

import inspect
import json
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from inspect import Parameter
from pathlib import Path
from typing import Any, cast, get_args

from mldr.errors import MldrError, printable
from mldr.markup import Sees
from mldr.plugins import resolve
from mldr.retrievers.protocol import Retriever

GROUP = "mldr.retrievers"


def make_retriever(name: str, options: Mapping[str, Any]) -> Retriever:
    """Return a retriever by registered name or `module:Class`, made with its options.

    A class that takes `**options` is one that stands around another system and hands them on; that system refuses unknown ones.
    `windows+bm25` is `windows` with the option `system` set to `bm25`; more can be put in front (`vote+windows+vlm-api`).

    Raises:
        MldrError: if there is none, or it does not take these options.
    """
    outer, plus, inner = name.partition("+")
    if plus:
        if "system" in options:
            raise MldrError(f"{name} names the system inside; leave the option system out")
        options = {**options, "system": inner}
    kind = resolve(GROUP, outer)
    try:
        parameters = [
            parameter for parameter in inspect.signature(kind).parameters.values() if parameter.name != "self"
        ]
    except (TypeError, ValueError) as error:
        raise MldrError(f"{name} is no retriever: a class is expected") from error
    known = [one.name for one in parameters if one.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)]
    hands_on = any(one.kind is Parameter.VAR_KEYWORD for one in parameters)
    if plus and not hands_on and "system" not in known:
        raise MldrError(f"{outer} stands around no other system, so {name} is none")
    if not hands_on and (wrong := [option for option in options if option not in known]):
        takes = ", ".join(known) or "none"
        raise MldrError(f"{name} takes no option {', '.join(sorted(wrong))}; it takes {takes}")
    with answerable_for(name):
        try:
            retriever = kind(**options)
        except ValueError as error:  # how a system refuses an option
            raise MldrError(f"{name}: {printable(str(error)) or 'refuses its options'}") from error
        sees = getattr(retriever, "sees", None)
    if not callable(getattr(retriever, "retrieve", None)):
        raise MldrError(f"{name} is no retriever: it lacks retrieve()")
    if isinstance(sees, str) or not isinstance(sees, Collection) or not sees or not set(sees) <= set(get_args(Sees)):
        raise MldrError(f"{name}: sees is {sees!r}; a list of {', '.join(get_args(Sees))} is expected")
    return cast(Retriever, retriever)


@contextmanager
def answerable_for(name: str) -> Iterator[None]:
    """Turn whatever a system's own code raises into one line that names the system and the place."""
    try:
        yield
    except (MldrError, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if len(frames) > 1 else ""
        raise MldrError(f"{name} failed: {type(error).__name__}: {printable(str(error))}{place}") from error


def plain_json(name: str, value: Any) -> Any:
    """Return a system's own value as JSON keeps it; numbers of numpy become Python's.

    Raises:
        MldrError: for what JSON cannot hold.
    """
    try:
        return json.loads(json.dumps(value, default=lambda one: one.item(), allow_nan=False))
    except (TypeError, ValueError, AttributeError) as error:
        raise MldrError(f"{name}: {printable(repr(value))} cannot be written as JSON") from error
