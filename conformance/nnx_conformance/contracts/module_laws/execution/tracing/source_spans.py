"""Where in a subject's source an equation of a trace comes from, and what stands there."""

from __future__ import annotations

import ast
import functools
import itertools
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

from nnx_conformance.core.plain_text import plain
from nnx_conformance.observe.source import KIT, Source

LONGEST = 100


@dataclass(frozen=True)
class SourceSpan:
    """A span of source: its file, its first and last line, and the bytes in these at which it begins and ends."""

    file: str
    line: int
    last: int
    begin: int
    end: int

    @property
    def text(self) -> str:
        """The source of the span, in one line; empty where there is none."""
        lines = [linecache.getline(self.file, number).encode() for number in range(self.line, self.last + 1)]
        if not any(lines):
            return ""
        lines[-1] = lines[-1][: self.end]
        lines[0] = lines[0][self.begin :]
        return plain(" ".join(b"".join(lines).decode(errors="replace").split()))

    @property
    def called(self) -> str:
        """`compare` for a comparison, `and` where two are joined, for a call the last name of what is called."""
        return _called(self.text)


@functools.lru_cache(maxsize=1024)
def _called(text: str) -> str:
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return ""
    if isinstance(node, ast.Compare):
        return "compare"
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        return "and"
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", "") or getattr(node.func, "id", "")
    return ""


class SourceSpans:
    """Finds the places of equations in the files of one subject."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def of(self, equation: Any, outer: SourceSpan | None, name: str) -> SourceSpan | None:
        """The place of an equation: the innermost line of the subject that led to it.

        Args:
            equation: of a jaxpr.
            outer: the place of the equation that holds its jaxpr.
            name: what the function is called that this jaxpr was made of, where JAX keeps what it traced once: what a
                library's function was traced for first may be another line, so only its caller's is sure.
        """
        frames = list(self._frames(equation))
        if not frames or (name and all(code.co_name != name for code, _ in frames)):
            return outer
        return _place(*frames[0]) or outer

    def _frames(self, equation: Any) -> Iterator[tuple[CodeType, int]]:
        traceback = equation.source_info.traceback
        if traceback is not None:
            codes, positions = traceback.raw_frames()[:2]
            for code, at in zip(codes, positions, strict=False):
                if code.co_filename.startswith(KIT):
                    return  # what called the subject is none of its lines
                if self._source.owns(code.co_filename):
                    yield code, at


@functools.lru_cache(maxsize=4096)
def _place(code: CodeType, at: int) -> SourceSpan | None:
    spans = itertools.islice(code.co_positions(), at // 2, None)
    line, last, begin, end = next(spans, (None,) * 4)
    if line is None or last is None or begin is None or end is None:
        return None
    return SourceSpan(code.co_filename, line, last, begin, end)
