"""Makes text from a candidate, which may hold anything, safe to print and to store."""

from __future__ import annotations

import re

KEPT = frozenset("\n\t")
FOLDER = re.compile(r"[^\s'\"(]*/(?=nnx_conformance/)")


def plain(text: str) -> str:
    """The text with control characters and lone surrogates written out as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in KEPT else _escaped(char) for char in text)


def short(text: str, most: int = 200) -> str:
    """The text in one line, cut between words if it is long, and without the path of the kit's own folder."""
    line = " ".join(FOLDER.sub("", text).split())
    return line if len(line) <= most else f"{line[: most - 4].rsplit(' ', 1)[0]} ..."


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
