"""Which line of a subject wrote what: a plain call is followed line by line, and its module looked at after each.

Following is slow, so it is done where a finding needs its line, on the twin, and ends after some seconds; what it shows
refines what a law says, and no law is broken because of it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from nnx_conformance.laws.seen import Leaf, Step, Wrote
from nnx_conformance.laws.snapshots import state
from nnx_conformance.observation import Line
from nnx_conformance.source import Source

SECONDS = 3.0

Print = tuple[object, ...]


class Follower:
    """The notes of one call: `wrote` tells for each path the first line after which it was another, new or gone."""

    def __init__(self, source: Source, module: Any) -> None:
        self._source = source
        self._module = module
        self._last: dict[str, Print] = {}
        self._at: tuple[str, int] | None = None
        self._until = time.monotonic() + SECONDS
        self._found: dict[str, Line] = {}

    @property
    def wrote(self) -> tuple[Wrote, ...]:
        """What was found."""
        return tuple(Wrote(path, line) for path, line in self._found.items())

    @contextmanager
    def following(self) -> Iterator[None]:
        """Follow what runs in the block; what traced the thread before is put back."""
        before = sys.gettrace()
        self._last = self._prints()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        if event != "call" or not self._source.owns(frame.f_code.co_filename) or time.monotonic() > self._until:
            return None
        self._look()
        self._at = frame.f_code.co_filename, frame.f_lineno
        return self._step

    def _step(self, frame: FrameType, event: str, _: Any) -> Any:
        if time.monotonic() <= self._until:
            self._look()
            self._at = frame.f_code.co_filename, frame.f_lineno
        if event == "return":
            outer = frame.f_back
            while outer is not None and not self._source.owns(outer.f_code.co_filename):
                outer = outer.f_back
            self._at = (outer.f_code.co_filename, outer.f_lineno) if outer else None
        return self._step

    def _look(self) -> None:
        """Compare the module with what it was; what differs was written by the line that has just run."""
        now = self._prints()
        if self._at is not None:
            line = self._source.line(*self._at)
            for path in [*now, *(path for path in self._last if path not in now)]:
                if now.get(path) != self._last.get(path):
                    self._found.setdefault(path, line)
        self._last = now

    def _prints(self) -> dict[str, Print]:
        return {leaf.path: _print(leaf) for leaf in state(self._module)}


def _print(leaf: Leaf) -> Print:
    content = leaf.text if leaf.array is None else (leaf.array.shape, leaf.array.tobytes())
    return leaf.kind, leaf.variable, leaf.dtype, content


def written(steps: Iterable[Step], path: str) -> Line | None:
    """The first line that wrote something at this place, above or below it; None if none is known."""
    for step in steps:
        for wrote in step.wrote:
            if _meet(wrote.path, path):
                return wrote.line
    return None


def _meet(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    below = longer.removeprefix(shorter)
    return bool(shorter) and longer.startswith(shorter) and below[:1] in ("", "/", "[", ".")
