"""Models of the real classes with a few thousand random weights, saved as folders: what they write means nothing, how does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 16_384,
    "initializer_range": 0.5,
}
VISION = {
    "depth": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_heads": 2,
    "out_hidden_size": 32,
    "patch_size": 4,
    "temporal_patch_size": 1,
}
"""Of Qwen2.5-VL and Qwen3-VL."""
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}IMAGE{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tokeniser(special: Sequence[str], **named: str) -> Any:
    """Return a tokeniser of bytes: any text in, the same text out."""
    tokenizers: Any = import_module("tokenizers")
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    fast: Any = import_module("transformers").PreTrainedTokenizerFast
    found = fast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|pad|>", **named)
    found.add_tokens([import_module("transformers").AddedToken(one, special=True) for one in special])
    return found


def _saved(folder: Path, model: Any, tokens: Any, images: Any, template: str, **processor: Any) -> Path:
    model.generation_config.eos_token_id = tokens.eos_token_id
    model.save_pretrained(folder)
    tokens.chat_template = template
    tokens.save_pretrained(folder)
    if images is not None:
        images.save_pretrained(folder)
    if processor:
        (folder / "processor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


def _qwen(folder: Path, family: str, config: Any, model: str, **vision: Any) -> Path:
    torch, transformers = import_module("torch"), import_module("transformers")
    torch.manual_seed(0)
    tokens = tokeniser(
        ["<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    )
    ids = {
        name: tokens.convert_tokens_to_ids(f"<|{name}|>")
        for name in ("image_pad", "video_pad", "vision_start", "vision_end")
    }
    made = getattr(transformers, config)(
        text_config={
            **TEXT,
            "vocab_size": len(tokens),
            "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10_000.0},
            **({"head_dim": 8} if family == "qwen3_vl" else {}),
        },
        vision_config=vision,
        image_token_id=ids["image_pad"],
        video_token_id=ids["video_pad"],
        vision_start_token_id=ids["vision_start"],
        vision_end_token_id=ids["vision_end"],
    )
    pillow: Any = import_module("transformers.models.qwen2_vl.image_processing_pil_qwen2_vl").Qwen2VLImageProcessorPil
    images = pillow(patch_size=4, temporal_patch_size=1, merge_size=2, min_pixels=64, max_pixels=1024)
    template = CHATML.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>")
    return _saved(folder, getattr(transformers, model)(made), tokens, images, template)


def tiny_qwen2_vl(folder: Path) -> Path:
    """Save a Qwen2-VL."""
    vision = {"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "patch_size": 4, "temporal_patch_size": 1}
    return _qwen(folder, "qwen2_vl", "Qwen2VLConfig", "Qwen2VLForConditionalGeneration", **vision)


def tiny_qwen25_vl(folder: Path) -> Path:
    """Save a Qwen2.5-VL."""
    more = {"window_size": 16, "fullatt_block_indexes": [1]}
    return _qwen(folder, "qwen2_5_vl", "Qwen2_5_VLConfig", "Qwen2_5_VLForConditionalGeneration", **VISION, **more)


def tiny_qwen3_vl(folder: Path) -> Path:
    """Save a Qwen3-VL."""
    more = {"deepstack_visual_indexes": [0], "num_position_embeddings": 64}
    return _qwen(folder, "qwen3_vl", "Qwen3VLConfig", "Qwen3VLForConditionalGeneration", **VISION, **more)


def tiny_internvl(folder: Path) -> Path:
    """Save an InternVL (the classes of InternVL3-hf)."""
    torch, transformers = import_module("torch"), import_module("transformers")
    torch.manual_seed(0)
    special = ["<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>", "<video>"]
    tokens = tokeniser(special)
    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokens = tokeniser(special, extra_special_tokens=named)  # type: ignore[arg-type]
    vision = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": [16, 16],
        "patch_size": [4, 4],
    }
    text = {**TEXT, "vocab_size": len(tokens), "model_type": "qwen2"}
    config = transformers.InternVLConfig(
        vision_config=vision,
        text_config=text,
        image_token_id=tokens.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
        downsample_ratio=0.5,
    )
    pillow: Any = import_module("transformers.models.got_ocr2.image_processing_pil_got_ocr2").GotOcr2ImageProcessorPil
    images = pillow(size={"height": 16, "width": 16}, crop_to_patches=False)
    template = CHATML.replace("IMAGE", "<IMG_CONTEXT>\n")
    return _saved(
        folder, transformers.InternVLForConditionalGeneration(config), tokens, images, template, image_seq_length=4
    )


def tiny_llava(folder: Path) -> Path:
    """Save a LLaVA."""
    torch, transformers = import_module("torch"), import_module("transformers")
    torch.manual_seed(0)
    tokens = tokeniser(["<|im_start|>", "<|im_end|>", "<image>"])
    vision = {
        "model_type": "clip_vision_model",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 16,
        "patch_size": 8,
        "projection_dim": 32,
    }
    config = transformers.LlavaConfig(
        vision_config=vision,
        text_config={**TEXT, "vocab_size": len(tokens), "model_type": "llama"},
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
        image_seq_length=4,
    )
    pillow: Any = import_module("transformers.models.clip.image_processing_pil_clip").CLIPImageProcessorPil
    images = pillow(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    own = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    made = transformers.LlavaForConditionalGeneration(config)
    return _saved(folder, made, tokens, images, CHATML.replace("IMAGE", "<image>\n"), **own)


def tiny_llama(folder: Path) -> Path:
    """Save a Llama: text alone."""
    torch, transformers = import_module("torch"), import_module("transformers")
    torch.manual_seed(0)
    tokens = tokeniser(["<|im_start|>", "<|im_end|>"])
    config = transformers.LlamaConfig(**TEXT, vocab_size=len(tokens))
    template = CHATML.replace("IMAGE", "")
    return _saved(folder, transformers.LlamaForCausalLM(config), tokens, None, template)


SEEING: dict[str, Callable[[Path], Path]] = {
    "qwen2-vl": tiny_qwen2_vl,
    "qwen2.5-vl": tiny_qwen25_vl,
    "qwen3-vl": tiny_qwen3_vl,
    "internvl": tiny_internvl,
    "llava": tiny_llava,
}
