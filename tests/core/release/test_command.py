"""The two commands as a person meets them, with their exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.release.support import mldr_record, mldr_release, wechat_record, write_release


def mldr(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mldr", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_release_is_looked_at_imported_verified_and_exported(tmp_path: Path) -> None:
    release = mldr_release(tmp_path, mldr_record(), mldr_record("d2"), {"odd": 1})
    looked = mldr("dataset", "import-release", release, "--dry-run")
    assert looked.returncode == 0
    assert "messages -> validation, 3 records" in looked.stdout
    done = mldr("dataset", "import-release", release, "--out", tmp_path / "out")
    assert done.returncode == 0
    assert done.stdout == f"{tmp_path / 'out'}\n"
    assert "MLDR_val.json, record 2: has no list of messages" in done.stderr
    assert mldr("dataset", "verify", tmp_path / "out").returncode == 0
    files = mldr(
        "dataset", "export", tmp_path / "out", "--split", "validation", "--to", "trl", "--out", tmp_path / "files"
    )
    assert files.returncode == 0
    assert "2 rows, 2 images" in files.stdout


@pytest.mark.parametrize("name", ["x\x1b[31m.json", "\x1b[2J.json"])
def test_names_and_keys_of_a_hostile_release_do_nothing_to_a_terminal(tmp_path: Path, name: str) -> None:
    record = {**mldr_record(), "k\x1b[1mey": 1}
    release = write_release(tmp_path / "MLDR", {"MLDR_val.json": [record], name: {}})
    looked = mldr("dataset", "import-release", release, "--dry-run")
    assert "not read (is no JSON list)" in looked.stdout
    assert "k\\x1b[1mey 1" in looked.stdout
    for records in ([mldr_record()], []):
        folder = write_release(tmp_path / f"{len(records)}", {name: records})
        refused = mldr("dataset", "import-release", folder, "--dry-run")
        assert (refused.returncode, "\x1b" in refused.stderr) == (1, False)
    assert "\x1b" not in looked.stdout


def test_verify_tells_what_the_release_itself_shares(tmp_path: Path) -> None:
    files = {"MLDR_train_GRPO.json": [mldr_record()], "MLDR_val.json": [mldr_record()]}
    mldr("dataset", "import-release", write_release(tmp_path / "MLDR", files), "--out", tmp_path / "out")
    verified = mldr("dataset", "verify", tmp_path / "out")
    assert verified.returncode == 0
    assert "the release itself has 1 in two splits, dialogue_id: train_grpo and validation" in verified.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "--out"),
        (["--dry-run", "--split", "dev"], 1, "no split dev"),
        (["--out", "OUT", "--consent-scopes", "everything"], 1, "no consent scope everything"),
    ],
)
def test_wrong_usage_and_bad_input_have_their_codes(tmp_path: Path, arguments: list[str], code: int, told: str) -> None:
    release = write_release(tmp_path / "w", {"wechat.json": [wechat_record()]})
    given = [argument.replace("OUT", str(tmp_path / "out")) for argument in arguments]
    done = mldr("dataset", "import-release", release, *given)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_bad_input_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = mldr("dataset", "import-release", tmp_path / "nowhere", "--dry-run")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
