"""The documentation's site: its commands are run, its generated pages hold what the code has, and it builds without a warning."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.core.hub.conftest import TOKEN
from tests.core.release.support import answer, mldr_record, mldr_release
from tests.docs.test_readme import ROOT, run_page
from tests.fakes.hub_server import HubServer

DOCS = ROOT / "docs"

pytestmark = pytest.mark.skipif(
    not (ROOT / "mkdocs.yml").is_file(), reason="the documentation is not here: the tests run away from the checkout"
)


def test_the_tutorial_works_from_a_build_to_a_score(tmp_path: Path) -> None:
    assert run_page(DOCS / "tutorial.md", tmp_path) == 15
    report = (tmp_path / "report.html").read_text("utf-8")
    assert report.startswith("<!doctype html>") or report.lower().startswith("<!doctype html>")
    assert "my-org/mldr-ffr-demo" in (tmp_path / "bm25.yaml").read_text("utf-8")


def test_the_walk_with_the_authors_release_works_on_a_small_one_in_their_layout(tmp_path: Path) -> None:
    queries = [("爬山", [1, 3], [0]), ("周末", [0], []), ("无关", [], [])]
    records = [mldr_record("d1", query, gold=answer(u, i)) for query, u, i in queries]
    mldr_release(tmp_path, *records)
    assert run_page(DOCS / "release.md", tmp_path) == 7


def test_the_page_on_the_hub_works_against_a_local_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HubServer({TOKEN: "my-org"}) as server:
        settings = {"HF_ENDPOINT": server.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path / "home")}
        for key, value in {**settings, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0", "NO_PROXY": "*"}.items():
            monkeypatch.setenv(key, value)
        assert run_page(DOCS / "hub.md", tmp_path) == 8
        repository = server.store.repositories["my-org/mldr-ffr-demo"]
        assert (list(repository.tags), repository.private) == (["v1"], True)
        (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "hub.md").read_text("utf-8"), re.DOTALL)
        show = "\nprint(len(queries), dataset.manifest.counts['test']['queries'])"
        done = subprocess.run([sys.executable, "-c", code + show], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == ["170", "170"]


def test_the_page_on_other_harnesses_writes_the_task_that_it_names(tmp_path: Path) -> None:
    assert run_page(DOCS / "harnesses.md", tmp_path) == 2
    assert (tmp_path / "tasks/mldr_ffr_test/mldr_ffr_test.yaml").is_file()


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mldr_site_hooks", DOCS / "site" / "hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_commands_holds_every_command_with_its_help(hooks: ModuleType) -> None:
    page = hooks.commands()
    for name in (
        "mldr build create",
        "mldr dataset push",
        "mldr dataset pull",
        "mldr harness lmms-eval",
        "mldr-eval score",
    ):
        assert f"## `{name}`" in page
    assert page.count("Usage:") == page.count("## `")
    assert "--hub-yaml" in page


def test_the_page_of_the_format_holds_every_column_and_every_schema(hooks: ModuleType) -> None:
    from mldr.tables import TABLES, arrow_schema

    page = hooks.format_page(DOCS)
    for table in TABLES:
        section = page.split(f"## The table `{table}`")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(arrow_schema(table).names)
    assert {path.name for path in (DOCS / "schemas").glob("*.json")} <= set(re.findall(r"[\w.-]+\.schema\.json", page))


def test_every_measure_stands_with_its_equation() -> None:
    from mldr.eval.measures import MEASURES

    page = (DOCS / "equations.md").read_text("utf-8")
    named = set(re.findall(r"`([a-z_0-9]+)`", page))
    assert {measure.name.partition("(")[0] for measure in MEASURES} <= named


def test_links_that_lead_out_of_the_site_become_words(hooks: ModuleType) -> None:
    from types import SimpleNamespace

    page = SimpleNamespace(file=SimpleNamespace(src_uri="consent/README.md"))
    config = SimpleNamespace(docs_dir=str(DOCS))
    text = "[a](../../README.md#x) [b](../../mldr/markup.py) [c](../plugins/shared_words.py) [d](https://e.org) [f](../chat.md)"
    found = hooks.on_page_markdown(text, page, config, None)
    assert found == (
        "[a](../index.md#x) b (`mldr/markup.py`) c (`docs/plugins/shared_words.py`) [d](https://e.org) [f](../chat.md)"
    )


def test_a_page_that_is_not_written_yet_is_in_no_navigation_and_no_link(hooks: ModuleType, tmp_path: Path) -> None:
    from types import SimpleNamespace

    (tmp_path / "index.md").write_text("x", encoding="utf-8")
    nav = [{"Home": "index.md"}, {"How to": [{"Board": "board.md"}, {"Other": "other.md"}]}]
    config = SimpleNamespace(docs_dir=str(tmp_path), nav=nav)
    assert hooks.on_config(config).nav == [{"Home": "index.md"}, {"How to": [{"Other": "other.md"}]}]
    page = SimpleNamespace(file=SimpleNamespace(src_uri="index.md"))
    assert hooks.on_page_markdown("[board](board.md)", page, config, None) == "board"
    (tmp_path / "board.md").write_text("x", encoding="utf-8")
    assert hooks.on_page_markdown("[board](board.md)", page, config, None) == "[board](board.md)"


def test_the_site_builds_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    for name in ("mkdocs", "material", "mkdocstrings"):
        pytest.importorskip(name, reason="the extra docs is not installed")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING -" not in done.stderr
    fetched = re.compile(r"""<(?:script|img|link rel="stylesheet")[^>]+(?:src|href)=["'](?:https?:)?//""")
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        assert not fetched.search(page.read_text("utf-8")), page.name
