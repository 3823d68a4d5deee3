"""The donation walk's addresses: choose an export, import, cut, read, enter consents, seal. Everything stays on this machine."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mldr.annotation.consent_rules import Mode
from mldr.annotation.consent_store import end, give
from mldr.annotation.consents import SUBJECT, Consent, Scope
from mldr.annotation.cutreport import CutSettings
from mldr.annotation.cutting import cut_chats
from mldr.annotation.donating import donation
from mldr.annotation.importing import Import, import_chats
from mldr.annotation.serving.pagefiles import page_files
from mldr.annotation.serving.reviewing import review_routes
from mldr.annotation.serving.storereview import StoreReview
from mldr.annotation.store import Store
from mldr.annotation.walk import note_export, speakers, standing
from mldr.configuration import model_faults
from mldr.errors import MldrError, fault
from mldr.web import Call, LocalApp, Refusal, Route

LISTED = 500
"""So many entries of a folder are shown at most."""

Method = Literal["signed", "written", "in_chat", "recorded", "donor_page"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wanted(_Strict):
    """An export to be read."""

    path: str = Field(min_length=1, max_length=4_000)
    format: str = Field(default="", max_length=100)
    zone: str = Field(default="", max_length=100)
    own_zone: str = Field(default="", max_length=100)
    """The zone of the browser: taken where nobody names one and the file's clock has none."""
    owner_id: str = Field(default="", max_length=1_000)
    date_order: Literal["", "ymd", "dmy", "mdy"] = ""
    again: bool = False
    """Replace a chat that was imported before."""


class Cut(_Strict):
    """How the chats are cut."""

    min_utterances: int = Field(default=20, ge=1, le=1_000)
    min_images: int = Field(default=2, ge=0, le=1_000)
    pause_h: float = Field(default=3.0, ge=0, le=10_000, allow_inf_nan=False)
    again: bool = False
    """Also where somebody read already."""


class Said(_Strict):
    """What a person agreed to."""

    subject: str = Field(pattern=f"^{SUBJECT.pattern}$")
    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=5)
    adult: bool
    date: dt.date
    method: Method
    notice_version: str = Field(min_length=1, max_length=64)
    expires: dt.date | None = None


class Ended(_Strict):
    """Who does not agree any more."""

    subject: str = Field(pattern=f"^{SUBJECT.pattern}$")


class Sealing(_Strict):
    """What goes where a speaker has not agreed."""

    mode: Mode = "drop_speaker"


Body = TypeVar("Body", bound=_Strict)


@dataclass(slots=True)
class DonationDesk:
    """What the page of the walk asks for."""

    store: Store
    out: Path
    today: Callable[[], dt.date] = dt.date.today
    export: Path | None = None
    """Proposed on the page."""
    _busy: threading.Lock = field(default_factory=threading.Lock)

    def routes(self) -> list[Route]:
        """Return the addresses of the walk, those of the privacy pass under `/api/pass`."""
        return [
            Route("GET", "/api/donation", lambda _: self.standing()),
            Route("GET", "/api/formats", lambda _: formats()),
            Route("GET", "/api/folder", lambda call: listed(call.query.get("path", ""))),
            Route("POST", "/api/donation/import", self._import),
            Route("POST", "/api/donation/cut", self._cut),
            Route("POST", "/api/donation/consent", self._consent),
            Route("POST", "/api/donation/end", self._end),
            Route("POST", "/api/donation/seal", self._seal),
            *review_routes(StoreReview(self.store), "/api/pass"),
        ]

    def standing(self) -> dict[str, Any]:
        """Return where the giver stands."""
        proposed = "" if self.export is None else str(self.export.expanduser().resolve())
        return {
            **standing(self.store, self.out, self.today()),
            "proposed": proposed,
            "today": self.today().isoformat(),
            "home": str(Path.home()),
        }

    def _import(self, call: Call) -> dict[str, Any]:
        wanted = _validated(Wanted, call.body, "import")
        path = Path(wanted.path.strip().strip("\"'")).expanduser()
        if not path.exists():
            raise fault(str(path), "there is no such file or folder")
        with self._alone():
            _import_in_some_zone(path, self.store, wanted)
            note_export(self.store, path.resolve())
        return self.standing()

    def _cut(self, call: Call) -> dict[str, Any]:
        wanted = _validated(Cut, call.body, "cut")
        with self._alone():
            settings = CutSettings(
                min_utterances=wanted.min_utterances,
                max_utterances=max(CutSettings().max_utterances, wanted.min_utterances),
                min_images=wanted.min_images,
                pause_s=wanted.pause_h * 3600,
            )
            report = cut_chats(self.store, settings, force=wanted.again)
        return {**self.standing(), "cut": report.model_dump(mode="json")}

    def _consent(self, call: Call) -> dict[str, Any]:
        said = _validated(Said, call.body, "consent")
        speaker = self._speaker(said.subject)
        if said.method == "donor_page" and not speaker["owner"]:
            raise fault("method", "only you yourself can agree on this page; how did this person tell you?")
        if said.date > self.today():
            raise fault("date", f"is in the future: today is {self.today()}")
        told = said.model_dump(exclude={"subject"})
        give(self.store.consents, Consent.model_validate({**told, "subject_key": said.subject}))
        self.store.consents.chmod(0o600)
        return self.standing()

    def _end(self, call: Call) -> dict[str, Any]:
        subject = _validated(Ended, call.body, "end").subject
        if self._speaker(subject)["consent"] is None:
            raise Refusal(404, "this person has not agreed to anything here")
        end(self.store.consents, subject, self.today())
        return self.standing()

    def _seal(self, call: Call) -> dict[str, Any]:
        mode = _validated(Sealing, call.body, "seal").mode
        with self._alone():
            donation(self.store, self.out, self.today(), mode)
        return self.standing()

    def _speaker(self, subject: str) -> dict[str, Any]:
        found = next((one for one in speakers(self.store, self.today()) if one["subject"] == subject), None)
        if found is None:
            raise Refusal(404, "nobody of this key speaks in what is left")
        return found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one long piece of work run at a time: a second click does not start it twice."""
        if not self._busy.acquire(blocking=False):
            raise Refusal(409, "this page is at work already; wait a little")
        try:
            yield
        finally:
            self._busy.release()


def donation_app(
    store: Store,
    out: Path,
    *,
    export: Path | None = None,
    language: Literal["en", "zh"] = "en",
    today: Callable[[], dt.date] = dt.date.today,
) -> LocalApp:
    """Return the page of the donation walk.

    Args:
        store: the private store that it fills and reads.
        out: the bundle to be.
        export: proposed to the giver.
        language: of the page's words; it can be changed there.
        today: the day on which consents must be alive.
    """
    session = {"mode": "donate", "language": language, "words": ["/words.json", "/donate_words.json"]}
    desk = DonationDesk(store, out, today, export)
    return LocalApp([Route("GET", "/api/session", lambda _: session), *desk.routes()], page_files("donate.html"))


def _import_in_some_zone(path: Path, store: Store, wanted: Wanted) -> None:
    told = Import(wanted.format, wanted.zone.strip(), wanted.owner_id.strip(), wanted.date_order, force=wanted.again)
    try:
        import_chats(path, store, told)
    except MldrError as error:
        if told.zone or not wanted.own_zone:
            raise
        try:
            import_chats(path, store, replace(told, zone=wanted.own_zone))
        except MldrError:
            raise error from None  # it was not the zone


def formats() -> list[dict[str, str]]:
    """Return the formats that can be read, each with how it is recognised."""
    from mldr.annotation.readers.detect import readers

    return [{"name": reader.NAME, "summary": reader.SUMMARY} for reader in readers()]


def listed(path: str) -> dict[str, Any]:
    """Return the folders and files of a folder under the home folder; hidden ones, and links that lead out of it, are not shown.

    Raises:
        Refusal: for a folder elsewhere, or one that cannot be read.
    """
    home = Path.home().resolve()
    try:
        folder = (Path(path).expanduser() if path else home).resolve()
        if not folder.is_relative_to(home):
            raise Refusal(403, "only folders under the home folder are shown; type the path instead", place="path")
        found = [entry for entry in folder.iterdir() if not entry.name.startswith(".") and _shown(entry, home)]
    except (OSError, ValueError, RuntimeError) as error:
        raise Refusal(404, "this folder cannot be read", place="path") from error
    folders = sorted((entry.name for entry in found if entry.is_dir()), key=str.casefold)
    names = sorted((entry.name for entry in found if entry.is_file()), key=str.casefold)
    more = max(0, len(folders) - LISTED) + max(0, len(names) - LISTED)
    above = str(folder.parent) if folder != home else ""
    return {"folder": str(folder), "above": above, "folders": folders[:LISTED], "files": names[:LISTED], "more": more}


def _shown(entry: Path, home: Path) -> bool:
    try:
        return entry.resolve().is_relative_to(home)
    except (OSError, RuntimeError):  # a link to itself
        return False


def _validated(kind: type[Body], body: Any, what: str) -> Body:
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise model_faults(error, what) from error
