"""Models in this process that answer well, the same every time; and what tests take from them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from mldr import markup
from mldr.builders.plan import PlanRow
from mldr.builders.rulequery import RuleQueries
from mldr.builders.sources.record import SourceDialogue, SourceImage, SourceTag, SourceTurn
from mldr.builders.writing.context import Material, WritingContext
from mldr.chat.request import ChatAnswer, ChatRequest, Unanswered, Usage
from mldr.files import sha256_text

ANOTHER = "zeppelin"
Turned = Callable[[dict[str, Any]], Any]


def lines_of(request: ChatRequest) -> list[dict[str, Any]]:
    """Return the JSON lines of a request's first user message."""
    return [json.loads(line) for line in request.messages[1].text.splitlines() if line.startswith("{")]


def han(text: str) -> str:
    """Translate into toy Chinese: a character for each word."""
    return "".join(chr(0x4E00 + int(sha256_text(word)[:6], 16) % 3000) for word in text.split())


@dataclass
class Clerk:
    """Answers every question as a careful model would; `turns` change an answer before it is given, by schema name."""

    turns: dict[str, Turned] = field(default_factory=dict)
    refuses: Callable[[ChatRequest, int], str] = lambda request, sample: ""
    """Returns why it gives no answer, '' where it does."""
    asked: list[tuple[ChatRequest, int]] = field(default_factory=list)
    known: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """(First text of the dialogue, text of a query) -> the elements that it was written for."""
    in_flight: int = 0
    most: int = 0

    async def ask(self, request: ChatRequest, sample: int = 0, keep_failure: bool = False) -> ChatAnswer:
        """Answer as an asker does."""
        self.asked.append((request, sample))
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        for _ in range(int(sha256_text(f"{request.messages}{sample}")[:2], 16) % 7):  # answers come in any order
            await asyncio.sleep(0)
        self.in_flight -= 1
        if reason := self.refuses(request, sample):
            raise Unanswered(reason, f"no answer: {reason}")
        value = getattr(self, f"_{request.schema_name}")(request)
        if request.schema_name in self.turns:
            value = self.turns[request.schema_name](json.loads(json.dumps(value)))
        text = json.dumps(value, ensure_ascii=False)
        return ChatAnswer(json.loads(text), text, Usage(len(request.messages[1].text), len(text)), False)

    def steps(self) -> list[str]:
        """Return the schema names of what was asked, in order."""
        return [request.schema_name for request, _ in self.asked]

    def _stitched_dialogue(self, request: ChatRequest) -> dict[str, Any]:
        assert request.schema is not None
        translated = "captions" in request.schema["properties"]
        word: Callable[[str], str] = han if translated else lambda text: text
        interleaved = "taken up again" in request.messages[0].content
        blocks: dict[str, list[list[dict[str, Any]]]] = {}
        for line in lines_of(request)[1:]:
            blocks.setdefault(line["turn"][1], [[], []])[0].append(line)
        for pair in blocks.values():
            cut = len(pair[0]) // 2 if interleaved else len(pair[0])
            pair[0], pair[1] = pair[0][:cut], pair[0][cut:]
        order = [("1", 0), ("2", 0), ("1", 1), ("3", 0), ("2", 1), ("3", 1)]
        said: list[dict[str, Any]] = []
        for position, (topic, half) in enumerate(order):
            if said and blocks[topic][half]:
                bridge = word(f"by the way number {'abcdef'[position]}")
                said.append(
                    {
                        **dict(speaker=blocks[topic][half][0]["speaker"], text=bridge),
                        "images": [],
                        "from": [],
                        "topic": 0,
                    }
                )
            for line in blocks[topic][half]:
                text = word(line["text"]) + ("!" if line["text"] else "")
                images = [image["image"] for image in line.get("images", [])]
                before: dict[str, Any] = said[-1] if said else {"topic": 0}
                if before["topic"] == int(topic) and before["speaker"] == line["speaker"] and before["text"] and text:
                    before["text"] += " " + text
                    before["images"] += images
                    before["from"].append(line["turn"])
                else:
                    own = {"speaker": line["speaker"], "text": text, "images": images}
                    said.append({**own, "from": [line["turn"]] if line["text"] else [], "topic": int(topic)})
        answer: dict[str, Any] = {"utterances": said}
        if translated:
            shown = [image for line in lines_of(request)[1:] for image in line.get("images", [])]
            answer["captions"] = [{**image, "caption": han(image["caption"])} for image in shown]
        return answer

    def _tags(self, request: ChatRequest) -> dict[str, Any]:
        names = [line["element"] for line in lines_of(request) if "element" in line]
        word: Callable[[str], str] = han if "Chinese" in request.messages[0].content else lambda text: text
        tags, own = [], "".join(c for c in sha256_text(_first(request)) if c.isalpha())[:6]
        for index, name in enumerate(names):
            coarse = word(f"kitchen{own} {'ab'[2 * index // len(names)]}")
            fine = word(f"baking{own} {'abcdefghijklmnopqrstuvwxyz'[min(index, len(names) - 2) // 2 % 26]}")
            tags.append({"element": name, "coarse": coarse.title(), "fine": f" {fine} "})
            self.known.setdefault((_first(request), coarse), []).append(name)
            self.known.setdefault((_first(request), fine), []).append(name)
        return {"tags": tags}

    def _queries(self, request: ChatRequest) -> dict[str, Any]:
        word: Callable[[str], str] = han if "Chinese" in request.messages[0].content else lambda text: text
        queries = []
        for line in lines_of(request):
            if "part" in line:
                told = "".join(c for c in sha256_text(f"{request.messages[1].content}{line}") if c.isalpha())[:9]
                text = word(f"Where do they speak of q{told}")
                self.known[_first(request), text] = line["elements"]
                queries.append({"part": line["part"], "text": text})
        return {"queries": queries}

    def _wrong_details(self, request: ChatRequest) -> dict[str, Any]:
        changed = []
        for line in lines_of(request):
            if "query" in line:
                detail = line["text"][-1:] if "Chinese" in request.messages[0].content else line["text"].split()[-1]
                instead = "囧囧" if "Chinese" in request.messages[0].content else f"{ANOTHER} {detail[:0]}"
                text = line["text"][: -len(detail)] + instead
                changed.append({"query": line["query"], "detail": detail, "instead": instead, "text": text})
        return {"queries": changed}

    def _fragment(self, request: ChatRequest) -> dict[str, Any]:
        query = markup.unescape(request.messages[1].text.rsplit("\n\nThe query: ", 1)[1])
        first = next(
            one.text for one in markup.parse(request.messages[1].text[10:].split("\n\nThe query: ")[0]) if one.text
        )
        elements = self.known.get((first, query), [])
        ids = {kind: [int(name[1:]) for name in elements if name[0] == kind] for kind in "ui"}
        return {"utterance_ids": ids["u"], "image_ids": ids["i"]}


def _first(request: ChatRequest) -> str:
    return str(next(line["text"] for line in lines_of(request) if line.get("text")))


def chat(name: str, topic: str, words: str, images: tuple[str, ...] = (), language: str = "en") -> SourceDialogue:
    """Return a source dialogue that says one text a turn, `/` between; image k is on turn k; `-` is a turn without text."""
    texts = ["" if text == "-" else text for text in words.split("/")]
    return SourceDialogue(
        source_id=name,
        source="src",
        language=language,
        speakers=(f"{name} A", f"{name} B"),
        topic=topic,
        turns=tuple(
            SourceTurn((0, 0, 1, 1, 0)[i % 5], text, i if i < len(images) else None) for i, text in enumerate(texts)
        ),
        images=tuple(SourceImage(f"src/{image}", caption=f"a photo of the {image}") for image in images),
        tags=(
            SourceTag(
                "start", "fine", tuple(i for i in (0, 1) if i < len(texts) and texts[i]), (), f"how {name} starts"
            ),
        ),
        label_source="human",
        licence="MIT",
    )


BOATS = chat(
    "one",
    "boats",
    "our old sloop sails again/the mast is new/who painted the hull/I did it on sunday/lovely",
    ("sloop",),
)
BREAD = chat("two", "bread", "my sourdough rose overnight/it smells great/which flour did you take/rye from the mill")
BIKES = chat(
    "three",
    "bikes",
    "-/the chain broke uphill/did you walk home/a farmer gave me a lift/lucky you then",
    ("bike", "farm"),
)
STARS = chat(
    "four", "stars", "saturn shows its rings tonight/take the telescope outside/clouds are coming/what a shame"
)
HARBOUR = chat(
    "five", "harbour", "the ferry leaves at noon/buy tickets at the pier/is the captain around/at the lighthouse"
)
KEYS = {f"src/{name}": f"sha256:{name}" for name in ("sloop", "bike", "farm", "x", "y")}


def material(*sources: SourceDialogue, language: str = "", split: str = "test") -> Material:
    """Return a row over sources, with strangers and a neighbour."""
    told = sources or (BOATS, BREAD, BIKES)
    ids = tuple(one.source_id for one in told)
    row = PlanRow("0123456789abcdef", split, language or told[0].language, "c", ids, ("four",), ("five",))
    own = told[0].language
    return Material(row, tuple(told), (replace(STARS, language=own),), (replace(HARBOUR, language=own),))


def context(**changed: Any) -> WritingContext:
    """Return a context over the term statistics of all sources here."""
    rules = RuleQueries()
    for one in (BOATS, BREAD, BIKES, STARS, HARBOUR):
        rules.add(one)
    return WritingContext(seed=1, rules=rules, **changed)
