"""The folder of an lmms-eval task: `lmms-eval --include_path FOLDER --tasks mldr_ffr_test`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mldr
from mldr.errors import MldrError
from mldr.files import write_text
from mldr.retrievers.harness.lmms import metric_name
from mldr.retrievers.harness.questions import check_where
from mldr.retrievers.harness.scoring import SHOWN

_FUNCTIONS = ("doc_to_visual", "doc_to_text", "doc_to_messages", "doc_to_target", "process_results")


@dataclass(frozen=True, slots=True)
class LmmsFolder:
    """What a task folder is written for."""

    dataset: Path
    """A dataset folder; the task names it by its absolute path, so it stays where it is."""
    split: str
    sees: str = "pixels"
    order: str = "dialogue_first"
    max_new_tokens: int = 1_024
    on_this_machine: bool = False

    @property
    def task(self) -> str:
        """The name of the task."""
        return f"mldr_ffr_{self.split}"


def write_lmms_folder(wanted: LmmsFolder, out: Path, *, force: bool = False) -> list[Path]:
    """Write the two files of a task and return their paths.

    Raises:
        MldrError: if something stands there, or the split's gold is withheld.
    """
    dataset = mldr.load(wanted.dataset)
    if not dataset.has_gold(wanted.split):
        raise MldrError(f"{dataset.folder}: the gold of {wanted.split!r} is withheld, so a harness cannot score it")
    check_where(dataset, wanted.on_this_machine)
    folder = out / wanted.task
    files = {folder / f"{wanted.task}.yaml": _yaml(wanted, dataset), folder / "utils.py": _functions(wanted, dataset)}
    for path in files:
        if path.exists() and not force:
            raise MldrError(f"{path} exists; choose another --out, or replace it with --force")
    for path, text in files.items():
        write_text(path, text)
    return sorted(files)


def _yaml(wanted: LmmsFolder, dataset: mldr.Dataset) -> str:
    """Return the task's configuration; by hand, since its `!function` tags are no plain YAML."""
    import json

    shards = [str(path.resolve()) for path in dataset.files("queries", wanted.split)]
    lines = [
        f"task: {wanted.task}",
        "dataset_path: parquet",
        "dataset_kwargs:",
        "  data_files:",
        f"    {wanted.split}: {json.dumps(shards)}",
        f"test_split: {wanted.split}",
        "output_type: generate_until",
        *(f"{name}: !function utils.{name}" for name in _FUNCTIONS),
        "generation_kwargs:",
        f"  max_new_tokens: {wanted.max_new_tokens}",
        "  temperature: 0",
        "  do_sample: false",
        "metric_list:",
    ]
    for measure in SHOWN:
        name = metric_name(measure)
        lines += [f"  - metric: {name}", f"    aggregation: !function utils.{name}", "    higher_is_better: true"]
    version = json.dumps({"version": mldr.__version__, "gold_hash": dataset.manifest.gold_hash.get(wanted.split, "")})
    return "\n".join([*lines, f"metadata: {version}", ""])


def _functions(wanted: LmmsFolder, dataset: mldr.Dataset) -> str:
    how = {"sees": wanted.sees, "order": wanted.order}
    lines = [
        '"""Written by `mldr harness`; the prompt, the answer parser and the measures are mldr\'s."""',
        "",
        "from mldr.retrievers.harness.lmms import LmmsTask",
        "",
        f"_task = LmmsTask({str(dataset.folder.resolve())!r}, {wanted.split!r}, {how!r}, "
        f"on_this_machine={wanted.on_this_machine!r})",
        *(f"{name} = _task.{name}" for name in _FUNCTIONS),
        *(f"{metric_name(measure)} = _task.figure({measure!r})" for measure in SHOWN),
    ]
    return "\n".join([*lines, ""])
