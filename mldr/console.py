"""The command line's manners: results on stdout, words and progress on stderr, faults without a traceback."""

from __future__ import annotations

import errno
import json
import os
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from mldr.errors import InterruptedRun, MldrError, printable

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
    import typer

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        code = app(args=arguments, standalone_mode=False)
    except MldrError as error:
        say(str(error))
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        say("stopped; where a command can be resumed, run it again to go on")
        sys.exit(INTERRUPTED)
    except OSError as error:
        sys.exit(_said(error))
    except Exception as error:
        if not (hasattr(error, "show") and hasattr(error, "exit_code")):
            raise  # a bug of ours: a traceback is what helps
        error.show()  # wrong usage, in Typer's words
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _said(error: OSError) -> int:
    """Say what the system refused; return the exit code: a full disk can be mended and the run resumed."""
    place = printable(str(error.filename)) if error.filename else "input or output"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        say(f"{place}: {error.strerror}; make room and run the same command again")
        return InterruptedRun.exit_code
    say(f"{place}: {error.strerror or error}")
    return 1


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

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 160, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(table)
    _write(captured.get())


def show_text(text: str) -> None:
    """Write text to stdout."""
    _write(text if text.endswith("\n") else text + "\n")
