"""Records the trail of a run: which line of the candidate changed what."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.core.trail import Change, ChangeKind, Line, Steps, Trail
from nnx_conformance.observe.flax_versions import children, contents
from nnx_conformance.observe.graph import Same, leaves, number, type_name
from nnx_conformance.observe.lines.syntax import FileLine, handed_over, loop_around
from nnx_conformance.observe.lines.tracer import LineTracer
from nnx_conformance.observe.source import owned_frame

if TYPE_CHECKING:
    from nnx_conformance.observe.log import LoggedModule, RunLog

MOST_RETURNS = 5000
#: Parts of the paths of JAX's files; frames from them run functions that the candidate passed to JAX.
JAX = ("/jax/_src/", "/jax/experimental/")
CONTAINERS = (list, dict, set)


@dataclass(frozen=True, eq=False)
class Print:
    """A value at one moment; it has not changed if its print is equal later."""

    type: str
    number: float | None
    content: object

    def __eq__(self, other: object) -> bool:
        """Compare type and content, and not the number, because NaN differs from itself."""
        return isinstance(other, Print) and (self.type, self.content) == (other.type, other.content)


@dataclass(frozen=True)
class Followed:
    """A value to compare between lines; `key` distinguishes values of the same name.

    `value` gives the object itself, where it outlives the call.
    """

    key: object
    kind: ChangeKind
    name: str
    home: FileLine | None
    take: Callable[[], Print]
    value: Callable[[], object] | None = None


class TrailLog:
    """Records the trail of a run.

    Args:
        log: the log of the run.
        arguments: the candidate's arguments by name.
        outliving: the objects that outlive the call.
    """

    def __init__(self, log: RunLog, arguments: Mapping[str, Any], outliving: Sequence[Followed]) -> None:
        self._log = log
        self._source = log.source
        self._always = [
            Followed(name, ChangeKind.ARGUMENT, name, None, functools.partial(_argument, value))
            for name, value in arguments.items()
            if isinstance(value, jax.Array)
        ]
        self._always += outliving
        self._changes: dict[tuple[str, str, FileLine], Change] = {}
        self._steps: list[Steps] = []
        self._returns: list[tuple[Any, FileLine]] = []
        self._last: dict[object, Print] = {}
        self._ended: FileLine | None = None
        self._within: FileLine | None = None
        self._tracer = LineTracer(self._source, self._look, self._entered, self._left)

    def following(self) -> AbstractContextManager[None]:
        """Follow the block."""
        return self._tracer.following()

    def _followed(self) -> Iterator[Followed]:
        for module in list(self._log.modules):
            if module.instance is not None:
                yield from _state(module)
        yield from self._always

    def _look(self) -> None:
        inside = self._log.depth.calling > 0
        # A transform may write state back after the candidate's outermost frame has ended; we blame its last line.
        place = self._tracer.line or self._ended
        for followed in self._followed():
            now, then = followed.take(), self._last.get(followed.key)
            self._last[followed.key] = now
            if then is None or now == then or place is None:
                continue
            if (followed.kind, followed.name, place) in self._changes:
                continue
            numbers = (then.number, now.number, self._line(followed.home), inside)
            change = Change(followed.kind, followed.name, self._source.line(*place), then.type, now.type, *numbers)
            self._changes[followed.kind, followed.name, place] = change

    def constructed(self, name: str, place: FileLine, before: str, after: str) -> None:
        """Record an attribute that a constructor assigns."""
        change = Change(ChangeKind.STATE, name, self._source.line(*place), before, after, None, None, None, False)
        self._changes.setdefault(("born", name, place), change)

    def wrote(self, name: str, place: FileLine, inside: bool) -> None:
        """Record an assignment to the contents of a Variable."""
        change = Change(ChangeKind.CONTENTS, name, self._source.line(*place), name, name, None, None, None, inside)
        self._changes.setdefault(("contents", name, place), change)

    def called(self, output: Any) -> Steps:
        """The lines of the module call that has just ended."""
        frame = owned_frame(sys._getframe(1), self._source)
        if frame is None:
            return Steps(None, None, None)
        loop = loop_around(frame.f_code.co_filename, frame.f_lineno)
        entered = next(filter(None, map(self._handed_over, self._owned(frame))), None) or self._within
        self._within = None
        return Steps(self._line(loop), self._line(self._origin(output)), self._line(entered))

    def add_call(self, steps: Steps) -> None:
        """Record the lines of one more call."""
        self._steps.append(steps)

    def _owned(self, frame: FrameType | None) -> Iterator[FrameType]:
        """The candidate's frames, innermost first."""
        while frame is not None:
            yield frame
            frame = owned_frame(frame.f_back, self._source)

    def _handed_over(self, frame: FrameType) -> FileLine | None:
        """The line that passed the function of this frame to JAX, if JAX called it."""
        outer = owned_frame(frame.f_back, self._source)
        between = frame.f_back
        while outer is not None and between is not None and between is not outer:
            if any(part in between.f_code.co_filename for part in JAX):
                handed = handed_over(frame.f_code.co_filename, frame.f_code.co_firstlineno)
                return handed or (outer.f_code.co_filename, outer.f_lineno)
            between = between.f_back
        return None

    def _origin(self, value: Any) -> FileLine | None:
        """The first line of the candidate that returned this object, or the last that returned any."""
        for returned, place in self._returns:
            if returned is value and value is not None:
                return place
        return self._returns[-1][1] if self._returns else None

    def _line(self, place: FileLine | None) -> Line | None:
        return self._source.line(*place) if place else None

    def trail(self, result: Any) -> Trail:
        """The trail of a finished run with this result."""
        loops = tuple(self._source.line(*place) for place in self._tracer.passed if loop_around(*place) == place)
        return Trail(tuple(self._changes.values()), tuple(self._steps), self._line(self._origin(result)), loops)

    def _entered(self, frame: FrameType, _: Any) -> None:
        if self._log.depth.calling:
            self._within = self._within or self._handed_over(frame)

    def _left(self, frame: FrameType, value: Any) -> None:
        self._ended = frame.f_code.co_filename, frame.f_lineno
        if len(self._returns) < MOST_RETURNS:
            self._returns.append((value, self._ended))


def _state(module: LoggedModule) -> Iterator[Followed]:
    for leaf in leaves(module.instance):
        if not leaf.rng and not isinstance(leaf.value, CONTAINERS):
            yield _of_module(module, leaf.path, _leaf(leaf.value))
    for name, value in children(module.instance):
        if isinstance(value, CONTAINERS):
            size = len(value)
            yield _of_module(module, f"len({name})", Print(type_name(type(value)), float(size), size))


def _of_module(module: LoggedModule, path: str, now: Print) -> Followed:
    return Followed((id(module), path), ChangeKind.STATE, f"{module.name}.{path}", None, lambda: now)


def _leaf(value: Any) -> Print:
    raw = contents(value) if isinstance(value, nnx.Variable) else value
    single = number(raw)
    return Print(type_name(type(value)), single, Same(raw) if single is None else str(single))


def _argument(value: jax.Array) -> Print:
    if value.is_deleted():
        return Print("deleted", None, None)
    return Print("jax.Array", None, np.array(value).tobytes())
