"""Asks a local page's server as the page does."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from mldr.web import LocalApp, Running, running


@dataclass
class Client:
    """One who holds the token."""

    here: Running

    def raw(self, method: str, address: str, body: Any = None) -> tuple[int, dict[str, str], bytes]:
        """Return (status, headers, bytes) of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.here.port, timeout=20)
        headers = {"X-Token": self.here.token, "Content-Type": "application/json"}
        connection.request(method, address, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def ask(self, method: str, address: str, body: Any = None) -> tuple[int, Any]:
        """Return the status and the JSON value of an answer."""
        status, _, content = self.raw(method, address, body)
        return status, json.loads(content)

    def get(self, address: str) -> Any:
        """Return an answer that must be one."""
        status, value = self.ask("GET", address)
        assert status == 200, value
        return value

    def post(self, address: str, body: Any) -> Any:
        """Return an answer that must be one."""
        status, value = self.ask("POST", address, body)
        assert status == 200, value
        return value

    def refused(self, method: str, address: str, body: Any = None) -> tuple[int, str]:
        """Return the status and the faults of a request that must not be carried out."""
        status, value = self.ask(method, address, body)
        assert status >= 400, value
        return status, "\n".join(f"{one['place']}: {one['message']}" for one in value["faults"])


def served(app: LocalApp) -> AbstractContextManager[Client]:
    """Serve a page; nothing may fail inside."""

    @contextmanager
    def block() -> Iterator[Client]:
        notes: list[str] = []
        with running(app, note=notes.append) as here:
            yield Client(here)
        assert notes == []

    return block()
