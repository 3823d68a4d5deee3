"""The account of an import: every row of an export is an utterance, an event or a drop with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mldr.errors import MldrError, fault
from mldr.files import parse_json, write_json
from mldr.formats import upgraded

if TYPE_CHECKING:
    from rich.table import Table

REPORT = "report.json"


class ImportReport(BaseModel):
    """What became of a chat's rows. It stays in the private store."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["mldr/import-report@1"] = "mldr/import-report@1"
    reader: str
    """The name of the export's format."""
    chat_key: str
    platform: str
    files: int = 1
    """How many files the chat was spread over."""
    rows: int
    """Messages met, of any kind, the unreadable ones included: utterances + events + dropped."""
    utterances: int
    """Messages with words or pictures, before `cut` merges any."""
    events: dict[str, int] = Field(default_factory=dict)
    """Kind -> messages that are kept without words (stickers, voice, calls, system lines)."""
    dropped: dict[str, int] = Field(default_factory=dict)
    """Reason -> rows that are not kept."""
    places: list[str] = Field(default_factory=list)
    """`place: reason` of the first dropped rows."""
    images: int = 0
    """Pictures that were found, counted once a message."""
    images_stored: int = 0
    """Different ones among them."""
    images_missing: dict[str, int] = Field(default_factory=dict)
    """Reason -> pictures that were not found."""
    replies: dict[str, int] = Field(default_factory=dict)
    """How the answered message was found, or why not -> quotes."""
    people: int = 0
    steps_back: int = 0
    """Messages whose time is before that of the one above; the order of the file is kept."""
    zone: str
    nonexistent_times: int = 0
    """Clock times that a change of the clock left out."""
    ambiguous_times: int = 0
    """Clock times that a change of the clock repeats; the first of the two is taken."""
    notes: list[str] = Field(default_factory=list)

    @property
    def messages(self) -> int:
        """The messages that are kept: utterances and events."""
        return self.utterances + sum(self.events.values())


def write_report(folder: Path, report: ImportReport) -> None:
    """Write a report into a chat's folder."""
    write_json(folder / REPORT, report.model_dump(mode="json"))


def read_report(folder: Path) -> ImportReport:
    """Return the report of a chat's folder.

    Raises:
        MldrError: if it cannot be read.
        InputError: if it is malformed.
    """
    from mldr.configuration import model_faults

    path = folder / REPORT
    try:
        document = parse_json(path.read_bytes())
        if not isinstance(document, dict):
            raise ValueError("a JSON object is expected")
        return ImportReport.model_validate(upgraded(document, "import-report", str(path)))
    except OSError as error:
        raise MldrError(f"{path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise model_faults(error, str(path)) from error
    except ValueError as error:
        raise fault(str(path), str(error)) from error


def report_table(reports: Sequence[ImportReport]) -> Table:
    """Return the account of several chats as a table for people, a row a chat; no name of a person or chat is in it."""
    from rich.table import Table

    table = Table(title="What became of every row", title_justify="left")
    for name in ("format", "chat"):
        table.add_column(name, no_wrap=True)
    for name in ("messages in", "utterances", "images", "events"):
        table.add_column(name, justify="right")
    table.add_column("dropped, by reason")
    for report in reports:
        missing = sum(report.images_missing.values())
        images = f"{report.images:,}" + (f" (+{missing:,} missing)" if missing else "")
        events = f"{sum(report.events.values()):,}"
        counts = (f"{report.rows:,}", f"{report.utterances:,}", images, events)
        table.add_row(report.reader, report.chat_key, *counts, counted(report.dropped) or "none")
    return table


def counted(counts: dict[str, int]) -> str:
    """Return counts in words, the largest first: `12 empty texts, 3 of no sender`."""
    return ", ".join(
        f"{count:,} {reason}" for reason, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )
