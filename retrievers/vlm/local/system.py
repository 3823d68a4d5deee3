"""`vlm-local`: a vision language model of transformers, here."""

from __future__ import annotations

from mldr.retrievers.options import check_flags, check_known, check_numbers, check_whole
from mldr.retrievers.vlm.generator import Sampling
from mldr.retrievers.vlm.local.generator import TransformersGenerator
from mldr.retrievers.vlm.local.loading import DEVICES, DTYPES, ModelSource
from mldr.retrievers.vlm.pixels import MAX_PIXELS
from mldr.retrievers.vlm.prompting import Prompting
from mldr.retrievers.vlm.retriever import VisionLanguageRetriever


class VlmLocal(VisionLanguageRetriever):
    """Runs Qwen2-VL, Qwen2.5-VL, Qwen3-VL, InternVL3, LLaVA or a text model here, through transformers.

    The queries of a dialogue share the reading of what their prompts have in common, which with `order=dialogue_first` is the whole
    dialogue. A model that reads text alone takes `sees=captions` or `sees=text`.

    Args:
        model: a folder, or a name on the Hub, which is looked for in the local cache and then downloaded.
        revision: a commit or tag of the Hub.
        adapter: a folder or name of a PEFT adapter (LoRA), merged into the weights.
        device: `auto`, `cpu` or `cuda`.
        dtype: `auto` (bfloat16 on a GPU, else float32), `float32`, `bfloat16` or `float16`.
        batch: queries at once.
        share_prefix: false reads a whole prompt for each query.
        max_tokens: of one answer.
        max_length: tokens of a prompt; a longer one ends in `api_error`. None for what the model was made for.
        temperature: 0 takes the likeliest token.
        top_p: tokens are drawn from the likeliest that together have this chance.
        seed: of the draws.
        sees: `text`, `captions` or `pixels`.
        order: `dialogue_first`, or `query_first` as the papers have it.
        language: of the instruction: `auto`, `zh` or `en`.
        prompt: `from-release`, or a YAML file.
        answer: the form that is asked for: `tags`, the papers' grammar, or `json`. Whatever comes is read in either form.
        max_pixels: of one picture.
        max_images: of one prompt.
    """

    needs = ("extra vlm",)
    movable = ("device", "batch", "share_prefix")

    def __init__(
        self,
        model: str = "",
        revision: str = "",
        adapter: str = "",
        device: str = "auto",
        dtype: str = "auto",
        batch: int = 8,
        share_prefix: bool = True,
        max_tokens: int = 256,
        max_length: int | None = None,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        sees: str = "pixels",
        order: str = "dialogue_first",
        language: str = "auto",
        prompt: str = "",
        answer: str = "tags",
        max_pixels: int = MAX_PIXELS,
        max_images: int | None = None,
    ) -> None:
        check_known({"device": device}, DEVICES)
        check_known({"dtype": dtype}, DTYPES)
        check_whole({"batch": batch, "max_tokens": max_tokens}, 1)
        check_whole({"max_length": max_length}, 1, optional=True)
        check_flags({"share_prefix": share_prefix})
        generator = TransformersGenerator(
            ModelSource(model or "", str(revision or ""), adapter or "", device, dtype),
            max_tokens=max_tokens,
            max_length=max_length,
            batch=batch,
            share_prefix=share_prefix,
        )
        how = Prompting(sees, order, language, prompt or "", answer, max_pixels, max_images)  # type: ignore[arg-type]  # checked there
        super().__init__(generator, how, sampling_of(temperature, top_p, seed))


def sampling_of(temperature: float, top_p: float, seed: int) -> Sampling:
    """Return how tokens are drawn.

    Raises:
        ValueError: naming the option that is wrong.
    """
    check_numbers({"temperature": temperature}, 0, 100)
    check_numbers({"top_p": top_p}, 0, 1)
    check_whole({"seed": seed})
    return Sampling(float(temperature), float(top_p), seed)
