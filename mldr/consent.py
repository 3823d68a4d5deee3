"""Whose words may leave this machine: real chats go to no other one unless every speaker agreed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from mldr.errors import fault, printable

THIRD_PARTY_MODEL = "third_party_model"
"""The consent scope of sending a chat to a model that somebody else runs."""
OPENAI = "https://api.openai.com/v1"


def address(base_url: str) -> str:
    """Return where an endpoint is: '' stands for the client's own default."""
    return base_url or os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI


def on_loopback(base_url: str) -> bool:
    """Return whether an endpoint is this very machine: `localhost`, 127.0.0.0/8 or ::1, and nothing that is looked up."""
    try:
        host = urlsplit(address(base_url)).hostname or ""
        if host == "localhost":
            return True
        number = ip_address(host)
    except ValueError:
        return False
    mapped = number.ipv4_mapped if isinstance(number, IPv6Address) else None
    return (mapped or number).is_loopback


def check_consent(place: str, base_url: str, consent_scopes: Iterable[str] | None, origin_real: bool) -> None:
    """Refuse to send real chats to another machine without consent; embedding endpoints are endpoints too.

    Args:
        place: the endpoint's place in the recipe (`models.writer`), for the message.
        base_url: of the endpoint; '' is the client's default.
        consent_scopes: what every speaker of the set gave, as its manifest says; None is none.
        origin_real: whether any dialogue is a real chat.

    Raises:
        InputError: if there is no `third_party_model` among the scopes and the endpoint is not on loopback.
    """
    if not origin_real or on_loopback(base_url) or THIRD_PARTY_MODEL in set(consent_scopes or ()):
        return
    where = printable(address(base_url), 100)
    raise fault(
        place,
        f"real chats would go to {where}, and its consent_scopes do not hold {THIRD_PARTY_MODEL}; use a model on this machine",
    )
