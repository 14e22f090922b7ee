"""Which line of a subject wrote what: a plain call is followed line by line, and its module looked at after each.

Following is slow, so it is done where a finding needs its line, on the twin, and ends after some seconds; its lines go
into findings, and decide none.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from nnx_conformance.contracts.module_laws.execution.snapshots import state
from nnx_conformance.contracts.module_laws.facts import Leaf, Write
from nnx_conformance.core.facts import Line
from nnx_conformance.observe.lines.tracer import LineTracer
from nnx_conformance.observe.source import Source

Print = tuple[object, ...]


class Follower:
    """Follows one call: `writes` has for each path the first line after which its leaf was another, new or gone."""

    def __init__(self, source: Source, module: Any) -> None:
        self._source = source
        self._module = module
        self._last: dict[str, Print] = {}
        self._lines: dict[str, Line] = {}
        self._tracer = LineTracer(source, self._look)

    @property
    def writes(self) -> tuple[Write, ...]:
        """Each leaf that was written, and the line that did so first."""
        return tuple(Write(path, line) for path, line in self._lines.items())

    def following(self) -> AbstractContextManager[None]:
        """Follow what runs in the block."""
        return self._tracer.following()

    def _look(self) -> None:
        now = {leaf.path: _print(leaf) for leaf in state(self._module)}
        if self._tracer.line is not None:
            line = self._source.line(*self._tracer.line)
            for path in [*now, *(path for path in self._last if path not in now)]:
                if now.get(path) != self._last.get(path):
                    self._lines.setdefault(path, line)
        self._last = now


def _print(leaf: Leaf) -> Print:
    content = leaf.text if leaf.array is None else (leaf.array.shape, leaf.array.tobytes())
    return leaf.kind, leaf.variable, leaf.dtype, content
