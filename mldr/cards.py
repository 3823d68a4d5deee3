"""The YAML front of a dataset card: what the Hub reads, the same for every kind of dataset."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from mldr.dataset import Dataset
from mldr.tables import TABLES, card_features


def front_matter(dataset: Dataset, languages: Iterable[str]) -> str:
    """Return the YAML between the `---` lines of a card: configs, data files by split, features.

    Args:
        dataset: a written dataset with its manifest.
        languages: of its dialogues, in any order.
    """
    configs: list[dict[str, Any]] = []
    described: list[dict[str, Any]] = []
    for table in TABLES:
        splits = [split for split in dataset.splits if dataset.files(table, split)]
        if splits:
            files = [{"split": split, "path": f"{table}/{split}-*.parquet"} for split in splits]
            configs.append({"config_name": table, "data_files": files})
            described.append({"config_name": table, "features": card_features(table)})
    document = {
        "pretty_name": dataset.name,
        "language": sorted(set(languages)),
        "license": "other",
        "license_name": "see-sources-and-licences",
        "tags": ["mldr", "fine-grained-fragment-retrieval", "multimodal", "dialogue"],
        "configs": configs,
        "dataset_info": described,
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
