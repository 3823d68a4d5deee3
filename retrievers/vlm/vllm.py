"""`vlm-vllm`: a vision language model on a GPU through vLLM's own engine, in this process. Not run by us: no GPU was at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from mldr.errors import MissingExtra, MldrError, first_line, printable
from mldr.localmodels import files_hash, model_folder
from mldr.retrievers.options import check_whole
from mldr.retrievers.protocol import Run
from mldr.retrievers.vlm.generator import Generation, ModelPrompt, Part, Sampling
from mldr.retrievers.vlm.local.system import sampling_of
from mldr.retrievers.vlm.pixels import MAX_PIXELS
from mldr.retrievers.vlm.prompting import Prompting
from mldr.retrievers.vlm.retriever import VisionLanguageRetriever


class VllmGenerator:
    """Runs a model in vLLM's engine; its prefix cache reads a dialogue once for all its queries.

    Args:
        model: a folder, or a name on the Hub.
        revision: a commit or tag of the Hub.
        max_tokens: of one answer.
        max_images: of one prompt, as the engine must know.
        engine: further arguments of `vllm.LLM` (`tensor_parallel_size`, `max_model_len`, ...).
    """

    at_once = 1

    def __init__(
        self, model: str, revision: str, *, max_tokens: int, max_images: int, engine: Mapping[str, Any]
    ) -> None:
        self.model, self.revision, self.max_tokens = model, revision, max_tokens
        self._arguments = {"enable_prefix_caching": True, "limit_mm_per_prompt": {"image": max_images}, **engine}
        self._engine: Any = None
        self._identity: dict[str, Any] = {}

    @property
    def identity(self) -> Mapping[str, Any]:
        """The model, its revision or the hash of its files, and the engine's version."""
        return self._identity

    def open(self, run: Run) -> None:
        """Start the engine.

        Raises:
            MissingExtra: if vLLM is not installed.
            MldrError: if it cannot load the model.
        """
        if not self.model:
            raise MldrError("vlm-vllm: no model is named; give --model FOLDER, or --model with a name of the Hub")
        if find_spec("vllm") is None:
            raise MissingExtra("vlm-vllm", "vllm")
        folder = model_folder("model", self.model)
        revision = {"revision": self.revision} if self.revision and folder is None else {}
        library: Any = import_module("vllm")
        try:
            self._engine = library.LLM(model=self.model, trust_remote_code=False, **revision, **self._arguments)
        except Exception as error:  # whatever a model, a driver or too little memory provoke in the engine
            reason = printable(f"{type(error).__name__}: {first_line(error)}", 300)
            raise MldrError(f"vlm-vllm: {printable(self.model)} cannot be loaded ({reason})") from error
        self._identity = {
            "model": self.model if folder is None else folder.resolve().name,
            "revision": self.revision or "unknown" if folder is None else files_hash("model", folder),
            "libraries": {"vllm": _version()},
            "request": {"max_tokens": self.max_tokens},
        }

    def close(self) -> None:
        """Let go of the engine."""
        self._engine = None

    def generate(self, prompts: Sequence[ModelPrompt], sampling: Sampling) -> Iterator[tuple[int, Generation]]:
        """Yield what the model writes to each prompt; one that the engine refuses (too long, say) fails alone."""
        drawn = import_module("vllm").SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=sampling.seed + sampling.sample,
            max_tokens=self.max_tokens,
            skip_special_tokens=False,
        )
        try:
            yield from enumerate(self._chat(list(prompts), drawn))
            return
        except ValueError as error:
            if len(prompts) == 1:
                yield 0, Generation(outcome="api_error", fault=printable(first_line(error), 300))
                return
        for position, prompt in enumerate(prompts):
            for _, generation in self.generate([prompt], sampling):
                yield position, generation

    def _chat(self, prompts: list[ModelPrompt], drawn: Any) -> list[Generation]:
        answers = self._engine.chat([_messages(prompt) for prompt in prompts], drawn, use_tqdm=False)
        return [_generation(answer) for answer in answers]


def _messages(prompt: ModelPrompt) -> list[dict[str, Any]]:
    user = {"role": "user", "content": [_part(part) for part in prompt.parts]}
    return [{"role": "system", "content": prompt.system}, user] if prompt.system else [user]


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "image_url", "image_url": {"url": part.uri()}}


def _generation(answer: Any) -> Generation:
    first = answer.outputs[0]
    return Generation(
        first.text,
        str(first.finish_reason or ""),
        tokens_in=len(answer.prompt_token_ids or ()) or None,
        tokens_out=len(first.token_ids),
    )


def _version() -> str:
    try:
        return version("vllm")
    except PackageNotFoundError:
        return "unknown"


class VlmVllm(VisionLanguageRetriever):
    """Runs a vision language model on GPUs through vLLM's own engine; not run by us.

    Args:
        model: a folder, or a name on the Hub.
        revision: a commit or tag of the Hub.
        gpus: GPUs that the model is spread over.
        max_length: tokens of a prompt and its answer; None for what the model was made for.
        max_tokens: of one answer.
        temperature: 0 takes the likeliest token.
        top_p: tokens are drawn from the likeliest that together have this chance.
        seed: of the draws.
        sees: `text`, `captions` or `pixels`.
        order: `dialogue_first`, or `query_first` as the papers have it.
        language: of the instruction: `auto`, `zh` or `en`.
        prompt: `from-release`, or a YAML file.
        answer: the form that is asked for: `tags` or `json`.
        max_pixels: of one picture.
        max_images: of one prompt.
    """

    needs = ("extra vllm", "GPU")
    movable = ("gpus",)

    def __init__(
        self,
        model: str = "",
        revision: str = "",
        gpus: int = 1,
        max_length: int | None = None,
        max_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        sees: str = "pixels",
        order: str = "dialogue_first",
        language: str = "auto",
        prompt: str = "",
        answer: str = "tags",
        max_pixels: int = MAX_PIXELS,
        max_images: int = 64,
    ) -> None:
        check_whole({"gpus": gpus, "max_tokens": max_tokens}, 1)
        check_whole({"max_length": max_length}, 1, optional=True)
        engine: dict[str, Any] = {"tensor_parallel_size": gpus}
        if max_length is not None:
            engine["max_model_len"] = max_length
        how = Prompting(sees, order, language, prompt or "", answer, max_pixels, max_images)  # type: ignore[arg-type]  # checked there
        generator = VllmGenerator(
            model or "", str(revision or ""), max_tokens=max_tokens, max_images=max_images, engine=engine
        )
        super().__init__(generator, how, sampling_of(temperature, top_p, seed))
