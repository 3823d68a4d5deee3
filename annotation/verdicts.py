"""What an adjudicator decided about a query: an append-only log beside the annotators' own, which stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mldr.annotation.store import logged
from mldr.dialogue import Level
from mldr.errors import Faults

Basis = Literal["agreed", "one", "union", "intersection", "majority", "edit", "dropped"]
"""`agreed`: all said the same; `one`: a single annotator's answer was taken; `edit`: changed by hand; `dropped`: the query is left
out of the release."""


class Verdict(BaseModel):
    """The answer that stands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    """The query's name, as in the annotators' logs."""
    query: str = Field(max_length=2_000)
    level: Level = "free"
    utterance_ids: tuple[int, ...] = ()
    image_ids: tuple[int, ...] = ()
    negative: bool = False
    basis: Basis
    annotators: tuple[str, ...] = ()
    """Whose answers it was taken from, in alphabetical order."""
    by: str = ""
    """Who decided: an annotator's name, `rule` for one that no person looked at."""
    note: str = Field(default="", max_length=2_000)


def read_verdicts(path: Path) -> dict[str, Verdict]:
    """Return query name -> the newest verdict of a log, in the order of their first; none where there is no file.

    Raises:
        InputError: with every malformed line.
    """
    from mldr.configuration import model_faults

    found: dict[str, Verdict] = {}
    faults = Faults()
    for number, record in logged(path):
        try:
            verdict = Verdict.model_validate(record)
        except ValidationError as error:
            faults.extend(model_faults(error, f"{path}, line {number}").faults)
            continue
        found[verdict.name] = verdict
    faults.check()
    return found
