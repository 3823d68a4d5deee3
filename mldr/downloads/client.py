"""One careful GET: http and https only, to public addresses only, redirects one by one, sizes and times bounded.

It stands on `http.client` of the standard library, because the check of an address is only worth something if the socket goes to
the very address that was checked: here the client opens the socket itself, where httpx and its successor resolve names out of
sight (and which of the two is installed depends on the version of the openai client). No cookies, no credentials, no proxies,
no compression: what comes is what is counted.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from mldr.version import __version__

USER_AGENT = f"mldr/{__version__} (dataset hydration on a person's request)"
REDIRECTS = 5
_HEADERS = {
    "User-Agent": USER_AGENT,
    "Accept": "image/*, */*;q=0.5",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
_MOVED = (301, 302, 303, 307, 308)


class Refused(Exception):
    """A url that is not fetched: not http(s), with credentials, or at an address that is not public."""


class TooLarge(Exception):
    """An answer longer than the limit; reading stopped there.

    Attributes:
        taken: bytes that came before it stopped.
    """

    def __init__(self, message: str, taken: int = 0) -> None:
        self.taken = taken
        super().__init__(message)


class Unreachable(Exception):
    """A failure that may pass: no connection, no answer in time, an answer cut short."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a GET goes."""

    max_bytes: int
    timeout: float = 30.0
    """Seconds without a byte."""
    total: float = 300.0
    """Seconds for the whole answer."""
    allow_private: bool = False
    """Whether addresses that are not public may be asked, for servers of one's own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. `location` is where it sends us, whole, for a redirect."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    location: str = ""


def parsed(url: str) -> SplitResult:
    """Return the parts of a url that may be fetched, spaces and foreign letters escaped.

    Raises:
        Refused: for any that is not http(s), has no host, or carries a user name or password.
    """
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, (parts.hostname or "").encode("idna").decode("ascii")
    except (ValueError, UnicodeError) as error:
        raise Refused("no url that can be read") from error
    if parts.scheme not in ("http", "https"):
        raise Refused(f"{parts.scheme or 'no scheme'}: only http and https are fetched")
    if parts.username is not None or parts.password is not None:
        raise Refused("carries a user name or password")
    if not host or any(ord(sign) <= 32 or sign in "/\\<>" for sign in host):
        raise Refused("has no host that can be asked")
    literal = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    netloc = literal if port in (None, default) else f"{literal}:{port}"
    path = quote(parts.path or "/", safe="/%:=&?~#+!$,;'@()*[]")
    query = quote(parts.query, safe="/%:=&?~#+!$,;'@()*[]")
    return SplitResult(parts.scheme, netloc, path, query, "")


def get(url: str, limits: Limits) -> Answer:
    """Return the answer to one GET; a redirect is returned, not followed, and the body only of a 200.

    Raises:
        Refused: as `parsed`, for a host at an address that is not public, and for a redirect to no url.
        TooLarge: for a body longer than the limit.
        Unreachable: for anything that may work another time.
    """
    parts = parsed(url)
    deadline = time.monotonic() + limits.total
    connection = _connected(parts, limits)
    watch = threading.Timer(limits.total, _cut, (connection.sock,))  # a server that drips would never time out
    watch.daemon = True
    watch.start()
    try:
        target = urlunsplit(("", "", parts.path, parts.query, ""))
        connection.request("GET", target, headers={"Host": parts.netloc, **_HEADERS})
        response = connection.getresponse()
        found = {key.lower(): value for key, value in response.getheaders()}
        if response.status in _MOVED:
            return Answer(response.status, found, location=_joined(parts, found.get("location", "")))
        body = _body(response, limits, deadline) if response.status == 200 else b""
        return Answer(response.status, found, body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(str(error) or type(error).__name__) from error
    finally:
        watch.cancel()
        connection.close()


def _joined(parts: SplitResult, location: str) -> str:
    try:
        return urljoin(urlunsplit(parts), location)
    except ValueError as error:
        raise Refused("redirects to no url that can be read") from error


def _cut(channel: socket.socket) -> None:
    with suppress(OSError):  # it was closed already
        channel.shutdown(socket.SHUT_RDWR)


def _body(response: http.client.HTTPResponse, limits: Limits, deadline: float) -> bytes:
    expected = response.length  # None where the server does not say, or sends chunks
    if expected is not None and expected > limits.max_bytes:
        raise TooLarge(f"{expected:,} bytes are announced; at most {limits.max_bytes:,} are taken")
    encoding = (response.getheader("content-encoding") or "identity").lower()
    if encoding != "identity":
        raise Unreachable(f"the server compressed the answer ({encoding[:40]}), which was not asked for")
    body = bytearray()
    while (expected is None or len(body) < expected) and (piece := response.read1(64 * 1024)):
        body += piece
        if len(body) > limits.max_bytes:
            raise TooLarge(f"more than {limits.max_bytes:,} bytes", len(body))
    if time.monotonic() > deadline:
        raise Unreachable(f"not whole after {limits.total:.0f} s")
    if expected is not None and len(body) < expected:
        raise Unreachable(f"cut short: {len(body):,} of {expected:,} bytes came")
    return bytes(body)


def _connected(parts: SplitResult, limits: Limits) -> http.client.HTTPConnection:
    """Return a connection whose socket goes to an address that was checked."""
    host = parts.hostname or ""
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    reason: OSError | None = None
    for family, address in _addresses(host, port, limits.allow_private):
        raw = socket.socket(family, socket.SOCK_STREAM)
        try:
            raw.settimeout(limits.timeout)
            raw.connect(address)
            channel = raw if parts.scheme == "http" else _context().wrap_socket(raw, server_hostname=host)
        except OSError as error:  # certificates that do not fit are OSErrors too
            raw.close()
            reason = error
            continue
        connection = http.client.HTTPConnection(host, port)
        connection.sock = channel
        connection.auto_open = 0  # it never opens a socket of its own
        return connection
    raise Unreachable(f"no connection to {host} ({reason})")


def _addresses(
    host: str, port: int, allow_private: bool
) -> list[tuple[int, tuple[str, int] | tuple[str, int, int, int]]]:
    """Return the addresses of a host; one that is not public refuses all of them: such a name is not to be trusted."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host} has no address ({error})") from error
    addresses = []
    for family, _, _, _, address in found:
        if not allow_private and not is_public(str(address[0])):
            raise Refused(f"{host} is at {address[0]}, which is no public address")
        if _is_link_local(
            str(address[0])
        ):  # where clouds hand out the credentials of a machine; nobody's pictures are there
            raise Refused(f"{host} is at {address[0]}, a link-local address, which is never asked")
        addresses.append((int(family), address))
    return addresses  # type: ignore[return-value]


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public internet, looking through IPv6 forms that carry an IPv4 address."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        carried = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if found in ipaddress.ip_network("64:ff9b::/96"):
            carried = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(str(carried))
    return found.is_global and not found.is_multicast


def _is_link_local(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    carried = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (carried or found).is_link_local


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
