"""The text of a JSON file as a window that moves on: memory holds what is being read, whatever the size of the file.

What stands in the text is the reader's business: published corpora and the authors' release differ in what they forgive.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from mldr.errors import fault

RECORD_LIMIT = 64 * 1024 * 1024
"""Characters of one record at most."""
_SPACE = re.compile(r"[ \t\r\n]*")


class JsonText:
    """A UTF-8 file that is decoded piece by piece.

    Args:
        chunks: the bytes of the file, in order.
        place: the file, for messages.

    Attributes:
        window: the part that is held.
        at: where reading stands in it.
        ended: whether the whole file was read.
    """

    def __init__(self, chunks: Iterable[bytes], place: str) -> None:
        self.window, self.at, self.ended = "", 0, False
        self._chunks: Iterator[bytes] = iter(chunks)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._place = place
        self._read = 0

    def char(self) -> str:
        """Return the next character that is no white space, '' at the end of the file; reading then stands on it."""
        while True:
            self.at = _SPACE.match(self.window, self.at).end()  # type: ignore[union-attr]  # matches ''
            if self.at < len(self.window):
                return self.window[self.at]
            if not self.more():
                return ""

    def more(self, pieces: int = 1) -> bool:
        """Read on by so many pieces, and drop what reading has passed; say whether the file had not ended before.

        Raises:
            InputError: for bytes that are no UTF-8.
        """
        if self.ended:
            return False
        added = []
        for _ in range(pieces):
            chunk = next(self._chunks, None)
            self.ended = chunk is None
            try:
                added.append(self._decoder.decode(chunk or b"", final=self.ended))
            except UnicodeDecodeError as error:
                raise fault(self._place, f"not UTF-8 text (near byte {self._read + error.start})") from error
            self._read += len(chunk or b"")
            if self.ended:
                break
        self.window, self.at = self.window[self.at :] + "".join(added), 0
        return True


def whole_value(text: JsonText, value: object, end: int) -> bool:
    """Say whether a value ends where it seems to: a number may go on in the next piece (`1` of `1e-5`)."""
    return text.ended or not isinstance(value, int | float) or len(text.window) - end > len("e-")
