"""Fetching many urls with manners: one request at a time, a pause for each host, robots.txt, Retry-After, nothing twice."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit, urlunsplit
from urllib.robotparser import RobotFileParser

from mldr.downloads.client import REDIRECTS, Answer, Limits, Refused, TooLarge, Unreachable, get, parsed
from mldr.downloads.folder import Download, Downloads
from mldr.images import MAX_BYTES, ImageError, normalise
from mldr.retryafter import retry_after

LONGEST_WAIT = 120.0
"""Seconds that a Retry-After or Crawl-delay is waited for; a host that asks for more is left for another run."""
GIVEN_UP_AFTER = 3
"""Failures of a host in a row, after which its other urls wait for another run."""
_ROBOTS_BYTES = 512 * 1024  # RFC 9309, 2.5: at least 500 KiB are read

LATER = "to be had later"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A url that is to be fetched, and the SHA-256 of its bytes where the dataset knows it."""

    url: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Manners:
    """How servers are treated, and how much is taken."""

    delay: float = 1.0
    """Seconds between two requests to a host."""
    max_bytes: int = MAX_BYTES
    """Of one file."""
    max_total: int = 0
    """Bytes of all files of a run; 0: no limit."""
    retries: int = 2
    """How often a failure that may pass is tried again in a run."""
    timeout: float = 30.0
    allow_private: bool = False
    again: bool = False
    """Whether what was refused or unusable in an earlier run is asked for again; what is gone never is."""

    def limits(self) -> Limits:
        """Return how far one GET goes."""
        return Limits(self.max_bytes, self.timeout, self.timeout * 10, self.allow_private)


@dataclass(slots=True)
class _Host:
    robots: RobotFileParser | None = None
    robots_failure: Refused | Unreachable | None = None
    free_at: float = 0.0
    delay: float = 0.0
    failures: int = 0


class _Stopped(Exception):
    """The total is used up."""


@dataclass(slots=True)
class Fetcher:
    """Fetches urls into a folder.

    Args:
        downloads: where files and records are kept.
        manners: towards servers.
        sleep: waits; a test may look on.
        counts: outcome -> urls.
    """

    downloads: Downloads
    manners: Manners
    sleep: Callable[[float], None] = time.sleep
    counts: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    """Bytes of pictures in this run."""
    _hosts: dict[str, _Host] = field(default_factory=dict)

    def fetch(self, wanted: Iterable[Wanted]) -> Iterator[tuple[Wanted, Download | str]]:
        """Yield each url with its record, or with the reason why it is to be had later, hosts taking turns.

        Raises:
            MldrError: for a damaged record or file in the folder.
        """
        for one in _by_turns(wanted):
            found = self._before(one)
            if found is not None:
                self.counts[f"{found.state} before"] += 1
                yield one, found
                continue
            try:
                done: Download | str = self._settled(one)
            except (Unreachable, _Stopped) as failure:
                done = str(failure)
            self.counts[LATER if isinstance(done, str) else done.state] += 1
            yield one, done

    def _before(self, wanted: Wanted) -> Download | None:
        """Return what became of a url in an earlier run, None where it is asked for."""
        found = self.downloads.record(wanted.url)
        if found is None or (self.manners.again and found.state in ("refused", "unusable")):
            return None
        if found.state != "fetched":
            return found
        self.downloads.fetched(wanted.url)  # the bytes are hashed anew
        if wanted.sha256 and wanted.sha256 != found.sha256:
            return replace(found, state="unusable", reason=_other_hash(found.sha256, wanted.sha256))
        return found

    def _settled(self, wanted: Wanted) -> Download:
        """Return the final record of a url, kept in the folder."""
        content: bytes | None = None
        try:
            answer = self._followed(wanted.url)
        except Refused as refused:
            download = Download(wanted.url, "refused", reason=str(refused))
        except TooLarge as large:
            download = Download(wanted.url, "unusable", status=200, reason=str(large))
            self.taken += large.taken
        else:
            download, content = _judged(wanted, answer)
            self.taken += len(answer.body)
        self.downloads.keep(download, content)
        return download

    def _followed(self, url: str) -> Answer:
        """Return the answer at the end of the redirects; every hop is checked, paused for and asked of robots.txt anew."""
        for _ in range(REDIRECTS + 1):
            parts = parsed(url)
            host = self._host(f"{parts.scheme}://{parts.netloc}")
            if host.robots is not None and not host.robots.can_fetch("mldr", urlunsplit(parts)):
                raise Refused(f"robots.txt of {parts.netloc} forbids it")
            answer = self._asked(url, host, self.manners.limits())
            if not answer.location:
                return answer
            url = answer.location
        raise Refused(f"more than {REDIRECTS} redirects")

    def _host(self, origin: str) -> _Host:
        """Return what is known of a host, its robots.txt read (RFC 9309: none allows all, an unreachable one nothing)."""
        if origin not in self._hosts:
            host = self._hosts[origin] = _Host(delay=self.manners.delay)
            try:
                answer = self._robots(f"{origin}/robots.txt", host)
            except Unreachable as failure:
                host.robots_failure = Unreachable(f"robots.txt of {origin} is not to be had: {failure}")
            except Refused as refused:
                host.robots_failure = refused
            else:
                if answer.status == 200:
                    host.robots = RobotFileParser()
                    host.robots.parse(answer.body.decode("utf-8", "replace").splitlines())
                    asked = host.robots.crawl_delay("mldr")
                    host.delay = max(host.delay, float(asked or 0))
        host = self._hosts[origin]
        if host.robots_failure is not None:
            raise host.robots_failure
        if host.delay > LONGEST_WAIT:
            raise Unreachable(f"{origin} wants {host.delay:.0f} s between requests")
        return host

    def _robots(self, url: str, host: _Host) -> Answer:
        limits = Limits(_ROBOTS_BYTES, self.manners.timeout, self.manners.timeout * 2, self.manners.allow_private)
        for _ in range(REDIRECTS + 1):
            try:
                answer = self._asked(url, host, limits)
            except TooLarge as large:
                raise Unreachable(str(large)) from large
            if not answer.location:
                return answer
            url = answer.location
        return Answer(404, {})  # RFC 9309, 2.3.1.2: beyond five redirects it may be taken for absent

    def _asked(self, url: str, host: _Host, limits: Limits) -> Answer:
        """Return an answer that decides something; what may pass is tried again, after a pause.

        Raises:
            Unreachable: when it did not pass.
            _Stopped: if no byte more may be taken.
        """
        if host.failures >= GIVEN_UP_AFTER:
            raise Unreachable(f"{urlsplit(url).netloc} failed {host.failures} times in a row")
        wait = 0.0
        for attempt in range(self.manners.retries + 1):
            self._pause(host, wait)
            left = self._left(limits.max_bytes)
            try:
                answer = get(url, replace(limits, max_bytes=left))
            except TooLarge as large:
                if left == limits.max_bytes:
                    raise
                self.taken = self.manners.max_total
                raise self._used_up() from large
            except Unreachable as failure:
                reason, wait = str(failure), 2.0**attempt
            else:
                if answer.status not in (408, 425, 429) and answer.status < 500:
                    host.failures = 0
                    return answer
                reason, wait = f"status {answer.status}", max(2.0**attempt, retry_after(answer.headers) or 0.0)
            if wait > LONGEST_WAIT:
                reason += f"; the server asks to wait {wait:.0f} s"
                break
        host.failures += 1
        raise Unreachable(reason)

    def _left(self, most: int) -> int:
        """Return how many bytes one answer may have."""
        if not self.manners.max_total:
            return most
        if self.taken >= self.manners.max_total:
            raise self._used_up()
        return min(most, self.manners.max_total - self.taken)

    def _used_up(self) -> _Stopped:
        return _Stopped(f"the {self.manners.max_total:,} bytes of this run are used up")

    def _pause(self, host: _Host, wait: float) -> None:
        now = time.monotonic()
        until = max(host.free_at, now + wait)
        if until > now:
            self.sleep(until - now)
        host.free_at = time.monotonic() + host.delay


def _judged(wanted: Wanted, answer: Answer) -> tuple[Download, bytes | None]:
    """Return the record of an answer, and its bytes where they are kept."""
    if answer.status in (404, 410):
        return Download(wanted.url, "gone", status=answer.status), None
    if answer.status != 200:
        return Download(wanted.url, "refused", status=answer.status, reason=f"status {answer.status}"), None
    digest = hashlib.sha256(answer.body).hexdigest()
    if wanted.sha256 and wanted.sha256 != digest:
        return Download(wanted.url, "unusable", status=200, reason=_other_hash(digest, wanted.sha256)), None
    try:
        normalise(answer.body)
    except ImageError as error:
        return Download(wanted.url, "unusable", status=200, reason=str(error)), None
    return Download(wanted.url, "fetched", digest, len(answer.body), 200), answer.body


def _other_hash(found: str, expected: str) -> str:
    return f"its SHA-256 is {found}; {expected} is expected"


def _by_turns(wanted: Iterable[Wanted]) -> Iterator[Wanted]:
    """Yield each url once, hosts taking turns, so that one host's pause is another's turn."""
    queues: dict[str, list[Wanted]] = {}
    for one in sorted({one.url: one for one in wanted}.values(), key=lambda one: one.url, reverse=True):
        queues.setdefault(_netloc(one.url), []).append(one)
    while queues:
        for netloc in sorted(queues):
            yield queues[netloc].pop()
            if not queues[netloc]:
                del queues[netloc]


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""
