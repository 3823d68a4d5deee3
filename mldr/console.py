"""The command line's manners: results on stdout, words and progress on stderr, faults without a traceback."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from mldr.errors import MldrError, printable

if TYPE_CHECKING:
    import typer
    from rich.table import Table

Item = TypeVar("Item")

INTERRUPTED = 130


def application(help_text: str) -> typer.Typer:
    """Return an empty command-line application in mldr's manner."""
    import typer

    return typer.Typer(
        help=help_text,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,  # plain help comes in half the time
        pretty_exceptions_enable=False,
    )


def run(app: typer.Typer, arguments: list[str] | None = None) -> None:
    """Run an application and leave with its exit code: 0, 1 bad input, 2 wrong usage, 3 resumable, 130 Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app(args=arguments)
    except MldrError as error:
        say(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(INTERRUPTED)
    except OSError as error:
        place = printable(str(error.filename)) if error.filename else "input or output"
        say(f"{place}: {error.strerror or error}")
        sys.exit(1)


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader left (a pager, head); said here, since Typer would leave with 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def say(message: str) -> None:
    """Write a message to stderr."""
    sys.stderr.write(message + "\n")


def show_json(value: Any) -> None:
    """Write a value as JSON to stdout."""
    _write(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def show_table(table: Table) -> None:
    """Write a rich table to stdout, in full where stdout is no terminal."""
    from rich.console import Console

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 160)
    with console.capture() as captured:
        console.print(table)
    _write(captured.get())


def show_text(text: str) -> None:
    """Write text to stdout."""
    _write(text if text.endswith("\n") else text + "\n")


def progress(items: Iterable[Item], total: int | None, what: str) -> Iterator[Item]:
    """Yield `items`, with a bar on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description=what, total=total, console=Console(stderr=True), transient=True)


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn a failure of the disk inside the block into one line that says what was being done."""
    try:
        yield
    except OSError as error:
        raise MldrError(f"{what}: {error.strerror or error} ({printable(str(error.filename or ''))})") from error
