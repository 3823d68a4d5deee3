"""DialogCC: text dialogues into which images of CC3M were aligned (Lee et al., NAACL 2024, arXiv 2212.04119).

Layout: the card of passing2961/dialogcc on the Hugging Face Hub, whose files are train.json, valid.json and test.json, and Parquet
by the Hub's converter: {dialogue_id, dialogue: [{utterance_idx, utterance, speaker, rationale, shared_image: [{image_url,
caption}], description}], split}. dialogue_id is `<origin>:<number>`, counted anew in each split.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

from mldr.builders.sources.corpus import PUBLISHED, Corpus, Told, checked, without_silence
from mldr.builders.sources.listing import Record
from mldr.builders.sources.located import CorpusImage
from mldr.builders.sources.neutral import NeutralTurn
from mldr.builders.sources.parquet import Inside
from mldr.builders.sources.record import Reading

FURTHER = "further images aligned to one utterance, left out"


class _Shared(BaseModel):
    model_config = PUBLISHED

    image_url: str = ""
    caption: str | None = None
    image_path: str = ""
    image: Inside | None = None


class _Utterance(BaseModel):
    model_config = PUBLISHED

    utterance: str | None
    speaker: str | int
    shared_image: list[_Shared] | None = Field(default_factory=list)


class _Chat(BaseModel):
    model_config = PUBLISHED

    dialogue_id: str | int
    dialogue: list[_Utterance]


class DialogCCSource(Corpus):
    """Reads DialogCC. The images of one utterance are alternatives for one sharing moment; the first, best-aligned one is kept.

    Images are urls; pictures inside a Parquet file (`image`) and, with a folder of `images`, files (`image_path`) are used too.
    """

    layout = "a DialogCC dialogue (dialogue_id, dialogue: [{utterance, speaker, shared_image}])"
    licence = "CC-BY-NC-SA-4.0"
    attribution = "DialogCC (Lee et al., NAACL 2024)"

    def told(self, record: Record, file: Path, reading: Reading) -> Iterator[Told]:
        """Yield the dialogue of a record."""
        chat = checked(_Chat, record, reading)
        if chat is None:
            return
        told = Told(str(chat.dialogue_id))
        turns = []
        further = 0
        for position, said in enumerate(chat.dialogue):
            shared = said.shared_image or []
            if any(not (image.image_url or image.image_path or image.image) for image in shared):
                place = f"{record.place}.dialogue[{position}].shared_image"
                reading.faults.add(place, "an image has neither image_url nor image_path nor image")
                return
            further += max(0, len(shared) - 1)
            image = _image(shared[0]) if shared else None
            turns.append(NeutralTurn(speaker=str(said.speaker), text=said.utterance or "", image=image))
        if further:
            reading.counts[FURTHER] += further
            told.changes.append("one image kept of several aligned to an utterance")
        told.turns = without_silence(turns, reading, told.changes)
        yield told


def _image(shared: _Shared) -> CorpusImage:
    names = (shared.image_path,) if shared.image_path else ()
    identifier = "" if shared.image_url else shared.image_path
    return CorpusImage(
        id=identifier, url=shared.image_url, caption=shared.caption or "", names=names, held=shared.image
    )
