"""How a prompt names the turns and pictures of the sources: `s2.t5` is the fifth turn of the second, `p1` the first picture."""

from __future__ import annotations

from collections.abc import Sequence

from mldr.builders.sources.record import SourceDialogue


class References:
    """The names of everything that a stitched dialogue must hold."""

    def __init__(self, sources: Sequence[SourceDialogue]) -> None:
        """Take the sources in their order."""
        self.turns: dict[str, tuple[int, int]] = {}
        """Reference -> (source, turn)."""
        self.images: dict[str, tuple[int, int]] = {}
        """Reference -> (source, image)."""
        self._names: dict[tuple[int, int], str] = {}
        for position, source in enumerate(sources):
            for index, turn in enumerate(source.turns):
                self.turns[self.turn(position, index)] = (position, index)
                if turn.image is not None:
                    self._names.setdefault((position, turn.image), f"p{len(self._names) + 1}")
        self.images.update((reference, image) for image, reference in self._names.items())

    @staticmethod
    def turn(position: int, index: int) -> str:
        """Return the reference of a turn."""
        return f"s{position + 1}.t{index + 1}"

    def image(self, position: int, index: int) -> str:
        """Return the reference of an image."""
        return self._names[position, index]
