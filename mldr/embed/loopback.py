"""Whether an address is this machine, and whether the words of real people may go to one that is not."""

from __future__ import annotations

import os
from collections.abc import Collection
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from mldr.errors import MldrError, printable

THIRD_PARTY_MODEL = "third_party_model"
"""The consent scope of sending a chat to a model that somebody else runs."""
OPENAI = "https://api.openai.com/v1"


def address(base_url: str) -> str:
    """Return where an endpoint is: '' stands for the openai client's own default."""
    return base_url or os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI


def is_loopback(url: str) -> bool:
    """Say whether a URL names this very machine: `localhost`, 127.0.0.0/8 or ::1, and no name that is looked up."""
    try:
        host = urlsplit(url).hostname or ""
        if host == "localhost":
            return True
        number = ip_address(host)
    except ValueError:
        return False
    if isinstance(number, IPv6Address) and number.ipv4_mapped is not None:
        return number.ipv4_mapped.is_loopback
    return number.is_loopback


def check_consent(url: str, consent_scopes: Collection[str]) -> None:
    """Refuse to send real chats to another machine without consent.

    Args:
        url: of the endpoint.
        consent_scopes: what every speaker of the set gave, as its manifest says.

    Raises:
        MldrError: if the endpoint is not on loopback and the scopes lack `third_party_model`.
    """
    if is_loopback(url) or THIRD_PARTY_MODEL in consent_scopes:
        return
    host = printable(urlsplit(url).hostname or url, 100)
    raise MldrError(
        f"embedder.base_url: real chats would go to {host}, and the set's consent_scopes lack {THIRD_PARTY_MODEL}; "
        "use an embedder on this machine"
    )
