"""Versions of what shapes the bytes of a dataset."""

from __future__ import annotations

from importlib.metadata import version

from mldr.version import __version__

_SHAPING = ("numpy", "pillow", "pyarrow")


def shaping_versions() -> dict[str, str]:
    """Return library -> version, mldr's own included."""
    return {"mldr": __version__, **{name: version(name) for name in _SHAPING}}
