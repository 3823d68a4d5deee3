"""One dialogue for a person: as text, or as a page of chat bubbles."""

from __future__ import annotations

from pathlib import Path

from mldr.dataset import Asked, Dataset
from mldr.dialogue import Dialogue
from mldr.errors import MldrError
from mldr.files import write_text
from mldr.html import bubbles, page, tag
from mldr.markup import escape

_JOINER = "\u200d"
"""Holds family emoji together; other invisible characters could reorder what a terminal shows."""
STYLE = """body { font: 16px/1.5 system-ui, sans-serif; background: #f4f6fa; margin: 0; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; }
.chat { list-style: none; padding: 0; display: flex; flex-direction: column; gap: .5rem; }
.bubble { max-width: 80%; } .right { align-self: flex-end; }
.bubble p { margin: 0; padding: .45rem .75rem; border-radius: .8rem; background: #fff;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.right p { background: #dcebff; } .who, figcaption { color: #5b6474; font-size: .75rem; } figure { margin: .2rem 0; }
figure img { max-width: 100%; height: auto; border-radius: .4rem; }
"""


def shown_text(dataset: Dataset, dialogue_id: str) -> str:
    """Return a dialogue with its queries as lines of text.

    Raises:
        MldrError: if the dataset has no such dialogue.
    """
    found = _find(dataset, dialogue_id)
    dialogue = found.dialogue
    lines = [f"{dialogue_id} · {dialogue.language} · {dialogue.origin} · cluster {dialogue.cluster_id}"]
    for index, utterance in enumerate(dialogue.utterances):
        images = "".join(f" [image {i}: {escape(dialogue.images[i].caption)}]" for i in utterance.image_ids)
        lines.append(f"{index:>4} {escape(utterance.speaker)}: {escape(utterance.text)}{images}")
    for position, query in enumerate(found.queries):
        lines.append(f"   ? {escape(query.text)}  ({query.query_id})")
        if found.gold:
            gold = found.gold[position]
            lines.append(f"     {gold.kind}: utterances {list(gold.utterance_ids)}, images {list(gold.image_ids)}")
    return "\n".join("".join(c if c.isprintable() or c == _JOINER else "�" for c in line) for line in lines)


def shown_html(dataset: Dataset, dialogue_id: str, out: Path, *, force: bool = False) -> None:
    """Write a dialogue as a self-contained page.

    Raises:
        MldrError: if the dataset has no such dialogue, or `out` exists and `force` is not given.
    """
    if out.exists() and not force:
        raise MldrError(f"{out} exists; replace it with --force")
    dialogue = _find(dataset, dialogue_id).dialogue
    images = {image.image_key: dataset.image_or_missing(image.image_key) for image in dialogue.images}
    body = tag("main", tag("h1", dialogue_id), bubbles(dialogue, images))
    write_text(out, page(dialogue_id, _page_language(dialogue), STYLE, body))


def _find(dataset: Dataset, dialogue_id: str) -> Asked:
    for split in dataset.splits:
        for asked in dataset.asked(split):
            if asked.dialogue.dialogue_id == dialogue_id:
                return asked
    some = next((dialogue.dialogue_id for split in dataset.splits for dialogue in dataset.dialogues(split)), "")
    raise MldrError(f"no dialogue {dialogue_id!r} in {dataset.folder}" + (f"; there is {some!r}, say" if some else ""))


def _page_language(dialogue: Dialogue) -> str:
    return "zh" if dialogue.language == "zh" else "en"
