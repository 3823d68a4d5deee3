"""Ray started on this machine for one run: reached from nowhere else, quiet, and gone without a trace at the end."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any

from mldr.errors import MldrError, first_line

_LONGEST_FOLDER = 40
"""Of Ray's own folder, characters: below it lies a socket, whose path may have 107 bytes."""
_STORE_BYTES = 100 * 1024 * 1024
"""Of Ray's object store: tasks and results are small."""


@contextmanager
def started_ray(ray: Any, workers: int | None) -> Iterator[None]:
    """Start Ray, and end it: on the loopback address, without dashboard and statistics; its logs go with it.

    Args:
        ray: the module.
        workers: processors that it may use; None for all.

    Raises:
        MldrError: if it does not start.
    """
    folder = tempfile.mkdtemp(prefix="mldr-ray-")
    if len(folder) > _LONGEST_FOLDER and os.name == "posix":
        Path(folder).rmdir()
        folder = tempfile.mkdtemp(prefix="mldr-ray-", dir="/tmp")
    try:
        with _environment(), _loopback(), _silent(), _same_signals():
            try:
                _start(ray, workers, folder)
                yield
            finally:
                ray.shutdown()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(ray: Any, workers: int | None, folder: str) -> None:
    try:
        ray.init(
            address="local",  # and no cluster that RAY_ADDRESS or a file of Ray's names
            num_cpus=workers or os.cpu_count(),
            num_gpus=0,
            object_store_memory=_STORE_BYTES,
            include_dashboard=False,
            logging_level=logging.ERROR,
            log_to_driver=False,
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise MldrError(f"Ray does not start here ({first_line(error)})") from error


@contextmanager
def _environment() -> Iterator[None]:
    """Set what Ray's processes inherit."""
    wanted = {
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else it warns of a change to come
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        **_importable(os.environ),
    }
    if not any(name in os.environ for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")):
        wanted["RAY_AUTH_TOKEN"] = _token()
    kept = ("RAY_AUTH_MODE", *wanted)
    before = {name: os.environ[name] for name in kept if name in os.environ}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name in kept:
            os.environ.pop(name, None)
        os.environ.update(before)


@cache  # Ray reads it once in a process
def _token() -> str:
    """Return the word by which Ray's processes know each other; Ray would write one to the user's home."""
    return secrets.token_hex(32)


def _importable(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what lets workers import mldr where it runs from a checkout that is not installed."""
    root = Path(__file__).resolve().parents[2]
    if root.name in ("site-packages", "dist-packages"):  # found anyway, and must not go before the standard library
        return {}
    return {"PYTHONPATH": os.pathsep.join([str(root), *filter(None, [environment.get("PYTHONPATH")])])}


@contextmanager
def _loopback() -> Iterator[None]:
    """Keep Ray on the loopback address: on Linux it replaces 127.0.0.1 by an address that others reach."""
    constants = import_module("ray._private.ray_constants")
    before = getattr(constants, "ENABLE_RAY_CLUSTER", None)
    constants.ENABLE_RAY_CLUSTER = False  # type: ignore[attr-defined]
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before  # type: ignore[attr-defined]


@contextmanager
def _silent() -> Iterator[None]:
    """Keep Ray from printing a page on standard output when a worker is lost; mldr says it in a line."""
    worker = import_module("ray._private.worker")
    before = getattr(worker, "print_to_stdstream", None)
    worker.print_to_stdstream = lambda *_, **__: None  # type: ignore[attr-defined]
    try:
        yield
    finally:
        worker.print_to_stdstream = before  # type: ignore[attr-defined]


@contextmanager
def _same_signals() -> Iterator[None]:
    """Put back what SIGTERM meant before: while Ray runs it means an orderly end."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
