from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from mldr.errors import Fault, InputError, MldrError
from mldr.web import BODY_LIMIT, Call, LocalApp, Refusal, Reply, Route, Running, running

NOTES: list[str] = []
JSON = "application/json"


def _fails(_: Call) -> None:
    raise KeyError("a private word")


def _refuses(_: Call) -> None:
    raise Refusal(409, "changed since", place="fragment", state={"n": 1})


def _faults(_: Call) -> None:
    raise InputError([Fault("a", "wrong"), Fault("b", "wrong too")])


def _mends(_: Call) -> None:
    raise MldrError("say something else")


APP = LocalApp(
    [
        Route("GET", "/api/echo/{name}", lambda call: {"name": call.params["name"], **call.query}),
        Route("POST", "/api/echo", lambda call: call.body),
        Route("GET", "/api/bytes", lambda _: Reply(b"\x89PNG", "image/png")),
        Route("GET", "/api/fails", _fails),
        Route("GET", "/api/refuses", _refuses),
        Route("GET", "/api/faults", _faults),
        Route("GET", "/api/mends", _mends),
    ],
    {"/": (b"<!DOCTYPE html><title>x</title>", "text/html; charset=utf-8"), "/a.js": (b"1", "text/javascript")},
)


@pytest.fixture(scope="module")
def here() -> Iterator[Running]:
    with running(APP, note=NOTES.append) as served:
        yield served


def ask(
    here: Running, path: str, method: str = "GET", body: bytes | None = None, *, token: bool = True, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Return (status, headers, body) of a request; `_` in a header's name is a hyphen."""
    connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=20)
    sent = {name.replace("_", "-"): value for name, value in headers.items() if value}
    if token:
        sent.setdefault("X-Token", here.token)
    connection.request(method, path, body, sent)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


def fault_of(content: bytes) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(content)["faults"][0]
    return told


def test_without_the_token_nothing_is_served_not_even_a_script(here: Running) -> None:
    for path in ("/", "/a.js", "/api/echo/x", "/nothing"):
        status, _, content = ask(here, path, token=False)
        assert status == 401
        assert fault_of(content)["place"] == "token"
    assert ask(here, "/", token=False, X_Token="é".encode().decode("latin-1"))[0] == 401
    assert ask(here, "/?token=wrong", token=False)[0] == 401


def test_the_token_leaves_the_address_and_becomes_a_cookie_of_this_page_alone(here: Running) -> None:
    status, headers, _ = ask(here, f"/?token={here.token}&a=1", token=False)
    assert (status, headers["location"]) == (303, "/?a=1")
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert ask(here, "/a.js", token=False, Cookie=cookie.split(";")[0])[0] == 200
    assert ask(here, f"//elsewhere.example/?token={here.token}", token=False)[1]["location"].startswith("/elsewhere")


def test_another_name_of_this_machine_is_refused(here: Running) -> None:
    for host in ("evil.example", f"evil.example:{here.port}", "127.0.0.1:1", f"[::1]:{here.port}"):
        assert ask(here, "/", Host=host)[0] == 421
    assert ask(here, "/", Host=f"localhost:{here.port}")[0] == 200


def test_another_page_can_neither_read_nor_write(here: Running) -> None:
    cookie = f"mldr-{here.port}={here.token}"
    assert ask(here, "/api/echo/x", token=False, Cookie=cookie, Sec_Fetch_Site="same-site")[0] == 403
    for origin in ("", "http://127.0.0.1:1", "null", "https://evil.example"):
        status, _, content = ask(
            here, "/api/echo", "POST", b"{}", token=False, Cookie=cookie, Content_Type=JSON, Origin=origin
        )
        assert (status, fault_of(content)["place"]) == (403, "Origin")
    assert (
        ask(here, "/api/echo", "POST", b"{}", token=False, Cookie=cookie, Origin=here.origin, Content_Type=JSON)[0]
        == 200
    )


def test_every_answer_carries_the_strict_policy(here: Running) -> None:
    for path, token in (("/", True), ("/api/bytes", True), ("/nothing", True), ("/", False)):
        _, headers, _ = ask(here, path, token=token)
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 100_000, b'"\\ud800"'])
def test_a_body_that_is_no_json_is_a_fault(here: Running, body: bytes) -> None:
    status, _, content = ask(here, "/api/echo", "POST", body, Content_Type=JSON)
    assert status == 400
    assert fault_of(content)["message"]


def test_a_body_of_another_type_or_too_long_is_refused(here: Running) -> None:
    assert ask(here, "/api/echo", "POST", b"{}", Content_Type="text/plain")[0] == 415
    assert ask(here, "/api/echo", "POST", b"{}")[0] == 415
    long = json.dumps("x" * (BODY_LIMIT + 1)).encode()
    assert ask(here, "/api/echo", "POST", long, Content_Type=JSON)[0] == 413
    fits = json.dumps("长" * 1000).encode()
    assert json.loads(ask(here, "/api/echo", "POST", fits, Content_Type=JSON)[2]) == "长" * 1000


def test_handlers_answer_with_values_bytes_and_faults(here: Running) -> None:
    assert json.loads(ask(here, "/api/echo/%E9%95%BF?a=1")[2]) == {"name": "长", "a": "1"}
    assert ask(here, "/api/bytes")[1]["content-type"] == "image/png"
    status, _, content = ask(here, "/api/refuses")
    assert (status, json.loads(content)["state"]) == (409, {"n": 1})
    status, _, content = ask(here, "/api/faults")
    assert (status, len(json.loads(content)["faults"])) == (400, 2)
    assert ask(here, "/api/mends")[0] == 400


def test_what_fails_inside_tells_neither_the_page_nor_the_terminal_a_private_word(here: Running) -> None:
    NOTES.clear()
    status, _, content = ask(here, "/api/fails")
    assert status == 500
    assert fault_of(content)["place"] == "server"
    assert len(NOTES) == 1
    assert "_fails" in NOTES[0]
    assert "private" not in content.decode() + NOTES[0]


def test_an_address_that_is_not_there_and_another_method_are_faults_in_json(here: Running) -> None:
    assert fault_of(ask(here, "/nothing")[2])["place"] == "address"
    assert ask(here, "/api/echo/x", "PUT", b"{}", Content_Type=JSON)[0] == 405
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/page/../a.js"):
        assert ask(here, path)[0] == 404


def test_only_this_machine_is_listened_to(here: Running) -> None:
    listening = socket.create_connection(("127.0.0.1", here.port), timeout=5)
    assert listening.getpeername()[0] == "127.0.0.1"
    listening.close()
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in sorted(str(address) for address in addresses if not str(address).startswith("127.")):
        with pytest.raises(OSError, match=r".+"):
            socket.create_connection((address, here.port), timeout=1).close()


def test_a_port_that_is_taken_is_said(here: Running) -> None:
    with pytest.raises(MldrError, match=f"port {here.port}"), running(APP, port=here.port):
        pass
    with pytest.raises(MldrError, match="port 70000"), running(APP, port=70000):
        pass


def test_two_pages_have_two_tokens(here: Running) -> None:
    with running(APP) as other:
        assert other.token != here.token
        assert ask(other, "/", X_Token=here.token)[0] == 401
