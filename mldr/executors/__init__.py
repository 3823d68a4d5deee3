"""Where model-free steps run. The steps are the same everywhere; the executor is the only thing that differs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mldr.errors import MldrError
from mldr.executors.base import Executor, Shipped
from mldr.executors.local import LocalExecutor
from mldr.executors.ray import RayExecutor

__all__ = ["Executor", "LocalExecutor", "RayExecutor", "Shipped", "open_executor"]


@contextmanager
def open_executor(kind: str, workers: int = 1, ray_address: str = "", depot: str = "") -> Iterator[Executor]:
    """Open an executor by name, and close it.

    Args:
        kind: `local` or `ray`.
        workers: processes; 1 with the address of a cluster means all that the cluster has.
        ray_address: of a Ray cluster; '' starts one here.
        depot: with `ray`: a folder or fsspec URL through which files travel; '' where all machines share the disk.

    Raises:
        MldrError: for another name, an option that only Ray has, or what `RayExecutor` raises.
    """
    if kind == "ray":
        with RayExecutor(ray_address, None if ray_address and workers == 1 else workers, depot) as executor:
            yield executor
        return
    if kind != "local":
        raise MldrError(f"no executor is called {kind!r}; there are local and ray")
    if ray_address or depot:
        raise MldrError("--ray-address and --depot go with --executor ray")
    with LocalExecutor(workers) as local:
        yield local
