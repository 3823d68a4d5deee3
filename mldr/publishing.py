"""Who may see a dataset of real chats: it is never public, and leaves the country only with everybody's consent."""

from __future__ import annotations

from typing import Literal

from mldr.errors import Faults
from mldr.manifest import MANIFEST, Manifest

Visibility = Literal["public", "gated", "private"]
"""`public`: whoever wants; `gated`: whoever was let in and accepted the terms; `private`: the account that pushes."""

CROSS_BORDER = "cross_border"
"""The consent scope of being kept or published in another country: a hub's servers stand in one for most speakers."""
FOR_OTHERS = ("public", "research")
"""The scopes of being seen by others; either lets a set be shown to those who were let in, neither lets it be public."""


def check_push(manifest: Manifest, origin_real: bool, visibility: Visibility) -> None:
    """Refuse to push a dataset of real chats further than its speakers agreed to.

    Args:
        manifest: of the dataset.
        origin_real: whether any dialogue of it is a real chat.
        visibility: what the dataset's page will be; gated needs `public` or `research` among the scopes that all gave.

    Raises:
        InputError: with everything that forbids it; built sets pass.
    """
    if not origin_real:
        return
    scopes = set(manifest.consent_scopes or ())
    faults = Faults()
    if visibility not in ("gated", "private"):
        faults.add("visibility", "a set of real chats is pushed private or gated only, so that who took it is known")
    if CROSS_BORDER not in scopes:
        words = f"do not hold {CROSS_BORDER}: not every speaker agreed to being kept in another country; share it by other means"
        faults.add(f"{MANIFEST}, consent_scopes", words)
    if visibility != "private" and not scopes.intersection(FOR_OTHERS):
        words = f"hold neither {' nor '.join(FOR_OTHERS)}: nobody else may be let in; push it private"
        faults.add(f"{MANIFEST}, consent_scopes", words)
    faults.check()
