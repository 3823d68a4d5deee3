"""Models of a few thousand random weights in the layouts of real ones, made on the spot."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

WORDS = [f"w{i}" for i in range(60)]


def tiny_tokeniser() -> Any:
    tokenizers: Any = import_module("tokenizers")
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokeniser = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokeniser.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokeniser.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    fast: Any = import_module("transformers").PreTrainedTokenizerFast
    return fast(tokenizer_object=tokeniser, model_max_length=32, **names)


def tiny_clip(folder: Path) -> Path:
    """Save a CLIP of one layer, as transformers does; its image processor does without torchvision."""
    torch, transformers = import_module("torch"), import_module("transformers")
    pillow_clip: Any = import_module("transformers.models.clip.image_processing_pil_clip")
    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 1}
    text = {**size, "vocab_size": 64, "max_position_embeddings": 32, "eos_token_id": 3, "bos_token_id": 2}
    vision = {**size, "image_size": 16, "patch_size": 8}
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)
    transformers.CLIPModel(config).save_pretrained(folder)
    processor = pillow_clip.CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    transformers.CLIPProcessor(processor, tiny_tokeniser()).save_pretrained(folder)
    return folder
