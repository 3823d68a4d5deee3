"""From a model's name or folder to weights and a processor in memory."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mldr.errors import MissingExtra, MldrError, printable
from mldr.localmodels import files_hash, loaded, model_folder

PLACE = "model"
DEVICES = ("auto", "cpu", "cuda")
DTYPES = ("auto", "float32", "bfloat16", "float16")
_LIBRARIES = ("torch", "transformers")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model comes from, and how it is held."""

    model: str
    """A folder, or a name on the Hub."""
    revision: str = ""
    """A commit or tag of the Hub; '' for the newest."""
    adapter: str = ""
    """A folder or name of a PEFT adapter that is merged into the weights; '' for none."""
    device: str = "auto"
    """`auto` takes a GPU where there is one; with several of them the layers are spread (needs accelerate)."""
    dtype: str = "auto"
    """`auto` is bfloat16 on a GPU and float32 on a CPU."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is ready, in evaluation mode."""

    model: Any
    tokenizer: Any
    processor: Any
    """None for a model that reads text alone."""
    device: Any
    reads: int | None
    """Tokens that it was made for, None where its configuration does not say."""
    identity: dict[str, Any]
    """What every prediction says of it."""

    @property
    def stops(self) -> frozenset[int]:
        """Ids of the tokens that end an answer."""
        configured = getattr(self.model.generation_config, "eos_token_id", None)
        ids = configured if isinstance(configured, (list, tuple)) else [configured]
        return frozenset(one for one in (*ids, self.tokenizer.eos_token_id) if one is not None)


def load(source: ModelSource) -> LoadedModel:
    """Load a model; a folder is read and nothing else, a name of the Hub is looked for in the cache first.

    Raises:
        MissingExtra: if torch, transformers or (for an adapter) peft is not installed.
        MldrError: if the model cannot be had or loaded, or there is no GPU where one is asked for.
    """
    for library in ("torch", "transformers"):
        if find_spec(library) is None:
            raise MissingExtra("vlm-local", "vlm")
    if source.adapter and find_spec("peft") is None:
        raise MissingExtra("an adapter", "vlm")
    torch: Any = import_module("torch")
    folder = model_folder(PLACE, source.model)
    device, dtype = _device(torch, source.device), source.dtype
    if dtype == "auto":
        dtype = "bfloat16" if device.type == "cuda" else "float32"
    placing = {"device_map": "auto"} if source.device == "auto" and torch.cuda.device_count() > 1 else {}

    def opened(local_files_only: bool) -> LoadedModel:
        found: dict[str, Any] = {"local_files_only": local_files_only, "trust_remote_code": False}
        if source.revision and folder is None:
            found["revision"] = source.revision
        name = source.model if folder is None else str(folder)
        model = _weights(name, {**found, "dtype": getattr(torch, dtype), **placing})
        processor = _processor(name, model.config, found)
        tokenizer = getattr(processor, "tokenizer", None) or _auto("AutoTokenizer").from_pretrained(name, **found)
        if source.adapter:
            model = import_module("peft").PeftModel.from_pretrained(model, source.adapter).merge_and_unload()
        model = model.eval() if placing else model.eval().to(device)
        reads = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        identity = _identity(source, folder, model, f"{device.type} {dtype}")
        return LoadedModel(model, tokenizer, processor, model.device, reads, identity)

    return loaded(PLACE, source.model, folder is not None, opened)


def _device(torch: Any, wanted: str) -> Any:
    if wanted == "cuda" and not torch.cuda.is_available():
        raise MldrError("device is cuda, and torch sees no GPU here; leave -o device out for the CPU")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def _weights(name: str, options: dict[str, Any]) -> Any:
    """Return a model of the class that its configuration names: one that reads pictures where there is such a class."""
    known: Any = import_module("transformers.models.auto.modeling_auto")
    plain = {key: value for key, value in options.items() if key not in ("dtype", "device_map")}
    config = _auto("AutoConfig").from_pretrained(name, **plain)
    reads_pictures = config.model_type in known.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
    kind = "AutoModelForImageTextToText" if reads_pictures else "AutoModelForCausalLM"
    return _auto(kind).from_pretrained(name, **options)


def _processor(name: str, config: Any, options: dict[str, Any]) -> Any:
    """Return the processor of a model that reads pictures, None for one that does not.

    Processors of models that also read videos need torchvision for those alone; without it the same class is made from its
    image processor and tokenizer, which is all that is used here.
    """
    known: Any = import_module("transformers.models.auto.modeling_auto")
    if config.model_type not in known.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return None
    try:
        return _auto("AutoProcessor").from_pretrained(name, **options)
    except (ImportError, AttributeError, ValueError):
        if find_spec("torchvision") is not None:
            raise
    classes: Any = import_module("transformers.models.auto.processing_auto").PROCESSOR_MAPPING_NAMES
    if config.model_type not in classes:
        raise MldrError(f"no processor is known for models of type {printable(config.model_type, 60)}")
    kind = getattr(import_module("transformers"), classes[config.model_type])
    images = _auto("AutoImageProcessor").from_pretrained(name, **options)
    tokenizer = _auto("AutoTokenizer").from_pretrained(name, **options)
    written = _own_settings(kind, name, options)
    return _without_video(kind)(images, tokenizer, **written)


def _without_video(kind: Any) -> Any:
    """Return a class of processors that lacks the one for videos: attributes are read off the constructor's names."""

    class ImagesAndText(kind):  # type: ignore[misc]  # a class known at run time alone
        def __init__(self, image_processor: Any = None, tokenizer: Any = None, **more: Any) -> None:
            super().__init__(image_processor, tokenizer, None, **more)

        @classmethod
        def get_attributes(cls) -> list[str]:
            return ["image_processor", "tokenizer"]

    return ImagesAndText


def _own_settings(kind: Any, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the processor itself as its files give them: tokens of a picture, the chat template, ..."""
    settings, _ = kind.get_processor_dict(name, **options)
    own = ("chat_template", "image_seq_length", "patch_size", "vision_feature_select_strategy")
    return {key: settings[key] for key in own if key in settings}


def _auto(name: str) -> Any:
    return getattr(import_module("transformers"), name)


def _identity(source: ModelSource, folder: Path | None, model: Any, held: str) -> dict[str, Any]:
    """Return what names a model for ever: the commit of the Hub, or the hash of its files; never a path."""
    revision = getattr(model.config, "_commit_hash", None) if folder is None else files_hash(PLACE, folder)
    identity = {
        "model": source.model if folder is None else folder.resolve().name,
        "revision": revision or "unknown",
        "held": held,
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    if source.adapter:
        own = model_folder("adapter", source.adapter)
        identity["adapter"] = source.adapter if own is None else f"{own.resolve().name} {files_hash('adapter', own)}"
    return identity
