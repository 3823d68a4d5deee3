"""ms-swift JSON: a list of records in the schema that the papers' released code reads, one record a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mldr.export.examples import Example
from mldr.files import written_whole
from mldr.formats import format_line
from mldr.markup import IMAGE_SLOT, ImageSlot


def write_swift(path: Path, examples: Iterable[Example], files: Mapping[str, str]) -> int:
    """Write examples to one file; return how many there were.

    Args:
        path: the JSON file.
        examples: in the order of the file.
        files: image_key -> path, relative to the folder in which training starts.
    """
    rows = 0
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write("[")
        for example in examples:
            record = json.dumps(swift_record(example, files), sort_keys=True, ensure_ascii=False)
            stream.write(f"{',' if rows else ''}\n{record}")
            rows += 1
        stream.write("\n]\n")
    return rows


def swift_record(example: Example, files: Mapping[str, str]) -> dict[str, Any]:
    """Return the record of an example.

    `format` says that texts are escaped (`mldr.markup.escape`): whoever reads them back must know, as that chats are real
    (`origin`). ms-swift passes over both.
    """
    user = "".join(IMAGE_SLOT if isinstance(part, ImageSlot) else part for part in example.user)
    messages = [{"role": "user", "content": user}, {"role": "assistant", "content": example.solution}]
    if example.prompt.system:
        messages.insert(0, {"role": "system", "content": example.prompt.system})
    return {
        "format": format_line("ms-swift"),
        "dialogue_id": example.dialogue_id,
        "origin": example.origin,
        "query_id": example.query_id,
        "images": [files[key] for key in example.image_keys],
        "messages": messages,
        "solution": example.solution,
    }
