"""What a model is told before it sees a dialogue: one versioned instruction in Chinese and English, in two orders.

The task is that of the papers (AAAI-26 "F2RVLM"): find the utterances and images of a long dialogue that answer a query, and
answer with the two lists of ids. The words are our own. Retrievers, trainers and exports all take them from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mldr.errors import Faults, MldrError, fault, first_line
from mldr.files import canonical_json, sha256_text
from mldr.markup import IMAGE_SLOT, ImageSlot, escape

Order = Literal["query_first", "dialogue_first"]
PromptLanguage = Literal["zh", "en"]
AnswerForm = Literal["tags", "json"]
"""The papers' grammar, or one JSON object for servers that are held to a schema."""

PROMPT_VERSION = 1
"""Raised whenever a word of the built-in prompts changes."""
QUERY_SLOT, DIALOGUE_SLOT = "{query}", "{dialogue}"

_SYSTEM = {
    "zh": "你负责在长对话中查找信息，对话里既有文字也有图片。",
    "en": "You find information in long dialogues that hold both text and images.",
}
_TASK = {
    "zh": (
        "请从对话中找出与查询相关的全部语句和图片。每条语句和每张图片前面都标有编号，编号从 0 开始。\n"
        "作答要求：\n"
        "1. 列出相关语句的编号和相关图片的编号；某一类没有相关内容时，该类写空列表。\n"
        "2. 只输出答案，格式与下例完全一致：{form}"
    ),
    "en": (
        "Find every utterance and every image of the dialogue that the query asks for. Each utterance and each image has its "
        "id in front of it; ids start at 0.\n"
        "How to answer:\n"
        "1. List the ids of the utterances and the ids of the images. Where nothing of a kind fits, its list is empty.\n"
        "2. Write the answer alone, exactly in the form of this example: {form}"
    ),
}
_FORM: dict[AnswerForm, str] = {
    "tags": "<|utt_ids_start|>[2, 5]<|utt_ids_end|>;<|img_ids_start|>[0]<|img_ids_end|>",
    "json": '{"utterance_ids": [2, 5], "image_ids": [0]}',
}
_QUERY = {"zh": "查询：<|query_start|>{query}<|query_end|>", "en": "Query: <|query_start|>{query}<|query_end|>"}
_DIALOGUE = {"zh": "对话：\n{dialogue}", "en": "Dialogue:\n{dialogue}"}


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system message and a user message with a slot for the query and one for the dialogue."""

    name: str
    """`mldr-1-zh-query_first`, or the file name of one's own."""
    system: str
    """'' for none."""
    user: str
    """Holds `{query}` and `{dialogue}` once each."""

    @property
    def sha256(self) -> str:
        """The identity of the words: hex SHA-256 over both messages."""
        return prompt_hash(self.system, self.user)

    def filled(self, dialogue: Iterable[str | ImageSlot], query: str) -> list[str | ImageSlot]:
        """Return the user message as text pieces and image slots.

        Args:
            dialogue: what `mldr.markup.render_parts` returned.
            query: the query's text, escaped here.
        """
        head, tail = self.user.split(DIALOGUE_SLOT)
        parts: list[str | ImageSlot] = []
        for part in (head.replace(QUERY_SLOT, escape(query)), *dialogue, tail.replace(QUERY_SLOT, escape(query))):
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] += part
            elif part:
                parts.append(part)
        return parts


def prompt_hash(system: str, user: str) -> str:
    """Return the hex SHA-256 of a system message and a user message with its slots."""
    return sha256_text(canonical_json({"system": system, "user": user}))


def prompt(language: PromptLanguage, order: Order = "query_first", answer: AnswerForm = "tags") -> Prompt:
    """Return the built-in prompt of a language.

    Args:
        language: of the instruction, usually the dialogue's.
        order: `query_first` is the papers'; `dialogue_first` lets the queries of one dialogue share one prefix.
        answer: the form that is asked for; only the example of it differs.
    """
    task = _TASK[language].replace("{form}", _FORM[answer])
    query, dialogue = _QUERY[language], _DIALOGUE[language]
    parts = [task, query, dialogue] if order == "query_first" else [task, dialogue, query]
    name = f"mldr-{PROMPT_VERSION}-{language}-{order}" + ("" if answer == "tags" else f"-{answer}")
    return Prompt(name, _SYSTEM[language], "\n\n".join(parts))


def prompt_language(language: str) -> PromptLanguage:
    """Return the language of the built-in prompt for a dialogue: Chinese for `zh`, English for all others."""
    return "zh" if language == "zh" else "en"


def load_prompt(path: Path) -> Prompt:
    """Return a prompt of one's own: a YAML file with `user` and, if wanted, `system`.

    Raises:
        MldrError: if the file cannot be read.
        InputError: with everything that is wrong with it.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MldrError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise fault(str(path), f"not YAML that can be read ({first_line(error)})") from error
    if not isinstance(document, dict) or set(document) - {"system", "user"} or "user" not in document:
        raise fault(str(path), "a prompt has the key 'user' and, if wanted, 'system', and no other")
    system, user = document.get("system") or "", document["user"]
    if not isinstance(system, str) or not isinstance(user, str):
        raise fault(str(path), "'system' and 'user' are texts")
    own = Prompt(path.stem, system, user)
    _check(own, path)
    return own


def _check(own: Prompt, path: Path) -> None:
    faults = Faults()
    for slot in (QUERY_SLOT, DIALOGUE_SLOT):
        if (count := own.user.count(slot)) != 1:
            faults.add(f"{path}, user", f"holds {slot} {count} times; once is expected")
    for tag in (IMAGE_SLOT, "<|utt_id_start|>", "<|img_id_start|>"):
        if tag in own.user or tag in own.system:
            faults.add(str(path), f"holds {tag}, which only the dialogue may hold")
    wrapped = f"<|query_start|>{QUERY_SLOT}<|query_end|>"
    if wrapped not in own.user:
        faults.add(f"{path}, user", f"the query stands in its tags: {wrapped}")
    if not _alone(own.user):
        faults.add(f"{path}, user", f"{DIALOGUE_SLOT} stands on a line of its own")
    faults.check()


def _alone(user: str) -> bool:
    return DIALOGUE_SLOT in user.split("\n")
