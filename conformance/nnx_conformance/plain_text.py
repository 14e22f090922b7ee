"""Text from a candidate, made safe to print and to store: it may hold anything."""

from __future__ import annotations

KEPT = frozenset("\n\t")


def plain(text: str) -> str:
    """The text with control characters and lone surrogates written out as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in KEPT else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
