"""Which line of the candidate runs: a look at something between every two of its lines.

What changed at a look was changed by the line that has just run. This shows what no assignment does: writes through
`__dict__`, into lists and dicts, and by native code. Following is slow, so it ends after some seconds; what traced the
thread before (a debugger, a measurement of coverage) is put back.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from nnx_conformance.observe.lines.syntax import FileLine
from nnx_conformance.observe.source import Source, owned_frame
from nnx_conformance.observe.spies.guards import unguarded

#: Looks are taken for so long.
SECONDS = 3.0


def nothing_more(_: FrameType, __: Any) -> None:
    """For who needs no more than the looks."""


class LineTracer:
    """Calls `look` before and after each line of the candidate that runs in `following`.

    Args:
        source: knows the candidate's files.
        look: compares what is followed with what it was; `line` is the place of the line that has just run.
        entered: called with each frame of the candidate that begins; the other argument is None.
        left: called with each frame that ends, and what it returns.

    Attributes:
        line: None before the first line of the candidate, and where a frame that no frame of it called has ended.
        passed: the places of the lines that ran, in the order in which each ran first.
    """

    def __init__(
        self,
        source: Source,
        look: Callable[[], None],
        entered: Callable[[FrameType, Any], None] = nothing_more,
        left: Callable[[FrameType, Any], None] = nothing_more,
    ) -> None:
        self.line: FileLine | None = None
        self.passed: dict[FileLine, None] = {}
        self._source = source
        self._take = look
        self._entered = entered
        self._left = left
        self._until = 0.0

    @contextmanager
    def following(self) -> Iterator[None]:
        """Follow what runs in the block, in this thread and in those that it starts."""
        before, of_others = sys.gettrace(), threading.gettrace()
        self._until = time.monotonic() + SECONDS
        self._look()
        threading.settrace(self._enter)
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)
            threading.settrace(of_others)
            self._look()

    def _look(self) -> None:
        if time.monotonic() <= self._until:
            with unguarded():
                self._take()

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        if event != "call" or not self._source.owns(frame.f_code.co_filename):
            return None
        self._look()
        self.line = frame.f_code.co_filename, frame.f_lineno
        self._entered(frame, None)
        return self._step

    def _step(self, frame: FrameType, event: str, value: Any) -> Any:
        if event == "line":
            self._look()
            self.line = frame.f_code.co_filename, frame.f_lineno
            self.passed[self.line] = None
        elif event == "return":
            self._look()
            self._left(frame, value)
            outer = owned_frame(frame.f_back, self._source)
            self.line = (outer.f_code.co_filename, outer.f_lineno) if outer else None
        return self._step
