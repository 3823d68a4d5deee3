"""A small database in the work folder, for what a build gathers and must not hold in memory."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open an SQLite file, made where there is none; commit at the end of a block without an error, and close it.

    Raises:
        OSError: if the disk is full, as of every other file: make room, go on.
    """
    try:
        with closing(sqlite3.connect(path)) as connection:
            yield connection
            connection.commit()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
