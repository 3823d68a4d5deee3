"""The YAML at the head of a card: what the Hub and `datasets.load_dataset` read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from mldr.dataset import Dataset
from mldr.licences import Terms, licence
from mldr.summary import SplitSummary
from mldr.tables import TABLES, card_features

_HUB_TAKES = (
    "apache-2.0 mit unlicense wtfpl isc zlib bsd-2-clause bsd-3-clause mpl-2.0 gpl-2.0 gpl-3.0 gfdl cc0-1.0 cc-by-2.0 cc-by-2.5 "
    "cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 "
    "cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0 "
    "cdla-permissive-2.0 odc-by odbl pddl"
)
"""The identifiers that the Hub's `license` field takes, of those that mldr knows (its docs, "Licenses")."""

_HUB_NAMES = {
    "ODC-By-1.0": "odc-by",
    "ODbL-1.0": "odbl",
    "PDDL-1.0": "pddl",
    "GPL-2.0-only": "gpl-2.0",
    "GPL-3.0-only": "gpl-3.0",
    "GFDL-1.3-only": "gfdl",
}


def hub_licence(terms: Terms) -> dict[str, str]:
    """Return the licence fields of a card: an identifier where one licence rules, else `other` with a name that says the terms."""
    name = _HUB_NAMES.get(terms.spdx, terms.spdx.casefold())
    if name in _HUB_TAKES.split():
        return {"license": name}
    if terms.spdx:
        link = licence(terms.spdx).url
        return {"license": "other", "license_name": name, **({"license_link": link} if link else {})}
    if not terms.redistributable:
        return {"license": "other", "license_name": "not-redistributable-as-one"}
    asked = [
        word
        for word, holds in (
            ("attribution", terms.attribution),
            ("noncommercial", terms.non_commercial),
            ("no-derivatives", terms.no_derivatives),
            ("share-alike", terms.share_alike),
        )
        if holds
    ]
    return {"license": "other", "license_name": "-".join(["mixed", *(asked or ["no-conditions"])])}


def front_matter(dataset: Dataset, summaries: Mapping[str, SplitSummary], terms: Terms) -> str:
    """Return the YAML block, its fences included."""
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
        "language": sorted({language for summary in summaries.values() for language in summary.languages}),
        **hub_licence(terms),
        "tags": ["mldr", "fine-grained-fragment-retrieval", "multimodal", "dialogue"],
        "configs": configs,
        "dataset_info": described,
    }
    return f"---\n{yaml.safe_dump(document, sort_keys=False, allow_unicode=True)}---\n"
