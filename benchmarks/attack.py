"""How much of a withheld split's gold somebody recovers who has only what is public. For whoever keeps the gold.

python benchmarks/attack.py PUBLIC RECIPE PRIVATE [--split test] [--no-rebuild]

PUBLIC is what `mldr dataset withhold` wrote, RECIPE the public recipe (its `secret` is ignored: an attacker has no salt),
PRIVATE the dataset with its gold. The recipe's models are not asked: an attacker rebuilds by rule.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import mldr
from mldr.builders import create, load_recipe
from mldr.builders.attack import attack, report
from mldr.builders.attack.report import Row, topics_found
from mldr.builders.reading import prepare
from mldr.builders.recipe import Recipe
from mldr.builders.settings import QuerySettings, StitchSettings, TagSettings
from mldr.errors import MldrError


def public_recipe(path: Path) -> Recipe:
    """Return the recipe as an attacker can run it: without the salt, and without models."""
    recipe = load_recipe(path)
    bare = {
        "secret": False,
        "models": {},
        "verify": None,
        "stitch": StitchSettings(interleave=recipe.stitch.interleave),
        "tag": TagSettings(),
        "queries": QuerySettings(
            **{**recipe.queries.model_dump(exclude={"model", "kinds"}), "kinds": recipe.queries.kinds}
        ),
    }
    return recipe.model_copy(update=bare)


def shown(row: Row) -> str:
    values = (row.exact, row.exact_answerable, row.joint_f1, row.joint_f1_macro)
    cells = ["-" if value is None else f"{100 * value:6.2f}" for value in values]
    return f"{row.name:<9}{row.answered:>9,}" + "".join(f"{cell:>12}" for cell in cells)


def main() -> None:
    """Attack, and print a small table; exit 1 for input that does not fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("public", type=Path)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("private", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--no-rebuild", action="store_true", help="trace only")
    given = parser.parse_args()
    try:
        attacked(given)
    except MldrError as error:
        sys.exit(str(error))


def attacked(given: argparse.Namespace) -> None:
    """Attack, and print a small table.

    Raises:
        MldrError: for input that does not fit.
    """
    recipe = public_recipe(given.recipe)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        start = time.perf_counter()
        prepared = prepare(recipe, given.recipe.parent, work / "sources")
        rebuild = None if given.no_rebuild else mldr.load(create(recipe, given.recipe.parent, work / "rebuild"))
        found = attack(mldr.load(given.public), given.split, prepared.spool, rebuild)
        seconds = time.perf_counter() - start
        private = mldr.load(given.private)
        print(f"{'':<9}{'answers':>9}{'exact %':>12}{'of answ. %':>12}{'F1 micro':>12}{'F1 macro':>12}")
        for row in report(found, private):
            print(shown(row))
        traced = sum(len(trace.utterances) for trace in found.traces.values())
        said = sum(len(dialogue.utterances) for dialogue in private.dialogues(given.split))
        print(f"utterances traced to a public source: {traced:,} of {said:,}")
        print(f"topics put together, mean Jaccard: {topics_found(found, private):.3f}")
        print(f"dialogue ids that the rebuild has too: {found.ids_rebuilt:,} of {len(found.traces):,}")
        print(f"the rebuild has the published gold hash: {'yes' if found.hash_rebuilt else 'no'}")
        print(f"seconds, sources and rebuild included: {seconds:.1f}")


if __name__ == "__main__":
    main()
