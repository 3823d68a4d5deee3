"""What is the same for every row of a plan, written once for all workers: settings, seeds, and the terms of each split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import overload

from mldr.builders.plan import PlanRow
from mldr.builders.planfile import RowInputs
from mldr.builders.recipe import Recipe
from mldr.builders.rulequery import RuleQueries
from mldr.builders.settings import QuerySettings, StitchSettings, TagSettings, VerifySettings
from mldr.builders.sources.record import SourceDialogue
from mldr.builders.spool import read_at
from mldr.builders.writing.context import Material, WritingContext
from mldr.files import parse_json, write_json
from mldr.identity import secret_seed


@dataclass(frozen=True, slots=True)
class Context:
    """The settings of a build, and the term statistics of `<split>/<language>`."""

    seed: int
    stitch: StitchSettings
    tag: TagSettings
    queries: QuerySettings
    verify: VerifySettings | None
    models: Mapping[str, str]
    """A model's name in the recipe -> the name by which labels call it."""
    rules: Mapping[str, RuleQueries]
    gives_up: bool = False
    """Whether a question without a usable answer is given up; else it stops the run."""
    salt: bytes = field(default=b"", repr=False)

    def of(self, row: PlanRow) -> WritingContext:
        """Return what holds for a row."""
        return WritingContext(
            seed=secret_seed(self.seed, self.salt, row.split),
            rules=self.rules.get(f"{row.split}/{row.language}", _NONE),
            stitch=self.stitch,
            tag=self.tag,
            queries=self.queries,
            verify=self.verify,
            models=self.models,
            gives_up=self.gives_up,
            salt=self.salt,
        )


_NONE = RuleQueries()
"""Of a language that no source is in: dialogues are translated into it, and nothing is asked there by rule."""


def context_of(recipe: Recipe, rules: Mapping[str, RuleQueries], salt: bytes = b"") -> Context:
    """Return the context of a recipe."""
    models = {name: endpoint.model for name, endpoint in sorted(recipe.models.items())}
    gives_up = recipe.unanswered == "give_up"
    return Context(recipe.seed, recipe.stitch, recipe.tag, recipe.queries, recipe.verify, models, rules, gives_up, salt)


def write_context(path: Path, context: Context) -> None:
    """Write a context; the file holds the salt, so it never leaves the build's own folders."""
    verify = None if context.verify is None else context.verify.model_dump()
    document = {
        "seed": context.seed,
        "stitch": context.stitch.model_dump(),
        "tag": context.tag.model_dump(),
        "queries": context.queries.model_dump(),
        "verify": verify,
        "models": dict(context.models),
        "rules": {name: rule.dump() for name, rule in sorted(context.rules.items())},
        "gives_up": context.gives_up,
        "salt": context.salt.hex(),
    }
    write_json(path, document)


def read_context(path: str) -> Context:
    """Return the context of a file; a worker reads it once, and again where another build wrote to the same place."""
    found = Path(path).stat()
    return _context(path, found.st_ino, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1)
def _context(path: str, *_: int) -> Context:
    document = parse_json(Path(path).read_bytes())
    return Context(
        seed=document["seed"],
        stitch=StitchSettings.model_validate(document["stitch"]),
        tag=TagSettings.model_validate(document["tag"]),
        queries=QuerySettings.model_validate(document["queries"]),
        verify=None if document["verify"] is None else VerifySettings.model_validate(document["verify"]),
        models=document["models"],
        rules={name: RuleQueries.restore(counts) for name, counts in document["rules"].items()},
        gives_up=document["gives_up"],
        salt=bytes.fromhex(document["salt"]),
    )


class Spooled(Sequence[SourceDialogue]):
    """Sources of a spool, each read when it is first asked for: of many strangers, most often a few are."""

    def __init__(self, ids: Sequence[str], offsets: Mapping[str, int], spool: Path) -> None:
        self._ids, self._offsets, self._spool = ids, offsets, spool
        self._read: dict[int, SourceDialogue] = {}

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> SourceDialogue: ...
    @overload
    def __getitem__(self, index: slice) -> list[SourceDialogue]: ...
    def __getitem__(self, index: int | slice) -> SourceDialogue | list[SourceDialogue]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        if position not in self._read:
            self._read[position] = read_at(self._spool, self._offsets[self._ids[position]])
        return self._read[position]


def material_of(inputs: RowInputs, spool: Path) -> Material:
    """Return a row with the sources that it names, in the spool."""
    row = inputs.row
    told, strangers, neighbours = (
        Spooled(ids, inputs.offsets, spool) for ids in (row.source_ids, row.strangers, row.neighbours)
    )
    return Material(row, tuple(told), strangers, neighbours)
