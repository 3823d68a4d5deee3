"""The consent record: who agreed to what, when, how, until when; one line a statement, the newest of a subject counts."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mldr.annotation.store import logged
from mldr.errors import Faults

Scope = Literal["research", "public", "images", "third_party_model", "cross_border"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""`research`: research use by people who were let in; `public`: publication; `images`: pictures too; `third_party_model`: being
sent to a model that somebody else runs; `cross_border`: being kept or published in another country."""


SUBJECT = re.compile(r"[0-9a-f]{32}")
"""A subject key."""


class Consent(BaseModel):
    """What one person said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject_key: str = Field(pattern=r"^[0-9a-f]{32}$")
    """An HMAC: no name stands in this file."""
    scopes: tuple[Scope, ...]
    notice_version: str = Field(min_length=1, max_length=64)
    """Of the notice that the person was given."""
    date: dt.date
    """Of the consent."""
    method: Literal["signed", "written", "in_chat", "recorded", "donor_page"]
    """How it was given: `donor_page` is the giver's own, in the donation walk."""
    expires: dt.date | None = None
    adult: bool
    """Whether the person is 18 or older; without that, nothing of theirs is used."""
    withdrawn: dt.date | None = None

    def alive(self, scope: Scope, today: dt.date) -> bool:
        """Return whether this consent holds for a scope on a day."""
        lapsed = self.expires is not None and today > self.expires
        return self.adult and self.withdrawn is None and not lapsed and self.date <= today and scope in self.scopes


def read_consents(path: Path) -> dict[str, Consent]:
    """Return subject_key -> the newest statement of a consent record; none where there is no file.

    Raises:
        InputError: with every malformed line.
    """
    from mldr.configuration import model_faults

    found: dict[str, Consent] = {}
    faults = Faults()
    for number, record in logged(path):
        try:
            consent = Consent.model_validate(record)
        except ValidationError as error:
            faults.extend(model_faults(error, f"{path}, line {number}").faults)
            continue
        found[consent.subject_key] = consent
    faults.check()
    return found
