"""The README, done as a newcomer would: its commands in order, its output compared, its Python run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = ("annotation", "annotation.zh", "retrievers", "retrievers.zh")

pytestmark = pytest.mark.skipif(
    not README.is_file(), reason="the README is not here: the tests run away from the checkout"
)


def blocks(path: Path, language: str) -> list[str]:
    """Return the fenced blocks of a language; fences are paired in order, so that none that closes is taken for one that opens."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block for name, block in found if name == language]


def sessions(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of the shell blocks with the output lines that are printed below it."""
    for block in blocks(path, ""):
        command, output = "", list[str]()
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, output
                command, output = line[2:].split("   #")[0].strip(), []
            elif command:
                output.append(line)
        if command:
            yield command, output


def run(command: str, folder: Path) -> str:
    names = {"mldr": "mldr", "mldr-eval": "mldr.eval.cli"}
    first = shlex.split(command)[0]
    if first in names:
        command = f"{shlex.quote(sys.executable)} -m {names[first]} {command.split(' ', 1)[1]}"
    environment = {**os.environ, "COLUMNS": "160"}
    done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def run_page(page: Path, folder: Path) -> int:
    """Run the commands of a page in their order, hold their output against what the page shows, return how many ran."""
    ran = 0
    for command, shown in sessions(page):
        printed = [line.rstrip() for line in run(command, folder).splitlines()]
        for line in shown:
            if line.strip() != "...":
                assert line.rstrip() in printed, f"{command}\n{line!r} is not in\n" + "\n".join(printed)
        ran += 1
    return ran


@pytest.mark.parametrize("name", ["README.md", "README.zh.md", *(f"docs/{page}.md" for page in PAGES)])
def test_the_commands_work_in_their_order_and_print_what_is_shown(tmp_path: Path, name: str) -> None:
    assert run_page(ROOT / name, tmp_path) >= 4


def test_the_join_with_plain_datasets_works_as_pasted(tmp_path: Path) -> None:
    run("mldr build create demo --out set", tmp_path)
    (code,) = [block for block in blocks(README, "python") if "load_dataset" in block]
    environment = {**os.environ, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    query, _, size = done.stdout.partition("->")
    assert query.strip()
    assert re.search(r"\(\d+, \d+\)\s*$", size)


def test_the_retriever_of_the_readme_runs_as_pasted(tmp_path: Path) -> None:
    run("mldr build create demo --out set", tmp_path)
    (code,) = [block for block in blocks(README, "python") if "class LastWords" in block]
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")
    run("mldr retrieve mine:LastWords set --split test --out mine.jsonl", tmp_path)
    assert "170 of 170 queries answered" in run("mldr-eval validate set mine.jsonl --split test", tmp_path)


def test_the_recipe_and_the_source_line_of_the_guide_can_be_built(tmp_path: Path) -> None:
    import json

    import yaml

    from mldr.builders.recipe import Recipe
    from tests.conftest import picture

    guide = ROOT / "docs" / "recipe.md"
    text, further = blocks(guide, "yaml")
    assert Recipe.model_validate(yaml.safe_load(text)).name == "holiday"
    assert Recipe.model_validate({**yaml.safe_load(text), **yaml.safe_load(further)}).verify is not None
    (line,) = blocks(guide, "json")
    record = json.loads(line)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "1.jpg").write_bytes(picture(kind="JPEG"))
    with (tmp_path / "chats.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(9):
            own = {**record, "id": f"d{number}", "topic": f"t{number % 3}"}
            own["turns"] = [{**turn, "text": f"{turn['text']} {number}"} for turn in record["turns"]]
            if number % 3:
                own["turns"][0].pop("image")
                own["tags"] = [{**record["tags"][0], "images": []}]
            stream.write(json.dumps(own) + "\n")
    recipe = {
        **yaml.safe_load(text),
        "splits": {"test": 1.0},
        "languages": ["en"],
        "licences": ["CC-BY-4.0", "unknown"],
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    run("mldr build create recipe.yaml --out out", tmp_path)
    run("mldr dataset verify out", tmp_path)
