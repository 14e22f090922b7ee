"""The span of a subject's source from which an equation of a trace comes."""

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
    """A span of source: its file, its first and last line, and the bytes at which it begins and ends in these."""

    file: str
    line: int
    last: int
    begin: int
    end: int

    @property
    def text(self) -> str:
        """The source of the span in one line; empty if the file cannot be read."""
        lines = [linecache.getline(self.file, number).encode() for number in range(self.line, self.last + 1)]
        if not any(lines):
            return ""
        lines[-1] = lines[-1][: self.end]
        lines[0] = lines[0][self.begin :]
        return plain(" ".join(b"".join(lines).decode(errors="replace").split()))

    @property
    def operation(self) -> str:
        """`compare` for a comparison, `and` for `&` and `|`, the function's name for a call; otherwise empty."""
        return _operation(self.text)


@functools.lru_cache(maxsize=1024)
def _operation(text: str) -> str:
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
    """Finds the spans of equations in the files of one subject."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def of(self, equation: Any, outer: SourceSpan | None, name: str) -> SourceSpan | None:
        """The span of an equation: the innermost of the subject's expressions that led to it.

        Args:
            equation: of a jaxpr.
            outer: the span of the equation that holds this jaxpr.
            name: the function of this jaxpr, if JAX caches its trace. A cached trace of a library's function names the
                line that called it first; then we use `outer`.
        """
        frames = list(self._frames(equation))
        if not frames or (name and all(code.co_name != name for code, _ in frames)):
            return outer
        return _span(*frames[0]) or outer

    def _frames(self, equation: Any) -> Iterator[tuple[CodeType, int]]:
        traceback = equation.source_info.traceback
        if traceback is not None:
            codes, positions = traceback.raw_frames()[:2]
            for code, position in zip(codes, positions, strict=False):
                if code.co_filename.startswith(KIT):
                    return  # the callers of the subject are ours
                if self._source.owns(code.co_filename):
                    yield code, position


@functools.lru_cache(maxsize=4096)
def _span(code: CodeType, position: int) -> SourceSpan | None:
    spans = itertools.islice(code.co_positions(), position // 2, None)
    line, last, begin, end = next(spans, (None,) * 4)
    if line is None or last is None or begin is None or end is None:
        return None
    return SourceSpan(code.co_filename, line, last, begin, end)
