"""The gold of one split, read once: what each query's answer is, and the universe that it is chosen from."""

from __future__ import annotations

from dataclasses import dataclass

from mldr.dataset import Dataset
from mldr.dialogue import Dialogue, Gold, Kind
from mldr.errors import Faults, MldrError
from mldr.manifest import gold_hash
from mldr.verify import gold_faults


@dataclass(frozen=True, slots=True)
class Asked:
    """One query as scoring sees it."""

    query_id: str
    cluster_id: str
    kind: Kind
    n_utterances: int
    n_images: int
    textless: frozenset[int]
    gold_utterances: frozenset[int]
    gold_images: frozenset[int]

    @property
    def utterance_universe(self) -> int:
        """The number of utterances with text."""
        return self.n_utterances - len(self.textless)


@dataclass(frozen=True, slots=True)
class GoldSet:
    """The queries of a split by id, in the order of the dataset."""

    dataset_name: str
    split: str
    gold_hash: str
    asked: dict[str, Asked]

    @property
    def n_clusters(self) -> int:
        """The number of clusters that the queries come from."""
        return len({asked.cluster_id for asked in self.asked.values()})


def read_gold(dataset: Dataset, split: str) -> GoldSet:
    """Return the gold of a split.

    Raises:
        MldrError: if its gold is withheld, or the tables do not fit one another.
        InputError: with each id in the gold that its dialogue does not have.
    """
    if not dataset.has_gold(split):
        raise MldrError(f"{dataset.folder}: the gold of {split} is withheld, so nothing can be scored against it here")
    faults = Faults()
    asked: dict[str, Asked] = {}
    hashed: list[tuple[Gold, Dialogue]] = []
    for group in dataset.asked(split):
        dialogue = group.dialogue
        textless = frozenset(dialogue.textless_ids)
        for gold in group.gold:
            for message in gold_faults(gold, dialogue):
                faults.add(f"{dataset.folder}, gold of {split}, query {gold.query_id}", message)
            if gold.query_id in asked:
                faults.add(f"{dataset.folder}, gold of {split}, query {gold.query_id}", "stands twice")
            hashed.append((gold, dialogue))
            asked[gold.query_id] = Asked(
                query_id=gold.query_id,
                cluster_id=dialogue.cluster_id,
                kind=gold.kind,
                n_utterances=dialogue.n_utterances,
                n_images=dialogue.n_images,
                textless=textless,
                gold_utterances=frozenset(gold.utterance_ids),
                gold_images=frozenset(gold.image_ids),
            )
    faults.check()
    return GoldSet(dataset.name, split, gold_hash(hashed), asked)


def read_query_ids(dataset: Dataset, split: str) -> set[str]:
    """Return the query ids of a split, for validation without gold."""
    return set(dataset.arrow("queries", split, ["query_id"]).column("query_id").to_pylist())
