"""A small Hub on loopback, for the real huggingface_hub client: accounts, dataset repositories, uploads, downloads, faults.

    with HubServer({"hf_secret": "tests"}) as hub:
        hub.store.faults.append(Fault("POST .*/commit/", 429, {"Retry-After": "1"}))
        ... HF_ENDPOINT=hub.url HF_TOKEN=hf_secret HF_HUB_DISABLE_XET=1 ...
        print(hub.store.asked)

It speaks the routes that the client uses for datasets, by plain HTTP and the LFS protocol; the Hub's own storage protocol (Xet)
is left out, so the client runs with HF_HUB_DISABLE_XET=1. It was written from the client's source: it is no real Hub.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.fakes.hub_store import Asked, Blob, Fault, Repository, Store

ATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"
LARGE = (".parquet", ".bin")


class Answered(Exception):
    """Ends a request: the answer is known."""

    def __init__(self, status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        self.headers = headers or {}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    store: Store
    timeout = 30

    def _run(self) -> None:
        url = urlsplit(self.path)
        path, self.query = unquote(url.path), parse_qs(url.query)
        fault = self.store.fault_for(f"{self.command} {path}")
        self.account = self.store.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "), "")
        body = self._body(fault)
        answered = Answered(404, {"error": "no such route"})
        if body is None:
            self._note(path, 0, fault.after if fault else 0)
            return
        if fault is not None and fault.delay:
            time.sleep(fault.delay)
            fault = None
        if fault is None or fault.done:
            answered = self._answer(path, body)
        if fault is not None and fault.status:
            answered = Answered(fault.status, {"error": "planned"}, fault.headers)
        self._note(path, 0 if fault and not fault.status else answered.status, len(body))
        self._send(answered, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _run

    def _note(self, path: str, status: int, received: int) -> None:
        self.store.asked.append(Asked(self.command, path, status, received, "Authorization" in self.headers))

    def _body(self, fault: Fault | None) -> bytes | None:
        """Return the body, None where the connection is cut while it comes."""
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        length = int(self.headers.get("Content-Length") or 0)
        if fault is not None and not fault.status and fault.after and self.command in ("PUT", "POST"):
            self.rfile.read(min(length, fault.after))
            self._cut()
            return None
        return self.rfile.read(length)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, path: str, body: bytes) -> Answered:
        try:
            with self.store.lock:
                for method, pattern, name in ROUTES:
                    if self.command in method.split("|") and (match := re.fullmatch(pattern, path)):
                        getattr(self, name)(body, **match.groupdict())
        except Answered as answered:
            return answered
        return Answered(404, {"error": f"no such route: {self.command} {path}"})

    def _send(self, answered: Answered, fault: Fault | None) -> None:
        if fault is not None and not fault.status and not fault.after:
            self._cut()
            return
        self.send_response(answered.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(answered.body)), **answered.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            cut = fault is not None and not fault.status
            self.wfile.write(answered.body[: fault.after] if cut and fault else answered.body)
            if cut:
                self.wfile.flush()
                self._cut()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    # accounts and repositories

    def whoami(self, body: bytes) -> None:
        if not self.account:
            raise Answered(401, {"error": "Invalid credentials"})
        raise Answered(200, {"type": "user", "name": self.account.partition(":")[0], "orgs": []})

    def create(self, body: bytes) -> None:
        asked = json.loads(body)
        owner = asked.get("organization") or self.account
        repo_id = f"{owner}/{asked['name']}"
        self._may_write(owner)
        if repo_id in self.store.repositories:
            raise Answered(409, {"error": "You already created this dataset repo", "url": f"/datasets/{repo_id}"})
        private = asked.get("visibility", "public") == "private" or bool(asked.get("private"))
        repository = self.store.repositories[repo_id] = Repository(private=private)
        repository.commit({".gitattributes": Blob(ATTRIBUTES, lfs=False)}, "initial commit")
        raise Answered(200, {"url": f"http://{self.headers['Host']}/datasets/{repo_id}"})

    def settings(self, body: bytes, repo: str) -> None:
        asked = json.loads(body)
        self._may_write(repo.split("/")[0])
        repository = self._repository(repo)
        repository.gated = asked.get("gated", repository.gated)
        if "visibility" in asked or "private" in asked:
            repository.private = asked.get("visibility") == "private" or bool(asked.get("private"))
        repository.look()
        raise Answered(200, {"private": repository.private})

    def validate_yaml(self, body: bytes) -> None:
        raise Answered(200, {"errors": [], "warnings": []})

    def repo(self, body: bytes, repo: str, revision: str = "main") -> None:
        repository = self._repository(repo)
        oid = self._resolved(repository, revision)
        siblings = [{"rfilename": path} for path in sorted(repository.files(oid))]
        told = {"id": repo, "sha": oid, "private": repository.private, "gated": repository.gated, "siblings": siblings}
        raise Answered(200, {**told, "tags": [], "downloads": 0, "likes": 0})

    def refs(self, body: bytes, repo: str) -> None:
        repository = self._repository(repo)
        head = {"name": "main", "ref": "refs/heads/main", "targetCommit": repository.commits[-1][0]}
        tags = [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": c} for n, c in sorted(repository.tags.items())]
        raise Answered(200, {"branches": [head], "converts": [], "tags": tags})

    def history(self, body: bytes, repo: str, revision: str) -> None:
        repository = self._repository(repo)
        told = {"title": "x", "message": "", "date": "2026-01-01T00:00:00.000Z", "authors": []}
        raise Answered(200, [{"id": oid, **told} for oid, _ in reversed(repository.commits)])

    def tag(self, body: bytes, repo: str, revision: str) -> None:
        repository, name = self._repository(repo), json.loads(body)["tag"]
        self._may_write(repo.split("/")[0])
        if name in repository.tags:
            raise Answered(409, {"error": f"Tag reference exists already: {name}"})
        repository.tags[name] = self._resolved(repository, revision)
        raise Answered(200, {})

    def tree(self, body: bytes, repo: str, revision: str, folder: str | None = None) -> None:
        repository = self._repository(repo)
        files = repository.files(self._resolved(repository, revision))
        inside = f"{(folder or '').strip('/')}/".lstrip("/")
        found = {path: blob for path, blob in files.items() if path.startswith(inside)}
        if folder and not found:
            raise Answered(404, {"error": "no such folder"}, {"X-Error-Code": "EntryNotFound"})
        rows = [blob.entry(path) for path, blob in sorted(found.items())]
        if self.query.get("recursive", ["false"])[0].lower() != "true":
            rows = _level(found, inside)
        start = int(self.query.get("cursor", ["0"])[0])
        if start + PAGE < len(rows):
            link = f"http://{self.headers['Host']}{urlsplit(self.path).path}?recursive=true&cursor={start + PAGE}"
            raise Answered(200, rows[start : start + PAGE], {"Link": f'<{link}>; rel="next"'})
        raise Answered(200, rows[start:])

    def paths_info(self, body: bytes, repo: str, revision: str) -> None:
        repository = self._repository(repo)
        files = repository.files(self._resolved(repository, revision))
        kind = self.headers.get("Content-Type", "")
        paths = json.loads(body)["paths"] if "json" in kind else parse_qs(body.decode()).get("paths", [])
        rows = [files[path].entry(path) for path in paths if path in files]
        folders = [path for path in paths if any(name.startswith(f"{path}/") for name in files)]
        raise Answered(200, [*rows, *({"type": "directory", "path": path, "oid": "0" * 40} for path in folders)])

    # uploads

    def preupload(self, body: bytes, repo: str, revision: str) -> None:
        self._may_write(repo.split("/")[0])
        known = self._repository(repo).files()
        files = [
            {
                "path": one["path"],
                "uploadMode": "lfs" if one["path"].endswith(LARGE) else "regular",
                "shouldIgnore": False,
                "oid": known[one["path"]].oid if one["path"] in known else None,
            }
            for one in json.loads(body)["files"]
        ]
        raise Answered(200, {"files": files})

    def batch(self, body: bytes, repo: str) -> None:
        self._may_write(repo.split("/")[0])
        objects = []
        for one in json.loads(body)["objects"]:
            row = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.store.objects:
                href = f"http://{self.headers['Host']}/objects/{one['oid']}"
                row["actions"] = {"upload": {"href": href}}
            objects.append(row)
        raise Answered(200, {"transfer": "basic", "objects": objects})

    def put(self, body: bytes, oid: str) -> None:
        if hashlib.sha256(body).hexdigest() != oid:
            raise Answered(400, {"error": "these bytes have another hash"})
        self.store.objects[oid] = body
        raise Answered(200, {})

    def commit(self, body: bytes, repo: str, revision: str) -> None:
        self._may_write(repo.split("/")[0])
        repository = self._repository(repo)
        head, *operations = (json.loads(line) for line in body.splitlines() if line.strip())
        parent = head["value"].get("parentCommit")
        if parent and parent != repository.commits[-1][0]:
            raise Answered(412, {"error": "A commit has happened since. Please refresh and try again."})
        try:
            oid = self.store.apply(repository, operations, head["value"]["summary"])
        except KeyError as error:
            raise Answered(400, {"error": f"not there: {error}"}) from None
        url = f"http://{self.headers['Host']}/datasets/{repo}/commit/{oid}"
        raise Answered(200, {"success": True, "commitUrl": url, "commitOid": oid})

    # downloads

    def resolve(self, body: bytes, repo: str, revision: str, path: str) -> None:
        repository = self._repository(repo)
        self._may_read_files(repo, repository)
        oid = self._resolved(repository, revision)
        blob = repository.files(oid).get(path)
        if blob is None:
            raise Answered(404, {"error": "no such file"}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": oid})
        headers = {"ETag": f'"{blob.etag}"', "X-Repo-Commit": oid, "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            raise Answered(200, blob.content, headers)
        first, last = int(asked[1]), min(int(asked[2] or len(blob.content)), len(blob.content) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(blob.content)}"
        raise Answered(206, blob.content[first : last + 1], headers)

    # who may

    def _may_write(self, owner: str) -> None:
        if not self.account:
            raise Answered(401, {"error": "Invalid username or password."})
        if self.account != owner:
            raise Answered(403, {"error": f"{self.account} may not write under {owner}"})

    def _repository(self, repo: str) -> Repository:
        repository = self.store.repositories.get(repo)
        reader = self.account.partition(":")[0]
        allowed = repository is not None and (
            not repository.private or reader == repo.split("/")[0] or reader in repository.let_in
        )
        if repository is None or not allowed:
            raise Answered(404 if self.account else 401, {"error": "not found"}, {"X-Error-Code": "RepoNotFound"})
        return repository

    def _may_read_files(self, repo: str, repository: Repository) -> None:
        reader = self.account.partition(":")[0]
        if repository.gated and reader != repo.split("/")[0] and reader not in repository.let_in:
            raise Answered(403, {"error": "Access is restricted"}, {"X-Error-Code": "GatedRepo"})

    def _resolved(self, repository: Repository, revision: str) -> str:
        try:
            return repository.resolved(revision)
        except KeyError:
            raise Answered(404, {"error": "no revision"}, {"X-Error-Code": "RevisionNotFound"}) from None


PAGE = 12
"""Rows of a tree listing that are told at once: the client must follow the link to the next."""


def _level(found: dict[str, Blob], inside: str) -> list[dict[str, Any]]:
    """Return the files and folders directly in a folder."""
    rows: dict[str, dict[str, Any]] = {}
    for path, blob in sorted(found.items()):
        first, _, rest = path.removeprefix(inside).partition("/")
        name = f"{inside}{first}"
        rows[name] = {"type": "directory", "path": name, "oid": "0" * 40, "size": 0} if rest else blob.entry(path)
    return list(rows.values())


_REPO = r"/api/datasets/(?P<repo>[\w.-]+/[\w.-]+)"
ROUTES = (
    ("GET", r"/api/whoami-v2", "whoami"),
    ("POST", r"/api/repos/create", "create"),
    ("POST", r"/api/validate-yaml", "validate_yaml"),
    ("PUT", rf"{_REPO}/settings", "settings"),
    ("GET", rf"{_REPO}", "repo"),
    ("GET", rf"{_REPO}/revision/(?P<revision>.+)", "repo"),
    ("GET", rf"{_REPO}/refs", "refs"),
    ("GET", rf"{_REPO}/commits/(?P<revision>.+)", "history"),
    ("POST", rf"{_REPO}/tag/(?P<revision>.+)", "tag"),
    ("GET", rf"{_REPO}/tree/(?P<revision>[^/]+)(?P<folder>/.*)?", "tree"),
    ("POST", rf"{_REPO}/paths-info/(?P<revision>.+)", "paths_info"),
    ("POST", rf"{_REPO}/preupload/(?P<revision>.+)", "preupload"),
    ("POST", rf"{_REPO}/commit/(?P<revision>.+)", "commit"),
    ("POST", r"/datasets/(?P<repo>[\w.-]+/[\w.-]+)\.git/info/lfs/objects/batch", "batch"),
    ("PUT", r"/objects/(?P<oid>[0-9a-f]{64})", "put"),
    ("GET|HEAD", r"/datasets/(?P<repo>[\w.-]+/[\w.-]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "resolve"),
)


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that hang up, which tests make them do."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class HubServer:
    """The server in a thread of its own, from `with` to its end.

    Args:
        tokens: token -> account that it writes and reads for.
    """

    def __init__(self, tokens: dict[str, str]) -> None:
        self.store = Store(tokens)
        handler = type("BoundHandler", (Handler,), {"store": self.store})
        self._server = Quiet(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """What HF_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def link(self, repo: str, path: str) -> str:
        """Return the address of a file, as a browser would ask for it."""
        return f"{self.url}/datasets/{repo}/resolve/main/{quote(path)}"

    def __enter__(self) -> HubServer:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
