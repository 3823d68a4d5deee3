"""A server that answers as a very small model would: with what shares a word with the query. For tests."""

from __future__ import annotations

import json
import re
from typing import Any

from mldr.markup import parse
from mldr.tokens import tokens

_QUERY = re.compile(r"<\|query_start\|>(.*?)<\|query_end\|>", re.DOTALL)


def prompt_text(messages: list[dict[str, Any]]) -> str:
    """Return the user message as one text, `<image>` for each picture."""
    content = messages[-1]["content"]
    if isinstance(content, str):
        return content
    return "".join(part["text"] if part["type"] == "text" else "<image>" for part in content)


def by_shared_words(messages: list[dict[str, Any]], schema: dict[str, Any] | None) -> str:
    """Return the utterances that share a word with the query, and the images that they carry, as JSON."""
    text = prompt_text(messages)
    wanted = set(tokens(_QUERY.findall(text)[-1]))
    lines = [line for line in text.split("\n") if line.startswith("<|utt_id_start|>")]
    found = [line for line in parse("\n".join(lines)) if wanted & set(tokens(line.text))]
    images = [image_id for line in found for image_id in line.image_ids]
    return json.dumps({"utterance_ids": [line.utterance_id for line in found], "image_ids": images})
