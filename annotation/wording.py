"""What text must be to be stored: UTF-8 that can be written, newlines as \\n, no NUL; nothing else is changed."""

from __future__ import annotations


def clean(text: str) -> str:
    """Return a text that can be stored: half characters become U+FFFD, line ends \\n, and NUL goes."""
    if "\r" in text or "\0" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
    return text


def says_something(text: str) -> bool:
    """Return whether a text has a character that can be seen."""
    return any(character.isprintable() and not character.isspace() for character in text)
