"""What finds private things in a text: a file a family, and one function that asks them all."""

from mldr.annotation.privacy.detectors.find import find_spans
from mldr.annotation.privacy.names import NameList

__all__ = ["NameList", "find_spans"]
