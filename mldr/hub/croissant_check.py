"""Whether a Croissant description holds: its parts refer to one another, and to files and columns that are there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

from mldr.errors import Faults
from mldr.files import parse_json
from mldr.hub.croissant import CONFORMS_TO, CROISSANT_FILE, described
from mldr.tables import TABLES, arrow_schema

_NEEDED = ("@context", "@type", "conformsTo", "name", "description", "url", "license", "distribution", "recordSet")
_TYPES = {"sc:Text", "sc:Integer", "sc:Boolean", "sc:DateTime", "sc:ImageObject", "cr:Split"}


def check_croissant(text: str, files: list[str]) -> None:
    """Check the text of `croissant.json` against the paths of the files that it describes.

    This covers the structure: names, references, patterns, columns. The reference implementation (`mlcroissant`) reads more of
    the specification; the tests run it where it is installed.

    Raises:
        InputError: with everything that does not hold.
    """
    faults = Faults()
    try:
        document = parse_json(text)
    except ValueError as error:
        faults.add(CROISSANT_FILE, str(error))
        faults.check()
    for name in _NEEDED:
        if not isinstance(document, dict) or not document.get(name):
            faults.add(CROISSANT_FILE, f"lacks {name!r}")
    faults.check()
    if document["conformsTo"] != CONFORMS_TO:
        faults.add(f"{CROISSANT_FILE}, conformsTo", f"is {document['conformsTo']!r}; {CONFORMS_TO!r} is expected")
    _check_references(document, faults)
    _check_files(document, files, faults)
    _check_columns(document, faults)
    faults.check()


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def _check_references(document: dict[str, Any], faults: Faults) -> None:
    nodes = list(_nodes({key: value for key, value in document.items() if key != "@context"}))
    names = Counter(node["@id"] for node in nodes if "@id" in node and "@type" in node)
    for name, count in sorted(names.items()):
        if count > 1:
            faults.add(f"{CROISSANT_FILE}, {name}", "is the @id of two parts")
    for name in sorted({node["@id"] for node in nodes if set(node) == {"@id"}} - set(names)):
        faults.add(f"{CROISSANT_FILE}, {name}", "is referred to and not described")
    for node in nodes:
        if "dataType" in node and node["dataType"] not in _TYPES:
            faults.add(f"{CROISSANT_FILE}, {node.get('@id', '')}", f"dataType is {node['dataType']!r}")


def _check_files(document: dict[str, Any], files: list[str], faults: Faults) -> None:
    shards = {name for name in files if name.endswith(".parquet")}
    described_files: set[str] = set()
    for one in document["distribution"]:
        pattern = one.get("includes")
        if pattern:
            found = {name for name in shards if fnmatch(name, pattern)}
            described_files |= found
            if not found:
                faults.add(f"{CROISSANT_FILE}, {one['@id']}", f"no file fits {pattern!r}")
    for name in sorted(shards - described_files):
        faults.add(CROISSANT_FILE, f"does not describe {name}")
    for node in _nodes(document["recordSet"]):
        regex = node.get("transform", {}).get("regex") if isinstance(node.get("transform"), dict) else None
        if not isinstance(regex, str):
            continue
        table = str(node.get("fileSet", {}).get("@id", "")).removesuffix("-files")
        for name in sorted(shards):
            if name.startswith(f"{table}/") and not re.search(regex, name):
                faults.add(f"{CROISSANT_FILE}, {table}/split", f"the split of {name} cannot be told by {regex!r}")


def _check_columns(document: dict[str, Any], faults: Faults) -> None:
    promised = described(document)
    for table in TABLES:
        for column in sorted(promised.get(table, set()) ^ set(arrow_schema(table).names)):
            if table in promised:
                faults.add(f"{CROISSANT_FILE}, {table}/{column}", "is not both in the description and in the table")
