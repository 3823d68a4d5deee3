"""Models that run here: a folder, or a name on the Hub, looked for in the cache first. Code that comes with one is never run."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from mldr.errors import MldrError, printable
from mldr.files import canonical_json, sha256_file, sha256_text

Loaded = TypeVar("Loaded")
_HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?", re.ASCII)
ASKING_S = 10.0
"""How long the Hub may take to say whether it has a model."""


def model_folder(place: str, model: str) -> Path | None:
    """Return the folder that `model` is, None for a name on the Hub.

    Args:
        place: of the setting, for messages.
        model: what it says.

    Raises:
        MldrError: if it can be neither.
    """
    if not model:
        raise MldrError(f"{place}: empty; give a model's folder, or its name on the Hub")
    if Path(model).is_dir():
        return Path(model)
    if model.startswith(("/", ".", "~")) or os.sep == "\\" in model or not _HUB_NAME.fullmatch(model):
        raise MldrError(f"{place}: {printable(model)} is no folder, and no name that the Hub could have")
    return None


def loaded(place: str, model: str, is_folder: bool, opened: Callable[[bool], Loaded]) -> Loaded:
    """Return what `opened` makes of a model, from the library's cache where it is there, and without chatter.

    Args:
        place: of the setting, for messages.
        model: a folder, or a name on the Hub.
        is_folder: which.
        opened: takes whether only files of this machine may be used.

    Raises:
        MldrError: if it cannot be had.
    """
    with quiet():
        try:
            if is_folder:
                return opened(True)
            try:
                return opened(True)
            except (OSError, ValueError):  # not in the cache, or not all of it
                from huggingface_hub import model_info

                model_info(model, timeout=ASKING_S)  # the library itself would knock for a minute and a half
                return opened(False)
        except MldrError:
            raise
        except Exception as error:  # whatever a hostile or half a folder provokes in three libraries
            reason = printable(f"{type(error).__name__}: {' '.join(str(error).split())}", 300)
            raise MldrError(f"{place}: {printable(model)} cannot be loaded ({reason})") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep progress bars and warnings of the libraries off stderr; what fails is told by the error."""
    bars: Any = import_module("transformers.utils.logging")
    loggers = [logging.getLogger(name) for name in ("huggingface_hub", "sentence_transformers", "transformers")]
    levels = [logger.level for logger in loggers]
    was_enabled = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if was_enabled:
            bars.enable_progress_bar()


def files_hash(place: str, folder: Path) -> str:
    """Return a hash of the weights and configuration in a folder: its place and its prose do not matter.

    Raises:
        MldrError: if a file cannot be read.
    """
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix != ".md"
        and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )
    try:
        return "sha256:" + sha256_text(canonical_json([[name, sha256_file(folder / name)] for name in names]))
    except OSError as error:
        raise MldrError(f"{place}: {error.filename}: {error.strerror}") from error
