"""`croissant.json`: the dataset described for machines in Croissant 1.0 (JSON-LD, mlcommons.org/croissant/1.0)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from mldr.card.front import hub_licence
from mldr.card.sources import held
from mldr.dataset import Dataset
from mldr.licences import licence
from mldr.tables import KEYS, TABLES, Row, Table, arrow_schema

CROISSANT_FILE = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_REPOSITORY = "repository"
_CONTEXT: Row = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_REFERENCES = {"dialogue_id": "dialogues", "query_id": "queries", "fragment_id": "fragments"}
"""Columns that name a row of another table."""
_TOLD: dict[Table, str] = {
    "dialogues": "Long multimodal dialogues: utterances in order, and the keys of the images that they carry.",
    "queries": "Queries, each asked of one dialogue; nothing about the answer.",
    "gold": "The utterance and image ids that answer a query, 0-based, and where that label comes from.",
    "fragments": "Sets of utterances and images of a dialogue that share a topic or an event.",
    "images": "Images, each once, by key; those that may not be passed on have an address or nothing in place of bytes.",
}


def croissant_text(dataset: Dataset, page: str) -> str:
    """Return the text of `croissant.json`.

    Args:
        dataset: a written dataset.
        page: the address of its page on the Hub.
    """
    return json.dumps(croissant(dataset, page), indent=2, ensure_ascii=False, sort_keys=False) + "\n"


def croissant(dataset: Dataset, page: str) -> Row:
    """Return the description as JSON-LD."""
    tables = [table for table in TABLES if any(dataset.files(table, split) for split in dataset.splits)]
    terms = held(dataset).terms
    named = hub_licence(terms)
    link = licence(terms.spdx).url if terms.spdx else named.get("license_link", "")
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": dataset.name,
        "description": (
            "A dataset of long multimodal dialogues for Fine-grained Fragment Retrieval, in the format of mldr. "
            + terms.words
        ),
        "url": page,
        "license": link or terms.spdx or named.get("license_name", named["license"]),
        "keywords": ["mldr", "fine-grained fragment retrieval", "multimodal dialogue"],
        "inLanguage": _languages(dataset),
        "isLiveDataset": False,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": _REPOSITORY,
                "name": _REPOSITORY,
                "description": "The repository on the Hub.",
                "contentUrl": f"{page}/tree/main",
                "encodingFormat": "git+https",
                "sha256": "https://github.com/mlcommons/croissant/issues/80",  # what stands for the hash of a repository
            },
            *(_file_set(table) for table in tables),
        ],
        "recordSet": [record_set for table in tables for record_set in _record_sets(dataset, table, tables)],
    }


def _languages(dataset: Dataset) -> list[str]:
    columns = (dataset.arrow("dialogues", split, ["language"]).column("language") for split in dataset.splits)
    return sorted({language for column in columns for language in column.unique().to_pylist()})


def _file_set(table: Table) -> Row:
    return {
        "@type": "cr:FileSet",
        "@id": f"{table}-files",
        "name": f"{table}-files",
        "containedIn": {"@id": _REPOSITORY},
        "encodingFormat": "application/x-parquet",
        "includes": f"{table}/*.parquet",
    }


def _record_sets(dataset: Dataset, table: Table, tables: list[Table]) -> Iterator[Row]:
    splits = [split for split in dataset.splits if dataset.files(table, split)]
    yield {
        "@type": "cr:RecordSet",
        "@id": f"{table}-splits",
        "name": f"{table}-splits",
        "dataType": "cr:Split",
        "key": {"@id": f"{table}-splits/name"},
        "field": [{"@type": "cr:Field", "@id": f"{table}-splits/name", "name": "name", "dataType": "sc:Text"}],
        "data": [{f"{table}-splits/name": split} for split in splits],
    }
    fields = [_field(table, (field.name,), field.type, tables) for field in arrow_schema(table)]
    yield {
        "@type": "cr:RecordSet",
        "@id": table,
        "name": table,
        "description": _TOLD[table],
        "key": {"@id": f"{table}/{KEYS[table]}"},
        "field": [_split_field(table), *fields],
    }


def _split_field(table: Table) -> Row:
    return {
        "@type": "cr:Field",
        "@id": f"{table}/split",
        "name": "split",
        "dataType": "sc:Text",
        "source": {
            "fileSet": {"@id": f"{table}-files"},
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": f"{table}/(\\w+)-\\d{{5}}-of-\\d{{5}}\\.parquet$"},
        },
        "references": {"field": {"@id": f"{table}-splits/name"}},
    }


def _field(table: Table, path: tuple[str, ...], kind: pa.DataType, tables: list[Table]) -> Row:
    """Return the field of a column; of a list of structs with a field for each of their members."""
    name = path[-1]
    field: Row = {"@type": "cr:Field", "@id": "/".join([table, *path]), "name": name}
    source: Row = {"fileSet": {"@id": f"{table}-files"}, "extract": {"column": path[0]}}
    if len(path) > 1:
        source["transform"] = {"jsonPath": ".".join(path[1:])}
    inner = kind
    if pa.types.is_list(kind):
        field["repeated"], inner = True, kind.value_type
    if name == "image" and pa.types.is_struct(kind):
        return {**field, "dataType": "sc:ImageObject", "source": {**source, "transform": {"jsonPath": "bytes"}}}
    if pa.types.is_struct(inner):
        field["subField"] = [_field(table, (*path, one.name), one.type, tables) for one in inner]
        return {**field, "source": source}
    field = {**field, "dataType": _data_type(inner), "source": source}
    home = _REFERENCES.get(name, "")
    if len(path) == 1 and home in tables and home != table and name != KEYS[table]:
        field["references"] = {"field": {"@id": f"{home}/{name}"}}
    return field


def _data_type(kind: pa.DataType) -> str:
    known = {"int32": "sc:Integer", "bool": "sc:Boolean", "timestamp[ms]": "sc:DateTime"}
    return known.get(str(kind), "sc:Text")


def described(document: Any) -> dict[str, set[str]]:
    """Return table -> columns that a description promises."""
    found: dict[str, set[str]] = {}
    for record_set in document["recordSet"]:
        for field in record_set["field"]:
            column = field.get("source", {}).get("extract", {}).get("column")
            if column:
                found.setdefault(record_set["@id"], set()).add(column)
    return found
