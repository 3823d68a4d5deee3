"""What an annotator says of a dialogue: an append-only log of whole statements, and the state that replaying it gives.

Undo is a statement too. Originals are never rewritten: an adjudicator writes a log of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mldr.annotation.store import logged
from mldr.dialogue import Level
from mldr.errors import Faults
from mldr.files import sha256_text

_STRICT = ConfigDict(extra="forbid", frozen=True)


class Put(BaseModel):
    """A fragment as it is from now on: its query, and the sets of ids that answer it."""

    model_config = _STRICT

    event: Literal["put"] = "put"
    fragment: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    """The fragment's name in this log; for a query that was asked of everybody it is that query's name."""
    query: str = Field(max_length=2_000)
    """'' while nobody wrote one."""
    level: Level = "free"
    utterance_ids: tuple[int, ...] = ()
    """Ascending, no id twice."""
    image_ids: tuple[int, ...] = ()
    negative: bool = False
    """The annotator says that nothing answers the query; an empty fragment without this is unfinished."""
    note: str = Field(default="", max_length=2_000)
    seen: int = Field(default=0, ge=0)
    """How many lines of the log the page had seen: a statement about a fragment that changed since is refused, not lost."""
    tab: str = Field(default="", max_length=40)


class Drop(BaseModel):
    """A fragment that is no longer one."""

    model_config = _STRICT

    event: Literal["drop"] = "drop"
    fragment: str
    seen: int = Field(default=0, ge=0)
    tab: str = Field(default="", max_length=40)


class Done(BaseModel):
    """The annotator is done with the dialogue, or takes that back."""

    model_config = _STRICT

    event: Literal["done"] = "done"
    done: bool | None = True
    """None tells the time alone: a tab that is closed says nothing about whether another one was done."""
    lead_time_s: float = Field(default=0.0, ge=0.0, le=1e8)
    """Seconds that the page was worked on since the last such statement, idle minutes left out."""
    tab: str = Field(default="", max_length=40)


Statement = Annotated[Put | Drop | Done, Field(discriminator="event")]
STATEMENT: TypeAdapter[Put | Drop | Done] = TypeAdapter(Statement)


@dataclass(slots=True)
class Labels:
    """Where a log stands."""

    fragments: dict[str, Put] = field(default_factory=dict)
    """name -> its newest statement, in the order of their first."""
    done: bool = False
    lead_time_s: float = 0.0
    lines: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    """name -> the line (from 1) of the newest statement about it, dropped ones too."""

    def take(self, statement: Put | Drop | Done) -> None:
        """Move on by one statement."""
        self.lines += 1
        if isinstance(statement, Put):
            self.fragments[statement.fragment] = statement
            self.changed[statement.fragment] = self.lines
        elif isinstance(statement, Drop):
            self.fragments.pop(statement.fragment, None)
            self.changed[statement.fragment] = self.lines
        else:
            self.done = self.done if statement.done is None else statement.done
            self.lead_time_s += statement.lead_time_s


def replay(statements: Iterable[Put | Drop | Done]) -> Labels:
    """Return where statements lead."""
    labels = Labels()
    for statement in statements:
        labels.take(statement)
    return labels


def read_labels(path: Path) -> Labels:
    """Return where a log stands; an empty state where there is none.

    Raises:
        InputError: with every malformed line.
    """
    from mldr.configuration import model_faults

    labels, faults = Labels(), Faults()
    for number, record in logged(path):
        try:
            labels.take(STATEMENT.validate_python(record))
        except ValidationError as error:
            faults.extend(model_faults(error, f"{path}, line {number}").faults)
    faults.check()
    return labels


class Asked(BaseModel):
    """A query that every annotator of a collection is asked about a dialogue; nothing about its answer."""

    model_config = _STRICT

    name: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    text: str = Field(min_length=1, max_length=2_000)
    language: str = ""
    origin: str = ""
    """Who wrote it: an annotator's name, `dataset` in an audit, `flagged` where a model disagreed with it."""
    query_id: str = ""
    """Of the dataset that it was drawn from, in an audit; '' else."""


def read_asked(path: Path) -> list[Asked]:
    """Return the queries of a file of `Collection.queries`, none where there is no file.

    Raises:
        InputError: with every malformed line.
    """
    from mldr.configuration import model_faults

    found: list[Asked] = []
    faults = Faults()
    for number, record in logged(path):
        try:
            found.append(Asked.model_validate(record))
        except ValidationError as error:
            faults.extend(model_faults(error, f"{path}, line {number}").faults)
    faults.check()
    return found


def query_name(text: str) -> str:
    """Return the name that a query gets from its words, the same wherever it is named."""
    return f"q-{sha256_text(text.strip())[:12]}"


def query_key(name: str, text: str, asked: Mapping[str, str]) -> tuple[str, str]:
    """Return what makes two statements be about one query: the name of one that everybody was asked, else its text.

    Args:
        name: of the fragment or verdict.
        text: of its query. Whoever wrote a query that everybody was asked later has it under a name of their own.
        asked: name -> text of the queries that everybody was asked.
    """
    if name in asked:
        return "asked", name
    own = text.strip()
    alike = (known for known, words in asked.items() if own and words.strip() == own)
    return next((("asked", known) for known in alike), ("text", own))


def as_line(statement: BaseModel) -> dict[str, Any]:
    """Return a statement as the record of a line."""
    return statement.model_dump(mode="json")
