"""Files that people take for chat exports and that are none: why they cannot be used, told before anything is read."""

from __future__ import annotations

import re

_MAGICS = (
    ("SQLite format 3\0", "is a database; only finished exports are read"),
    ("PK\x03\x04", "is a zip archive; unpack it and give the file or folder inside"),
    ("Rar!\x1a\x07", "is an archive; unpack it and give the file or folder inside"),
    ("7z\xbc\xaf\x27\x1c", "is an archive; unpack it and give the file or folder inside"),
    ("\x1f\x8b", "is a compressed file; unpack it first"),
    ("%PDF-", "is a PDF; a printed page is no export that can be read"),
    ("\x07\x08V", "is a picture in an app's own coding; only finished exports are read"),
)
_PICTURES = ("\xff\xd8\xff", "\x89PNG\r\n", "GIF8", "RIFF")
_CONVERSATIONS = re.compile(r"\s*\[?\s*\{\s*\"(?:id\"\s*:\s*[^,{}\[\]]{1,80},\s*\")?conversations\"\s*:\s*\[")


def reason(head: str | bytes, name: str = "") -> str:
    """Return why a file is no chat that can be read, '' where nothing speaks against it.

    Args:
        head: its first characters, or its first bytes where it is no text.
        name: the file's name; asked only of files that are no text.
    """
    start = head if isinstance(head, str) else head.decode("latin-1")
    for magic, said in _MAGICS:
        if start.startswith(magic):
            return said
    if start.startswith(_PICTURES):
        return "is a picture, not a chat; give the export that belongs to it"
    if _CONVERSATIONS.match(start.lstrip("\ufeff")):
        return "holds training conversations (shuffled, without people and times), not the log of a chat; give the export itself"
    if isinstance(head, bytes) and name.lower().endswith((".dat", ".db")):
        return "is an app's own file; only finished exports are read"
    return ""
