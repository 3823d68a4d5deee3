"""Queries a second of a local vision language model that reads a dialogue once for its queries, against one full prompt a query.

    python benchmarks/prefix.py [--queries 8] [--turns 25,75] [--layers 12] [--tokens 16] [--runs 3]

The model is a Qwen2.5-VL of the real class with random weights (what it writes means nothing, what it costs does): by default 12
layers of width 512 and a vision tower of 4. Dialogues have an image every eight utterances. Both ways write the same tokens, which
is checked. Repeated runs alternate between the two ways; medians are printed.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from mldr.retrievers import Ask, DialogueView, ViewImage, ViewUtterance
from mldr.retrievers.protocol import Run
from mldr.retrievers.vlm.local.system import VlmLocal
from tests.retrievers.vlm.tiny_models import tiny_qwen25_vl

WORDS = ("lake", "cold", "clear", "we", "swam", "until", "sunset", "behind", "that", "old", "printer", "again", "soon")


def dialogue(turns: int, side: int) -> DialogueView:
    """Return a dialogue of `turns` utterances, an image every eight, each image `side` pixels square."""
    from PIL import Image

    utterances: list[ViewUtterance] = []
    images: list[ViewImage] = []
    for turn in range(turns):
        text = " ".join(WORDS[(turn * 5 + i) % len(WORDS)] for i in range(6 + turn % 7))
        own = (len(images),) if turn % 8 == 0 else ()
        if own:
            buffer = io.BytesIO()
            Image.effect_noise((side, side), 40 + turn).convert("RGB").save(buffer, "PNG")
            images.append(ViewImage(content=buffer.getvalue(), media_type="image/png"))
        utterances.append(ViewUtterance(f"user{turn % 2 + 1}", text, own))
    return DialogueView("en", tuple(utterances), tuple(images))


def model_of(folder: Path, layers: int, width: int) -> Path:
    """Save a Qwen2.5-VL that is large enough for its reading to matter on a CPU."""
    torch, transformers = import_module("torch"), import_module("transformers")
    tiny_qwen25_vl(folder)
    config: Any = transformers.AutoConfig.from_pretrained(folder)
    text, vision = config.text_config, config.vision_config
    text.num_hidden_layers, text.hidden_size, text.intermediate_size = layers, width, 4 * width
    text.num_attention_heads, text.num_key_value_heads = width // 64, max(1, width // 256)
    text.rope_parameters = {**text.rope_parameters, "mrope_section": [8, 12, 12]}
    text.layer_types = ["full_attention"] * layers
    text.initializer_range = 0.02
    vision.depth, vision.hidden_size, vision.intermediate_size, vision.num_heads = 4, 128, 256, 4
    vision.out_hidden_size, vision.fullatt_block_indexes = width, [1, 3]
    torch.manual_seed(0)
    made = transformers.Qwen2_5_VLForConditionalGeneration(config)
    made.generation_config.eos_token_id = None
    made.save_pretrained(folder)
    return folder


def measured(retriever: VlmLocal, view: DialogueView, asks: list[Ask]) -> tuple[float, dict[str, str | None], int]:
    """Return queries a second, the answers, and the tokens of a prompt."""
    began = time.perf_counter()
    found = list(retriever.retrieve(view, asks))
    seconds = time.perf_counter() - began
    return len(asks) / seconds, {p.query_id: p.response for p in found}, int(json.loads(found[0].meta)["tokens_in"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=8)
    parser.add_argument("--turns", default="25,75")
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--side", type=int, default=128, help="pixels of a side of an image")
    parser.add_argument("--tokens", type=int, default=16)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    torch = import_module("torch")
    with tempfile.TemporaryDirectory() as scratch:
        folder = model_of(Path(scratch) / "model", given.layers, given.width)
        ways = {}
        for share in (True, False):
            ways[share] = VlmLocal(
                str(folder), share_prefix=share, batch=given.queries, max_tokens=given.tokens, device=given.device
            )
            ways[share].open(Run(Path(scratch) / "p.jsonl"))
        weights = sum(one.numel() for one in ways[True].generator.loaded.model.parameters())  # type: ignore[attr-defined]
        place = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
        print(
            f"Qwen2.5-VL of {given.layers} layers, {weights / 1e6:.0f} M random weights, {place}; {given.tokens} tokens an answer"
        )
        for turns in map(int, given.turns.split(",")):
            view = dialogue(turns, given.side)
            asks = [
                Ask(f"q{i}", f"where did we {WORDS[i]} by the {WORDS[-i - 1]}?", "en") for i in range(given.queries)
            ]
            rates: dict[bool, list[float]] = {True: [], False: []}
            answers: dict[bool, dict[str, str | None]] = {}
            tokens = 0
            for share in (True, False):  # once unmeasured
                measured(ways[share], replace(view, utterances=view.utterances[:1], images=view.images[:1]), asks[:2])
            for _ in range(given.runs):
                for share in (True, False):
                    rate, answers[share], tokens = measured(ways[share], view, asks)
                    rates[share].append(rate)
            if answers[True] != answers[False]:
                raise SystemExit(f"{turns} utterances: the two ways wrote different tokens")
            shared, whole = statistics.median(rates[True]), statistics.median(rates[False])
            print(
                f"{turns} utterances, {len(view.images)} images, {tokens:,} tokens, {given.queries} queries: "
                f"{shared:.2f} queries/s shared, {whole:.2f} one prompt a query; {shared / whole:.2f} x, the same tokens"
            )


if __name__ == "__main__":
    main()
