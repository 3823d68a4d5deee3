"""Visual Dialog: ten questions and answers about one picture (Das et al., CVPR 2017, arXiv 1611.08669), in three layouts.

ChatIR (levymsn/ChatIR): a list of {img, dialog: [caption, "question? answer" x 10]}. Official v1.0 (visualdialog.org/data): one
object {split, data: {questions: [text], answers: [text], dialogs: [{image_id, caption, dialog: [{question, answer}]}]}}, where
question and answer are positions. Hub (HuggingFaceM4/VisDial): Parquet of {caption, dialog: [[question, answer]], image_path,
image}.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from mldr.builders.sources.corpus import PUBLISHED, Corpus, OtherLayout, Told, checked, without_silence
from mldr.builders.sources.listing import Record
from mldr.builders.sources.located import CorpusImage
from mldr.builders.sources.neutral import NeutralTurn
from mldr.builders.sources.parquet import Inside
from mldr.builders.sources.record import Reading

ASKS, ANSWERS = "questioner", "answerer"
UNSPLIT = "turns without a question mark, kept whole"


class _ChatIR(BaseModel):
    model_config = PUBLISHED

    img: str
    dialog: list[str]


class _Pairs(BaseModel):
    model_config = PUBLISHED

    caption: str
    dialog: list[list[str]]
    image_path: str = ""
    image: Inside | None = None


class _Round(BaseModel):
    model_config = PUBLISHED

    question: int = Field(ge=0)
    answer: int | None = Field(default=None, ge=0)


class _Official(BaseModel):
    model_config = PUBLISHED

    image_id: int
    caption: str
    dialog: list[_Round]


class VisDialSource(Corpus):
    """Reads Visual Dialog: the picture goes with the first question, the caption stays its caption.

    With a folder of `images` the pictures are looked up there under the paths that the corpus names, the official ones as COCO
    and VisDial name their files.
    """

    layout = "VisDial in ChatIR's layout (img, dialog), the official one (data, split) or the Hub's (caption, dialog)"
    licence = "CC-BY-4.0"
    attribution = "Visual Dialog v1.0 (Das et al., CVPR 2017)"

    def told(self, record: Record, file: Path, reading: Reading) -> Iterator[Told]:
        """Yield the dialogue of a record, or all of an official file."""
        keys = set(record.value) if isinstance(record.value, dict) else set()
        if "data" in keys:
            yield from self._official(record, reading)
        elif "caption" in keys:
            yield from self._pairs(record, reading)
        elif (chat := checked(_ChatIR, record, reading)) is not None:
            yield self._chat_ir(chat, record, reading)

    def _chat_ir(self, chat: _ChatIR, record: Record, reading: Reading) -> Told:
        caption, *rounds = chat.dialog or [""]
        image = CorpusImage(id=chat.img, caption=caption, names=(chat.img,))
        pairs = []
        for text in rounds:
            question, mark, answer = text.partition("? ")
            if not mark:
                reading.counts[UNSPLIT] += 1
            pairs.append((question + mark.strip(), answer))
        told = _told(f"{record.index:06d}", pairs, image, reading)
        if rounds:
            told.changes.append("question and answer separated")
        return told

    def _pairs(self, record: Record, reading: Reading) -> Iterator[Told]:
        chat = checked(_Pairs, record, reading)
        if chat is None:
            return
        if any(len(pair) != 2 for pair in chat.dialog):
            reading.faults.add(f"{record.place}.dialog", "pairs of a question and an answer are expected")
            return
        image = CorpusImage(caption=chat.caption, id=chat.image_path, held=chat.image, names=_under(chat.image_path))
        yield _told(f"{record.index:06d}", [(pair[0], pair[1]) for pair in chat.dialog], image, reading)

    def _official(self, record: Record, reading: Reading) -> Iterator[Told]:
        texts = record.value["data"]
        lists = {
            key: texts.get(key) if isinstance(texts, dict) else None for key in ("questions", "answers", "dialogs")
        }
        if wrong := [key for key, value in lists.items() if not isinstance(value, list)]:
            raise OtherLayout(f"has data without the list {', '.join(wrong)}")
        questions, answers = _texts(lists, "questions", record, reading), _texts(lists, "answers", record, reading)
        split = str(record.value.get("split", ""))
        for index, value in enumerate(lists["dialogs"] or []):
            place = f"{record.place}.data.dialogs[{index}]"
            chat = checked(_Official, Record(index, place, value), reading)
            if chat is None:
                continue
            pairs = []
            for round_ in chat.dialog:
                answer = "" if round_.answer is None else _at(answers, round_.answer, place, "answer", reading)
                pairs.append((_at(questions, round_.question, place, "question", reading), answer))
            image = CorpusImage(
                id=f"{chat.image_id:012d}", caption=chat.caption, names=_file_names(chat.image_id, split)
            )
            yield _told(f"{index:06d}", pairs, image, reading)


def _told(identifier: str, pairs: list[tuple[str, str]], image: CorpusImage, reading: Reading) -> Told:
    told = Told(identifier)
    turns = [
        NeutralTurn(speaker=speaker, text=text)
        for question, answer in pairs
        for speaker, text in ((ASKS, question), (ANSWERS, answer))
        if text or speaker == ASKS  # a question may go unanswered: the last one of the official test split does
    ]
    if turns:
        turns[0].image = image
    told.turns = without_silence(turns, reading, told.changes)
    return told


def _texts(lists: dict[str, Any], key: str, record: Record, reading: Reading) -> list[str]:
    for index, text in enumerate(lists[key]):
        if not isinstance(text, str):
            reading.faults.add(f"{record.place}.data.{key}[{index}]", "a text is expected")
            lists[key][index] = ""
    return list(lists[key])


def _at(texts: list[str], position: int, place: str, what: str, reading: Reading) -> str:
    if position < len(texts):
        return texts[position]
    reading.faults.add(place, f"{what} {position} does not exist; the file has {len(texts):,} (from 0)")
    return ""


def _under(path: str) -> tuple[str, ...]:
    return (path,) if path else ()


def _file_names(image_id: int, split: str) -> tuple[str, ...]:
    """Return where the official pictures lie: COCO's train2014 and val2014 for v1.0 train, VisDial's own for val and test."""
    number = f"{image_id:012d}.jpg"
    folders = [f"VisualDialog_{split}2018"] if split in ("val", "test") else ["train2014", "val2014"]
    names = [(f"COCO_{folder}" if folder.startswith(("train", "val")) else folder, folder) for folder in folders]
    return tuple(name for stem, folder in names for name in (f"{folder}/{stem}_{number}", f"{stem}_{number}"))
