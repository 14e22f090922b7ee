"""Following a run line by line, to tell which line of the candidate changed what.

Before each line of the candidate, all that is watched is compared with what it was before the line that has just run.
This sees what no assignment shows: writes through `__dict__`, into lists and dicts, and by native code. What traced the
thread before (a debugger, a measurement of coverage) is put back.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from nnx_conformance.source import Source
from nnx_conformance.syntax import handed_over, loop_around
from nnx_conformance.trail import Change, Line, Steps, Trail

#: Following ends after this long; what was found until then is kept.
SECONDS = 3.0
MOST_RETURNS = 5000
#: Frames of JAX that run a function of the candidate.
JAX = ("/jax/_src/", "/jax/experimental/")

Place = tuple[str, int]


@dataclass(frozen=True, eq=False)
class Print:
    """What something is at one moment: equal prints, no change."""

    type: str
    number: float | None
    content: object

    def __eq__(self, other: object) -> bool:
        """By content: a NaN that stays is no change."""
        return isinstance(other, Print) and (self.type, self.content) == (other.type, other.content)


@dataclass(frozen=True)
class Watched:
    """Something whose print is taken between lines; `key` tells it from others of its name."""

    key: object
    kind: str
    name: str
    home: Place | None
    take: Callable[[], Print]


@dataclass(eq=False)
class Follower:
    """The notes of one followed run."""

    source: Source
    watched: Callable[[], Iterator[Watched]]
    inside: Callable[[], bool]
    at: Place | None = None
    changes: dict[tuple[str, str, Place], Change] = field(default_factory=dict)
    steps: list[Steps] = field(default_factory=list)
    returns: list[tuple[Any, Place]] = field(default_factory=list)
    _last: dict[object, Print] = field(default_factory=dict)
    _visited: dict[Place, None] = field(default_factory=dict)
    _until: float = 0.0
    _within: Place | None = None

    def look(self) -> None:
        """Compare all that is watched with what it was; what differs was changed by the line that has just run."""
        if time.monotonic() > self._until:
            return
        inside = self.inside()
        for watched in self.watched():
            now, then = watched.take(), self._last.get(watched.key)
            self._last[watched.key] = now
            if then is not None and now != then:
                self.note(watched.kind, watched.name, then, now, watched.home, inside)

    def note(self, kind: str, name: str, then: Print, now: Print, home: Place | None, inside: bool) -> None:
        """Write a change down, once for each name and line."""
        if self.at is not None and (kind, name, self.at) not in self.changes:
            line, kept = self.source.line(*self.at), self.source.line(*home) if home else None
            change = Change(kind, name, line, then.type, now.type, then.number, now.number, kept, inside)
            self.changes[kind, name, self.at] = change

    def born(self, name: str, place: Place, before: str, after: str) -> None:
        """Write down that an attribute came to be, or to be of another type, in a module that is being made."""
        change = Change("state", name, self.source.line(*place), before, after, None, None, None, False)
        self.changes.setdefault(("born", name, place), change)

    def wrote(self, name: str, place: Place, inside: bool) -> None:
        """Write down an assignment to the contents of a Variable."""
        change = Change("contents", name, self.source.line(*place), name, name, None, None, None, inside)
        self.changes.setdefault(("contents", name, place), change)

    def called(self, output: Any) -> None:
        """Write down the places of a module's call that has just ended."""
        frame = _own(sys._getframe(1), self.source)
        if frame is None:
            self.steps.append(Steps(None, None, None))
            return
        loop = loop_around(frame.f_code.co_filename, frame.f_lineno)
        entered = next((place for place in map(self._entered, self._stack(frame)) if place), None) or self._within
        self._within = None
        self.steps.append(Steps(self._line(loop), self._line(self.origin(output)), self._line(entered)))

    def _stack(self, frame: FrameType | None) -> Iterator[FrameType]:
        """The candidate's frames, innermost first."""
        while frame is not None:
            yield frame
            frame = _own(frame.f_back, self.source)

    def _entered(self, frame: FrameType) -> Place | None:
        """Where JAX was given the function that this frame runs, if JAX called it."""
        outer = _own(frame.f_back, self.source)
        between = frame.f_back
        while outer is not None and between is not None and between is not outer:
            if any(part in between.f_code.co_filename for part in JAX):
                handed = handed_over(frame.f_code.co_filename, frame.f_code.co_firstlineno)
                return handed or (outer.f_code.co_filename, outer.f_lineno)
            between = between.f_back
        return None

    def origin(self, value: Any) -> Place | None:
        """The first line of the candidate that returned this very object, or the last that returned anything."""
        for returned, place in self.returns:
            if returned is value and value is not None:
                return place
        return self.returns[-1][1] if self.returns else None

    def _line(self, place: Place | None) -> Line | None:
        return self.source.line(*place) if place else None

    def trail(self, result: Any) -> Trail:
        """What was found."""
        loops = tuple(self.source.line(*place) for place in self._visited if loop_around(*place) == place)
        return Trail(tuple(self.changes.values()), tuple(self.steps), self._line(self.origin(result)), loops)

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        if event != "call" or not self.source.owns(frame.f_code.co_filename):
            return None
        self.look()
        self.at = (frame.f_code.co_filename, frame.f_lineno)
        if self.inside():
            self._within = self._within or self._entered(frame)
        return self._step

    def _step(self, frame: FrameType, event: str, value: Any) -> Any:
        if event == "line":
            self.look()
            self.at = (frame.f_code.co_filename, frame.f_lineno)
            self._visited[self.at] = None
        elif event == "return":
            self.look()
            self._left(frame, value)
        return self._step

    def _left(self, frame: FrameType, value: Any) -> None:
        if len(self.returns) < MOST_RETURNS:
            self.returns.append((value, (frame.f_code.co_filename, frame.f_lineno)))
        outer = _own(frame.f_back, self.source)
        self.at = (outer.f_code.co_filename, outer.f_lineno) if outer else self.at

    @contextmanager
    def following(self) -> Iterator[None]:
        """Follow what runs in the block."""
        before = sys.gettrace()
        self._until = time.monotonic() + SECONDS
        self.look()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)
            self.look()


def _own(frame: FrameType | None, source: Source) -> FrameType | None:
    """The innermost frame of the candidate, from this one outwards."""
    while frame is not None and not source.owns(frame.f_code.co_filename):
        frame = frame.f_back
    return frame
