"""The package as a whole: its public names, what importing it costs, and the links of the checkout."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

import mldr
from mldr.versions import shaping_versions
from tests.core.support import python

PACKAGES = ("annotation", "builders", "eval", "leaderboard", "retrievers")


@pytest.mark.parametrize("name", mldr.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(mldr, name) is not None
    assert name in dir(mldr)


def test_the_names_of_a_package_are_still_right_after_everything_is_imported(tmp_path: Path) -> None:
    code = (
        "import pkgutil, importlib, types, mldr\n"
        "for found in pkgutil.walk_packages(mldr.__path__, 'mldr.'): importlib.import_module(found.name)\n"
        "for package in ('mldr', 'mldr.annotation', 'mldr.builders', 'mldr.eval', 'mldr.leaderboard', 'mldr.retrievers'):\n"
        "    module = importlib.import_module(package)\n"
        "    for name in getattr(module, '__all__', ()):\n"
        "        if isinstance(getattr(module, name), types.ModuleType): print(package, name)\n"
    )
    assert python(code, tmp_path) == ""


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        mldr.nothing  # noqa: B018


def test_importing_mldr_imports_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, mldr; print(mldr.__version__, *(name.partition('.')[0] for name in sys.modules))"
    found, *modules = python(code, tmp_path).split()
    heavy = {"pyarrow", "typer", "torch", "pandas", "numpy", "datasets", "pydantic", "PIL", "rich", "huggingface_hub"}
    assert found == mldr.__version__
    assert not heavy & set(modules)


def test_importing_everything_leaves_no_bare_module_names(tmp_path: Path) -> None:
    code = (
        "import pkgutil, importlib, sys, mldr\n"
        "for found in pkgutil.walk_packages(mldr.__path__, 'mldr.'): importlib.import_module(found.name)\n"
        "print(*sys.modules, sep='\\n')\n"
    )
    modules = python(code, tmp_path).split("\n")
    assert {f"mldr.{name}" for name in PACKAGES} <= set(modules)
    assert [name for name in modules if name.partition(".")[0] in PACKAGES] == []


def test_the_version_is_the_one_that_was_installed() -> None:
    assert mldr.__version__ == version("mldr")
    found = shaping_versions()
    assert found["mldr"] == mldr.__version__
    assert found["pyarrow"] == version("pyarrow")
    assert set(found) == {"mldr", "numpy", "pillow", "pyarrow"}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_link_leads_to_its_folder_in_the_checkout(name: str) -> None:
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / "pyproject.toml").is_file() or not (checkout / "mldr").is_dir():
        pytest.skip(f"{checkout} is not a checkout: the tests run against an installed mldr")
    link = checkout / "mldr" / name
    assert link.is_symlink()
    assert link.readlink() == Path("..") / name
    assert link.resolve() == checkout / name
    assert (checkout / name / "__init__.py").is_file()
    assert not (checkout / name).is_symlink()
