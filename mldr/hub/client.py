"""The Hub through its official client: tried again where that may help, and never with a token in a message."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from mldr.errors import InterruptedRun, MldrError, first_line, printable
from mldr.retryafter import retry_after
from mldr.version import __version__

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Result = TypeVar("Result")

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
"""`owner/name`, as the Hub spells it; what else it forbids, it says itself."""
RETRIES = 4
LONGEST_WAIT = 120.0
"""Seconds; a server that asks for more is left for another day."""
PASSING = frozenset({408, 412, 425, 429, 500, 502, 503, 504})
"""Answers that may be another next time; 412 is somebody else's commit in between, after which is planned anew."""
DEFAULT_ENDPOINT = "https://huggingface.co"

_CLIENTS = ("httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3")
_SECRET = re.compile(r"\bhf_[A-Za-z0-9]{6,}|(?i:bearer) +\S+")
_QUERY = re.compile(r"(https?://[^\s?]+)\?\S+")
"""A signed address carries its signature behind the question mark."""


class Hub:
    """The Hub at `HF_ENDPOINT`, with the token of `HF_TOKEN` or of `hf auth login`.

    Args:
        sleep: waits so many seconds.
        say: takes a line about what is tried again.
    """

    def __init__(self, sleep: Callable[[float], None] = time.sleep, say: Callable[[str], None] | None = None) -> None:
        from huggingface_hub import HfApi, get_token

        self.endpoint = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or DEFAULT_ENDPOINT
        self._token = get_token() or ""
        self.api: HfApi = HfApi(
            endpoint=self.endpoint, token=self._token or None, library_name="mldr", library_version=__version__
        )
        self._sleep = sleep
        self._say = say or (lambda line: None)

    def page(self, hub_id: str) -> str:
        """Return the address of a dataset's page."""
        return f"{self.endpoint}/datasets/{hub_id}"

    def call(self, doing: str, do: Callable[[], Result]) -> Result:
        """Return what `do` returns, tried again while the Hub is busy, failing or not to be reached.

        Args:
            doing: what it is, for messages: `listing the files of ...`.
            do: a call of the client, which may be made again.

        Raises:
            InterruptedRun: when it did not pass; the run goes on when started again.
            MldrError: for every other refusal, in one line.
        """
        for attempt in range(RETRIES + 1):
            try:
                return do()
            except MldrError:
                raise
            except Exception as error:  # noqa: BLE001 - clients of three generations raise what they like; a bug goes on
                wait = self._wait(error, attempt)
                if wait is None:
                    self.refuse(doing, error)
                if attempt == RETRIES or wait > LONGEST_WAIT:
                    words = f"{doing}: {self.words(error)}; run the same command again to go on"
                    raise InterruptedRun(words) from None
                self._say(f"{doing}: {self.words(error)}; tried again in {wait:.0f} s")
                self._sleep(wait)
        raise AssertionError("unreachable")

    def refuse(self, doing: str, error: Exception) -> NoReturn:
        """Raise an error of the client as what a person can mend; a bug of ours is raised as it is."""
        code = status(error)
        if code is None and not _is_clients(error):
            raise error
        hint = {
            401: "; log in with `hf auth login`, or set HF_TOKEN",
            403: "; the token may not do that, or the page's owner has not let you in",
            404: "; it is not there, or it is private and the token may not see it",
        }.get(code or 0, "")
        raise MldrError(f"{doing}: {self.words(error)}{hint}") from None

    def words(self, error: BaseException) -> str:
        """Return one line of what an error says, without a token or a signed address."""
        code = status(error)
        cause = list(_chain(error))[-1]
        text = str(getattr(cause, "server_message", "") or "") or first_line(cause)
        text = text.replace(self._token, "***") if self._token else text
        text = _QUERY.sub(r"\1", _SECRET.sub("***", text))
        return printable(f"status {code}, {text}" if code and str(code) not in text else text, 240)

    def _wait(self, error: BaseException, attempt: int) -> float | None:
        """Return how long to wait before the next try, None where another will not help."""
        code = status(error)
        if code is not None:
            asked = retry_after(_headers(error)) or 0.0
            return max(2.0**attempt, asked) if code in PASSING else None
        return 2.0**attempt if any(_is_cut(cause) for cause in _chain(error)) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from: the client wraps errors of an upload."""
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            return
        yield seen
        if status_of(seen) is not None:
            return
        seen = seen.__cause__


def status(error: BaseException) -> int | None:
    """Return the status of the answer that an error is about, None where there was none."""
    return next((code for cause in _chain(error) if (code := status_of(cause)) is not None), None)


def status_of(error: BaseException) -> int | None:
    """Return the status that one error of a chain carries itself."""
    code = getattr(getattr(error, "response", None), "status_code", None)
    return code if isinstance(code, int) else None


def _headers(error: BaseException) -> dict[str, str]:
    for cause in _chain(error):
        response: Any = getattr(cause, "response", None)
        if response is not None:
            return {str(name).lower(): str(value) for name, value in response.headers.items()}
    return {}


def _is_cut(error: BaseException) -> bool:
    """Say whether an error is of the connection: nobody answered, or the answer broke off."""
    if type(error).__name__ in ("LocalEntryNotFoundError", "IncompleteSnapshotError", "JSONDecodeError"):
        return True
    if type(error).__name__ == "OfflineModeIsEnabled":  # HF_HUB_OFFLINE is set: no other try will help
        return False
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    if isinstance(error, OSError) and "Consistency check failed" in str(error):
        return True
    return type(error).__module__.split(".")[0] in _CLIENTS and not type(error).__name__.startswith("Unsupported")


def _is_clients(error: Exception) -> bool:
    """Say whether an error is what the client raises of an answer, a file or a name, and no bug."""
    roots = {kind.__module__.split(".")[0] for kind in type(error).__mro__}
    return isinstance(error, ValueError | OSError) or bool(roots & {"huggingface_hub", *_CLIENTS})
