"""Writes what docs/ holds of the code: the JSON Schemas. With --check, says what is out of date and exits 1."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mldr.annotation.readers import neutral_lines
from mldr.builders.recipe import Recipe
from mldr.eval import prediction
from mldr.eval.scores import Scores
from mldr.manifest import Manifest
from mldr.tables import TABLES, json_schema

SCHEMAS = Path(__file__).parent / "schemas"


def schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the JSON Schema of everything that mldr reads or writes."""
    for table in TABLES:
        yield f"dataset-{table}", json_schema(table)
    yield "prediction", prediction.json_schema()
    yield "chat", neutral_lines.json_schema()
    yield "recipe", Recipe.model_json_schema()
    yield "scores", Scores.model_json_schema()
    yield "manifest", Manifest.model_json_schema()


def main() -> int:
    """Write the schemas, or compare them."""
    stale = []
    for name, schema in schemas():
        path = SCHEMAS / f"{name}.schema.json"
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        if "--check" not in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        sys.stderr.write(f"out of date, run docs/generate.py: {', '.join(stale)}\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
