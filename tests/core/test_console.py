from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mldr.console import application, run, say, show_json, show_text
from mldr.errors import InterruptedRun, MldrError, fault

PROGRAM = """
import sys
from mldr.console import application, run, show_text
app = application("Talks.")
@app.command()
def talk() -> None:
    for number in range(200_000):
        show_text(f"line {number}")
@app.command()
def other() -> None: ...
run(app, ["talk"])
"""


def leave(error: BaseException | None, *words: str) -> int:
    """Run an application whose command ends with `error`; return the exit code."""
    app = application("Tests.")

    @app.command()
    def go(count: int = 1) -> None:
        if error is not None:
            raise error

    @app.command()
    def other() -> None:
        """A second command, so that the first has a name."""

    with pytest.raises(SystemExit) as caught:
        run(app, list(words) or ["go"])
    return int(caught.value.code or 0)


def test_a_command_that_ends_well_leaves_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert leave(None) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (MldrError("no such split"), 1, "no such split\n"),
        (fault("a.jsonl, line 3", "not JSON"), 1, "1 fault:\n  a.jsonl, line 3: not JSON\n"),
        (FileNotFoundError(2, "No such file or directory", "a\x1b[31m"), 1, "a\\x1b[31m: No such file or directory\n"),
        (
            OSError(28, "No space left on device"),
            3,
            "input or output: No space left on device; make room and run the same command again\n",
        ),
        (InterruptedRun("the disk is full"), 3, "the disk is full\n"),
    ],
)
def test_what_goes_wrong_is_said_on_stderr_with_its_exit_code(
    error: Exception, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leave(error) == code
    assert capsys.readouterr() == ("", words)


def test_ctrl_c_leaves_with_130() -> None:
    assert leave(KeyboardInterrupt()) == 130


@pytest.mark.parametrize("words", [["nonsense"], ["go", "--no-such-option"], ["go", "--count", "many"]])
def test_wrong_usage_leaves_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert leave(None, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Error" in captured.err


def test_help_is_shown_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert leave(None, "--help") == 0
    assert "Tests." in capsys.readouterr().out


def test_a_bug_is_not_hidden() -> None:
    app = application("Tests.")

    @app.command()
    def go() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(app, [])


def test_a_reader_that_leaves_early_is_no_failure(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == b"line 0\n"
        child.stdout.close()
        said = child.stderr.read()
    assert (child.returncode, said) == (0, b"")


def test_words_that_the_terminal_cannot_write_do_not_crash(tmp_path: Path) -> None:
    code = (
        "from mldr.console import application, run, show_text\n"
        "app = application('x')\n"
        "@app.command()\n"
        "def go() -> None: show_text('\\u4f60 \\ud800')\n"
        "run(app, [])"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (0, "你 ?\n".encode())


def test_json_on_stdout_is_sorted_and_readable(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"b": "你", "a": [1]})
    out = capsys.readouterr().out
    assert json.loads(out) == {"a": [1], "b": "你"}
    assert out.index('"a"') < out.index('"b"')
    assert "你" in out


def test_text_ends_with_one_line_break(capsys: pytest.CaptureFixture[str]) -> None:
    show_text("a")
    show_text("b\n")
    say("c")
    assert capsys.readouterr() == ("a\nb\n", "c\n")
