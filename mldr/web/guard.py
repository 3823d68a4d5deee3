"""The ASGI application of a local page: who may ask is settled here, before any handler runs. Imported late: needs starlette."""

from __future__ import annotations

import hmac
import json
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mldr.errors import Fault, InputError, MldrError
from mldr.files import parse_json
from mldr.web import BODY_LIMIT, Call, LocalApp, Refusal, Reply, Route, Running

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",  # other ports of this machine are other origins, but the same site
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
Note = Callable[[str], None]


def guarded(app: LocalApp, here: Running, note: Note) -> ASGIApp:
    """Return the application of a page: its routes behind the guard."""
    routes = [StarletteRoute(route.path, _endpoint(route, note), methods=[route.method]) for route in app.routes]
    for path, (content, media_type) in app.static.items():
        routes.append(StarletteRoute(path, _file(content, media_type), methods=["GET"]))
    inner = Starlette(routes=routes, exception_handlers={HTTPException: _no_such_address})
    inner.router.redirect_slashes = False
    return _Guard(inner, here)


class _Guard:
    """Lets a request through that comes from this machine, to this address, by somebody who holds the token."""

    def __init__(self, inner: ASGIApp, here: Running) -> None:
        self.inner, self.here = inner, here
        self.hosts = {f"127.0.0.1:{here.port}", f"localhost:{here.port}"}
        self.cookie = f"mldr-{here.port}"  # cookies do not know ports: each page has its own name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *own]
            await send(message)

        answer = self.inner if (refusal := self._refusal(request)) is None else refusal
        await answer(scope, receive, with_headers)

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("host") not in self.hosts:
            return faulty(421, "Host", "this page answers at 127.0.0.1 and localhost alone")
        if request.method == "GET" and "token" in request.query_params:
            return self._admitted(request)
        cookie, header = request.cookies.get(self.cookie), request.headers.get("x-token")
        if not (self._is_token(header) or self._is_token(cookie)):
            return faulty(401, "token", "open the whole address that the command printed, with its token")
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return faulty(403, "Sec-Fetch-Site", "asked for by another page")
        return self._write_refusal(request) if request.method != "GET" else None

    def _admitted(self, request: Request) -> Response:
        if not self._is_token(request.query_params["token"]):
            return faulty(401, "token", "not the token of this run; open the address that the command printed last")
        rest = urlencode([(key, value) for key, value in request.query_params.multi_items() if key != "token"])
        path = "/" + request.url.path.lstrip("/\\")  # `//elsewhere` would lead to another machine
        response = RedirectResponse(path + (f"?{rest}" if rest else ""), status_code=303)
        response.set_cookie(self.cookie, self.here.token, httponly=True, samesite="strict", path="/")
        return response

    def _is_token(self, given: str | None) -> bool:
        return given is not None and hmac.compare_digest(given.encode(), self.here.token.encode())

    def _write_refusal(self, request: Request) -> Response | None:
        origin = request.headers.get("origin")
        by_header = self._is_token(request.headers.get("x-token"))
        if origin not in {f"http://{host}" for host in self.hosts} and not (origin is None and by_header):
            return faulty(403, "Origin", "only this page itself may write")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return faulty(415, "Content-Type", "application/json is expected")
        return None


def faulty(status: int, place: str, message: str, **more: Any) -> Response:
    """Return an answer of one fault."""
    return _json(status, {"faults": [{"place": place, "message": message}], **more})


def _json(status: int, value: Any) -> Response:
    return Response(json.dumps(value, ensure_ascii=False, allow_nan=False), status, media_type="application/json")


async def _no_such_address(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return faulty(status, "address", "no such address" if status == 404 else "not asked for in this way")


def _file(content: bytes, media_type: str) -> Callable[[Request], Response]:
    def answer(_request: Request) -> Response:
        return Response(content, media_type=media_type)

    return answer


def _endpoint(route: Route, note: Note) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            body = await _body(request) if route.method == "POST" else None
            call = Call(dict(request.path_params), dict(request.query_params), body)
            return _answered(await run_in_threadpool(route.handle, call))
        except ClientDisconnect:
            return Response(status_code=400)
        except Refusal as refusal:
            return faulty(refusal.status, refusal.place, str(refusal), **refusal.more)
        except InputError as error:
            return _json(400, {"faults": [_as_json(fault) for fault in error.faults]})
        except MldrError as error:
            return faulty(400, "request", str(error))
        except Exception as error:  # noqa: BLE001 - the page gets a plain word, the terminal the place, nobody the content
            last = traceback.extract_tb(error.__traceback__)[-1]
            note(f"{route.method} {route.path}: {type(error).__name__} in {last.name}, line {last.lineno}")
            return faulty(500, "server", f"something failed inside ({type(error).__name__}); nothing was written")

    return answer


def _as_json(fault: Fault) -> dict[str, str]:
    return {"place": fault.place, "message": fault.message}


def _answered(value: Any) -> Response:
    if not isinstance(value, Reply):
        return _json(200, value)
    if isinstance(value.content, bytes):
        return Response(value.content, value.status, dict(value.headers), media_type=value.media_type)
    return _json(value.status, value.content)


async def _body(request: Request) -> Any:
    """Return the JSON value of a body.

    Raises:
        Refusal: if it is too long, or not JSON whose strings can be written as UTF-8 text.
    """
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > BODY_LIMIT:
            raise Refusal(413, f"more than {BODY_LIMIT:,} bytes", place="body")
    try:
        value = parse_json(bytes(content))
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)  # 1e999 is read as infinity
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refusal(400, "half of a surrogate pair: no text", place="body") from error
    except ValueError as error:
        raise Refusal(400, str(error), place="body") from error
    if "\\u0000" in text.replace("\\\\", ""):
        raise Refusal(400, "a NUL character: no text", place="body")
    return value
