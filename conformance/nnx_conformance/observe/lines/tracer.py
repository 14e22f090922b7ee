"""Follows a run line by line, and calls a function between every two lines of the candidate.

That function compares state, so that we can blame a change on the line that has just run. It notices changes that no
spy on assignments shows: through `__dict__`, in lists and dicts, and by native code. Following is slow, so it stops
after some seconds. Afterwards the previous trace function (of a debugger or of coverage) is restored.
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

#: How long a run is followed, in processor time: how busy the machine is must not decide which lines are known.
SECONDS = 3.0


def no_hook(_: FrameType, __: Any) -> None:
    """Does nothing when a frame begins or ends."""


class LineTracer:
    """Calls `look` before and after each line of the candidate that runs in `following`.

    Args:
        source: the candidate's files.
        look: compares state with the last time; `line` is the line that has just run.
        entered: called with each frame of the candidate that begins, and None.
        left: called with each frame that ends, and its return value.

    Attributes:
        line: the last line that ran; None before the first, and after the candidate's outermost frame.
        passed: the lines that ran, in the order of their first run.
    """

    def __init__(
        self,
        source: Source,
        look: Callable[[], None],
        entered: Callable[[FrameType, Any], None] = no_hook,
        left: Callable[[FrameType, Any], None] = no_hook,
    ) -> None:
        self.line: FileLine | None = None
        self.passed: dict[FileLine, None] = {}
        self._source = source
        self._compare = look
        self._entered = entered
        self._left = left
        self._until = 0.0

    @contextmanager
    def following(self) -> Iterator[None]:
        """Follow the block, in this thread and in the threads that it starts."""
        here, in_threads = sys.gettrace(), threading.gettrace()
        self._until = time.process_time() + SECONDS
        self._look()
        threading.settrace(self._enter)
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(here)
            threading.settrace(in_threads)
            self._look()

    def _look(self) -> None:
        if time.process_time() <= self._until:
            with unguarded():
                self._compare()

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
