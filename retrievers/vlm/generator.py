"""What runs a vision language model: prompts in, texts out. An endpoint and a local model look the same from here."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mldr.images import data_uri
from mldr.retrievers.protocol import Run

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a model gets it: decoded once, RGB, scaled to the limit, encoded again without metadata."""

    content: bytes
    media_type: str
    width: int
    height: int

    def uri(self) -> str:
        """Return the picture as an address that holds it."""
        return data_uri(self.content, self.media_type)

    def opened(self) -> Image.Image:
        """Return the picture in RGB."""
        from PIL import Image

        return Image.open(io.BytesIO(self.content)).convert("RGB")


Part = str | Picture


@dataclass(frozen=True, slots=True)
class ModelPrompt:
    """A system message, and a user message as text and pictures in the order in which they are read."""

    system: str
    """'' for none."""
    parts: tuple[Part, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures, in order."""
        return tuple(part for part in self.parts if isinstance(part, Picture))

    def text(self, slot: str) -> str:
        """Return the user message with `slot` in the place of each picture."""
        return "".join(part if isinstance(part, str) else slot for part in self.parts)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn. The same values, prompt and sample number give the same text."""

    temperature: float = 0.0
    """0 takes the likeliest token."""
    top_p: float = 1.0
    seed: int = 0
    sample: int = 0
    """Another number is another answer to the same prompt."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What a model wrote, or why it wrote nothing."""

    text: str = ""
    finish_reason: str = ""
    """`stop`, `length`, or what a server says."""
    outcome: str = ""
    """'' for a text, however odd; `refused` or `api_error` where there is none."""
    fault: str = ""
    """Why, in one line; '' for a text."""
    tokens_in: int | None = None
    tokens_out: int | None = None
    latency_s: float | None = None
    """Seconds that this answer took, None where only the whole batch was timed."""


class Generator(Protocol):
    """A model that is ready to answer between `open` and `close`."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What every prediction says of it: `model`, `revision` and whatever else shapes the text; JSON values."""
        ...

    @property
    def at_once(self) -> int:
        """How many calls of `generate` may run at the same time, each in a thread of its own."""
        ...

    def open(self, run: Run) -> None:
        """Load the model, or connect.

        Raises:
            MldrError: if it cannot be had.
        """
        ...

    def close(self) -> None:
        """Let go of it."""
        ...

    def generate(self, prompts: Sequence[ModelPrompt], sampling: Sampling) -> Iterator[tuple[int, Generation]]:
        """Yield the position of each prompt with what came of it, in any order.

        The prompts of one call are the queries of one dialogue: what they have in common at the front may be read once.

        Raises:
            InterruptedRun: if the run cannot go on now (a dead server, a spent budget).
        """
        ...
