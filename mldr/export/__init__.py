"""Training files of a split: ms-swift JSON and TRL-ready Parquet, one row a query, with the same words in both."""

from __future__ import annotations

from mldr.export.examples import Example, Rendering, examples
from mldr.export.writing import Exported, export

__all__ = ["Example", "Exported", "Rendering", "examples", "export"]
