"""Reports for tests: datasets that make one, hostile ones too, and a page read back as a tree."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from PIL import Image

import mldr
from mldr.dialogue import Dialogue, DialogueImage, Gold, Query, StoredImage, Utterance
from mldr.eval import Evaluator, Prediction
from mldr.eval.compare import compare
from mldr.eval.report import ReportOptions, write_report
from mldr.eval.slices import slicings
from mldr.images import normalise
from tests.conftest import Rows, stored_picture, write_dataset

VOID = ("img", "meta", "br", "input")

ATTACKS = (
    "<script>window.hit = 1</script>",
    '"><img src=x onerror="window.hit = 1">',
    "' onmouseover='window.hit = 1",
    "</script><script>window.hit = 1</script>",
    "</title></style></textarea><svg onload=window.hit=1>",
    "<!-- <script>",
    "]]>",
    "&lt;script&gt;window.hit = 1&lt;/script&gt;",
    "javascript:window.hit=1",
    "</p></li></ol></details></main></body></html><iframe src=https://example.org></iframe>",
    "\u202e\u2028\\u003c",
)
HOSTILE = " ".join(ATTACKS)


# --- a page as a tree


@dataclass
class Node:
    """An element with what stands in it."""

    name: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    content: list[Node | str] = field(default_factory=list)

    def every(self, name: str, **attributes: str) -> list[Node]:
        """Return the elements of a name below this one, in order."""
        return [
            node
            for node in self._below()
            if node.name == name
            and all(
                node.attributes.get(key.rstrip("_").replace("_", "-")) == value for key, value in attributes.items()
            )
        ]

    def one(self, name: str, **attributes: str) -> Node:
        (found,) = self.every(name, **attributes)
        return found

    def _below(self) -> Iterator[Node]:
        for part in self.content:
            if isinstance(part, Node):
                yield part
                yield from part._below()

    @property
    def shape(self) -> list[tuple[str, list[str]]]:
        """The elements with the names of their attributes."""
        return [(node.name, [*node.attributes]) for node in self._below()]

    @property
    def all_attributes(self) -> list[tuple[str, str, str | None]]:
        return [(node.name, key, value) for node in self._below() for key, value in node.attributes.items()]

    @property
    def text(self) -> str:
        """What a reader sees: not what stands in scripts and styles."""
        hidden = ("script", "style")
        return "".join(
            part if isinstance(part, str) else "" if part.name in hidden else part.text for part in self.content
        )

    @property
    def raw(self) -> str:
        return "".join(part for part in self.content if isinstance(part, str))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack = [Node("")]

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        node = Node(name, dict(attributes))
        self.stack[-1].content.append(node)
        if name not in VOID:
            self.stack.append(node)

    def handle_endtag(self, name: str) -> None:
        assert self.stack.pop().name == name, f"</{name}> closes nothing"

    def handle_data(self, text: str) -> None:
        self.stack[-1].content.append(text)

    def handle_comment(self, text: str) -> None:
        raise AssertionError(f"a comment: {text}")


def parse(markup: str) -> Node:
    """Return a page as a tree; each element must be closed in its place."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    assert [node.name for node in reader.stack] == [""], "elements are left open"
    return reader.stack[0]


# --- reports

Answers = Mapping[str, tuple[Sequence[int], Sequence[int]]]
"""query_id -> utterance ids, image ids."""


def predictions_of(answers: Answers) -> dict[str, Prediction]:
    return {name: Prediction(name, tuple(utt), tuple(img)) for name, (utt, img) in answers.items()}


def report_of(
    dataset: mldr.Dataset,
    out: Path,
    systems: Mapping[str, Answers],
    *,
    by: Sequence[str] = ("kind",),
    options: ReportOptions | None = None,
) -> str:
    """Write a report on split `test` and return its text."""
    evaluator = Evaluator(dataset, "test")
    given = {name: predictions_of(answers) for name, answers in systems.items()}
    slices = slicings(evaluator.gold, by)
    scores = {name: evaluator.score(one, by=slices, resamples=50) for name, one in given.items()}
    comparison = compare(evaluator, given, resamples=50, permutations=50) if len(given) > 1 else None
    write_report(dataset, evaluator, given, scores, out, comparison, options or ReportOptions())
    return out.read_text(encoding="utf-8")


def store_of(page: Node) -> dict[str, str]:
    """Return the pictures that a page carries: key -> data URI."""
    found = json.loads(page.one("script", id="pictures").raw)
    assert isinstance(found, dict)
    return found


def sections(page: Node) -> list[Node]:
    """Return the queries of a page, in order."""
    return page.one("div", id="queries").every("details")


# --- datasets


def noise(seed: int, size: int = 200) -> StoredImage:
    """Return a picture that no encoder can make small."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
    clean = normalise(buffer.getvalue())
    return StoredImage(
        clean.image_key,
        "present",
        content=clean.content,
        width=clean.width,
        height=clean.height,
        media_type=clean.media_type,
        source="tests",
    )


def pictured_dataset(folder: Path, n_dialogues: int, images: Sequence[StoredImage], each: int = 1) -> mldr.Dataset:
    """Write a dataset whose dialogues carry `each` of the images in turn; a query each, whose gold is utterance 0 and image 0."""
    rows: Rows = {"dialogues": [], "queries": [], "gold": [], "fragments": [], "images": list(images)}
    for number in range(n_dialogues):
        own = [images[(number * each + position) % len(images)] for position in range(each)]
        utterances = (
            *(Utterance(f"p{i % 2}", f"dialogue {number} says word{i}", (i,)) for i in range(each)),
            Utterance("p1", "no more"),
        )
        name = f"{number:016x}"
        pictures = tuple(DialogueImage(image.image_key, f"picture {i}") for i, image in enumerate(own))
        rows["dialogues"].append(Dialogue(name, "en", "stitched", f"cluster{number}", utterances, pictures))
        rows["queries"].append(Query(f"{name}-00000000", name, "en", f"query {number}"))
        rows["gold"].append(Gold(f"{name}-00000000", f"f{number}", "fine", (0,), (0,)))
    return write_dataset(folder, {"test": rows})


def spoken_dataset(
    folder: Path,
    words: str = "mild",
    *,
    key: str = "ref:mild",
    language: str = "en",
    name: str = "mldr-ffr-tests",
    n_images: int = 2,
) -> mldr.Dataset:
    """Write a dataset of one dialogue in which everything that can be said says the same words.

    Query 0 asks for utterances 0 and 1 and image 0, query 1 is a negative. Image 0 has pixels, image 1 has none.
    """
    image, bare = stored_picture("red"), StoredImage(key, "url_only", url="https://example.org/a.png", source=words)
    utterances = (
        Utterance(words, words, (0,) if n_images else ()),
        Utterance("B", words),
        Utterance("B", "" if n_images > 1 else "end", (1,) if n_images > 1 else ()),
    )
    pictures = (DialogueImage(image.image_key, words), DialogueImage(key, words))[:n_images]
    dialogue = Dialogue("d" * 16, language, "stitched", words, utterances, pictures)
    queries = [Query(f"d-{position}", dialogue.dialogue_id, language, f"{words} {position}") for position in range(2)]
    golds = [
        Gold("d-0", "f", "fine", (0, 1), (0,) if n_images else (), label_source="model", label_model=words),
        Gold("d-1", "", "fine", negative_type="near", label_source="model", label_model="another"),
    ]
    rows: Rows = {
        "dialogues": [dialogue],
        "queries": list(queries),
        "gold": list(golds),
        "fragments": [],
        "images": [*[image, bare][:n_images]],
    }
    return write_dataset(folder, {"test": rows}, name=name)


def of_real_people(rows: Rows) -> Rows:
    """Return rows with every dialogue as one of real people."""
    real = [replace(one, origin="real") for one in rows["dialogues"] if isinstance(one, Dialogue)]
    return {**rows, "dialogues": list(real)}
