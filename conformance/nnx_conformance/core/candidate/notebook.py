"""Jupyter notebooks as candidates: their code cells, as Python without magics and shell lines.

The judge reads them too, and they are untrusted: so we run nothing, build no syntax tree, and take linear time.
Cells are counted as `In [3]` counts them after Run All: only code cells, without the empty ones.
"""

from __future__ import annotations
import __future__

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUFFIX = ".ipynb"
#: The largest file read; it includes outputs such as pictures.
LARGEST = 64 * 1024 * 1024
#: The flags that `from __future__ import` sets in compiled code.
FUTURE = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names})
#: Cell magics whose cells hold Python.
PYTHON = frozenset({"capture", "nnx_conformance", "prun", "time"})
#: A line that only IPython runs: a magic, a shell line, help, or one of the first two assigned to a name.
MAGIC = re.compile(r"[%!?]|[\w.]+\?{1,2}\s*$|[\w.,\s]+=\s*[%!]")
#: The characters that decide whether a statement continues on the next line: quotes, brackets, backslashes, comments.
MARK = re.compile(r"\\.|\\$|'''|\"\"\"|['\"#()\[\]{}]")
#: How many of the lines left out a note names, and how many characters of each.
NAMED = 3
WIDTH = 40


class NotANotebook(ValueError):
    """The file is no notebook that can be judged."""


@dataclass(frozen=True)
class Notebook:
    """The code of a notebook.

    Attributes:
        cells: the non-empty code cells as Python; lines left out become blank, so that the others keep their numbers.
        left_out: the magics and shell lines, as `cell 1 line 2 %pip install flax`.
    """

    cells: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """All cells as one Python file."""
        return "".join(f"{cell}\n" for cell in self.cells)

    @property
    def starts(self) -> tuple[int, ...]:
        """For each cell, how many lines of `source` come before it."""
        starts = [0]
        for cell in self.cells:
            starts.append(starts[-1] + cell.count("\n") + 1)
        return tuple(starts[:-1])

    def place(self, number: int) -> tuple[int, int]:
        """The cell, and the line within it, of a line of `source`; all count from 1."""
        cell = max((position for position, start in enumerate(self.starts, 1) if start < number), default=1)
        return cell, number - self.starts[cell - 1]

    @property
    def note(self) -> str:
        """What was left out; empty if nothing was."""
        if not self.left_out:
            return ""
        named = ", ".join(self.left_out[:NAMED])
        more = f" and {len(self.left_out) - NAMED} more" if len(self.left_out) > NAMED else ""
        return f"we left out magics and shell lines: {named}{more}"


def is_notebook(path: str) -> bool:
    """Whether a path names a notebook."""
    return path.endswith(SUFFIX)


def read(path: str | Path) -> Notebook:
    """The notebook in a file.

    Raises:
        NotANotebook: if it holds no notebook.
        OSError: if it cannot be read.
    """
    with open(path, "rb") as file:
        return parsed(file.read(LARGEST + 1))


def parsed(data: bytes) -> Notebook:
    """A notebook from the bytes of its file.

    Raises:
        NotANotebook: if they are no notebook; the message says what to do.
    """
    if len(data) > LARGEST:
        raise NotANotebook(f"it is larger than {LARGEST >> 20} MiB. Clear its outputs.")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotANotebook(f"it is no JSON ({error}). Save it again in Jupyter.") from error
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise NotANotebook("it is JSON without `nbformat`. Save it again in Jupyter.")
    if content["nbformat"] != 4 or not isinstance(content.get("cells"), list):
        fix = "Convert it: `jupyter nbconvert --to notebook --inplace FILE`."
        raise NotANotebook(f"its nbformat is {content['nbformat']}, and 4 is read. {fix}")
    sources = [_source(cell) for cell in content["cells"] if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    cells = [source for source in sources if source.strip()]
    if not cells:
        raise NotANotebook("it has no code cell. Put the candidate into one.")
    parts = [_python(cell) for cell in cells]
    left_out = [f"cell {position} {line}" for position, (_, lines) in enumerate(parts, 1) for line in lines]
    return Notebook(tuple(text for text, _ in parts), tuple(left_out))


def run_cells(cells: Sequence[str], path: str, names: dict[str, Any]) -> None:
    """Run cells in a module's namespace, with the line numbers of `Notebook.source`.

    Each cell is compiled on its own: a later one may begin with `from __future__`, which then applies to the rest.
    """
    start = flags = 0
    for cell in cells:
        code = compile("\n" * start + cell, path, "exec", flags, dont_inherit=True)
        start += cell.count("\n") + 1
        flags |= code.co_flags & FUTURE
        exec(code, names)


def without_outputs(data: bytes) -> bytes:
    """The notebook with only its code cells, without outputs; data that are no notebook stay as they are."""
    try:
        content = json.loads(data[: LARGEST + 1])
        cells = [_source(cell) for cell in content["cells"] if cell["cell_type"] == "code"]
        about = {key: content[key] for key in ("nbformat", "nbformat_minor") if key in content}
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return data
    kept = [{"cell_type": "code", "source": source} for source in cells]
    return json.dumps({**about, "cells": kept}).encode()


def _source(cell: dict[str, object]) -> str:
    """The text of a cell: one string, or a list of its lines."""
    source = cell.get("source", "")
    lines = source if isinstance(source, list) else [source]
    text = "".join(line for line in lines if isinstance(line, str))
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def _python(cell: str) -> tuple[str, list[str]]:
    """The Python of a cell, and descriptions of the lines left out."""
    lines = cell.split("\n")
    first = next(position for position, line in enumerate(lines) if line.strip())
    if not lines[first].startswith("%%"):
        return _without_magics(lines, 0)
    name = re.match(r"%%(\w*)", lines[first])
    if name is None or name[1] not in PYTHON:
        return "\n" * (len(lines) - 1), [_described(first, lines[first])]
    lines[first] = ""
    return _without_magics(lines, first)


def _without_magics(lines: list[str], first: int) -> tuple[str, list[str]]:
    left_out, statement = [], _OpenStatement()
    positions = iter(range(first, len(lines)))
    for position in positions:
        line = lines[position]
        if statement or not MAGIC.match(line.strip()):
            statement.read(line)
            continue
        left_out.append(_described(position, line))
        # An indented magic may be the only line of its block.
        lines[position] = line[: len(line) - len(line.lstrip())] + "pass" if line[0].isspace() else ""
        while line.endswith("\\") and (position := next(positions, -1)) >= 0:
            line, lines[position] = lines[position], ""
    return "\n".join(lines), left_out


def _described(position: int, line: str) -> str:
    text = line.strip()
    return f"line {position + 1} `{text if len(text) <= WIDTH else f'{text[: WIDTH - 3]}...'}`"


class _OpenStatement:
    """True if the lines read so far end inside a statement: in a bracket, in a string, or after a backslash."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0
        self._continued = False

    def __bool__(self) -> bool:
        return bool(self._quote or self._depth or self._continued)

    def read(self, line: str) -> None:
        """Read the next line."""
        self._continued = False
        for mark in self._marks(line):
            if self._quote:
                # Three quotes in a single-quoted string: the first ends it, the others are an empty string.
                self._quote = "" if mark == self._quote or mark[0] == self._quote else self._quote
            elif mark[0] in "'\"":
                self._quote = mark
            elif mark[0] in "([{":
                self._depth += 1
            elif mark[0] in ")]}":
                self._depth = max(0, self._depth - 1)
        if len(self._quote) == 1 and not self._continued:
            self._quote = ""  # an unterminated string, which is a syntax error

    def _marks(self, line: str) -> Iterator[str]:
        for match in MARK.finditer(line):
            mark = match[0]
            if mark == "#" and not self._quote:
                return
            if mark == "\\":
                self._continued = True
            elif mark[0] != "\\":
                yield mark
