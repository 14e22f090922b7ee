"""Finds the line that writes each leaf: follows a plain call line by line and compares the module after each line.

It compares what outlives the call too: names at module and class level, caches, shared random generators.

Following is slow. We follow the twin only if a finding needs a line, for a few seconds at most. The lines go into
findings; no verdict depends on them.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from nnx_conformance.contracts.module_laws.evidence import LeafFacts, LeafWrite
from nnx_conformance.contracts.module_laws.execution.snapshots import classes, nodes, state
from nnx_conformance.core.facts import Line
from nnx_conformance.core.plain_text import plain
from nnx_conformance.core.trail import Change, ChangeKind
from nnx_conformance.observe.flax_versions import NODE, children
from nnx_conformance.observe.lines.outliving import of_classes, outliving
from nnx_conformance.observe.lines.syntax import FileLine, compiled_for_self
from nnx_conformance.observe.lines.tracer import LineTracer
from nnx_conformance.observe.lines.trail import Print as OutlivingPrint
from nnx_conformance.observe.source import Source, owned_frame
from nnx_conformance.observe.spies.patches import Patches

Print = tuple[object, ...]


class Follower:
    """Follows one call of a module.

    Args:
        source: the subject's own files.
        module: the module to call.
        make: the subject's factory; we look for what outlives the call in the functions and classes that it reaches.
    """

    def __init__(self, source: Source, module: Any, make: Callable[..., Any]) -> None:
        self._source = source
        self._module = module
        self._last: dict[str, Print] = {}
        self._lines: dict[str, Line] = {}
        self._followed = [*outliving(make, source), *of_classes(classes(module), source)]
        self._last_outliving: dict[object, OutlivingPrint] = {}
        self._outliving = {change.name: change for change in _compiled(source, module)}
        self._tracer = LineTracer(source, self._compare)

    @property
    def writes(self) -> tuple[LeafWrite, ...]:
        """Each leaf that the call wrote, with the first line that wrote it."""
        return tuple(LeafWrite(path, line) for path, line in self._lines.items())

    @property
    def outliving(self) -> tuple[Change, ...]:
        """What the call changed that outlives it, with the first line of each change."""
        return tuple(self._outliving.values())

    def following(self) -> AbstractContextManager[None]:
        """Follow the calls in the block."""
        return self._tracer.following()

    def _compare(self) -> None:
        now = {leaf.path: _print(leaf) for leaf in state(self._module)}
        if self._tracer.line is not None:
            line = self._source.line(*self._tracer.line)
            for path in [*now, *(path for path in self._last if path not in now)]:
                if now.get(path) != self._last.get(path):
                    self._lines.setdefault(path, line)
        self._last = now
        self._compare_outliving(self._tracer.line)

    def _compare_outliving(self, place: FileLine | None) -> None:
        for each in self._followed:
            now, then = each.take(), self._last_outliving.get(each.key)
            self._last_outliving[each.key] = now
            if then is not None and now != then and place is not None and each.name not in self._outliving:
                home = self._source.line(*each.home) if each.home else None
                types, numbers = (then.type, now.type), (then.number, now.number)
                self._outliving[each.name] = Change(
                    each.kind, each.name, self._source.line(*place), *types, *numbers, home, True
                )


class Making:
    """Follows the making of a module: which line of the subject sets each attribute."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._set: list[tuple[Any, str, FileLine]] = []

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """Follow what the block makes."""
        original: Any = NODE.__setattr__

        @functools.wraps(original)
        def set_attribute(node: Any, name: str, value: Any) -> None:
            if frame := owned_frame(sys._getframe(1), self._source):
                self._set.append((node, name, (frame.f_code.co_filename, frame.f_lineno)))
            original(node, name, value)

        with Patches() as patches:
            patches.replace(NODE, "__setattr__", set_attribute)
            yield

    def writes(self, module: Any) -> tuple[LeafWrite, ...]:
        """The line that last set each attribute, by its path in the module; inner ones first."""
        lines = {(id(node), name): place for node, name, place in self._set}
        known = (
            (f"{path}.{name}".removeprefix("."), lines.get((id(node), name)))
            for path, node in reversed(nodes(module))
            for name, _ in children(node)
        )
        return tuple(LeafWrite(plain(path), self._source.line(*place)) for path, place in known if place)


def _compiled(source: Source, module: Any) -> Iterator[Change]:
    """The compiled methods of the module's classes: their traces keep the attributes of the module traced first."""
    for cls in classes(module):
        file = getattr(sys.modules.get(cls.__module__), "__file__", None)
        if file and source.owns(file):
            for name, place in compiled_for_self(file, cls.__qualname__.rpartition("<locals>.")[2]):
                line, kind = source.line(*place), ChangeKind.COMPILED
                yield Change(kind, f"{cls.__name__}.{name}", line, "", "", None, None, line, False)


def _print(leaf: LeafFacts) -> Print:
    content = leaf.text if leaf.array is None else (leaf.array.shape, leaf.array.tobytes())
    return leaf.kind, leaf.variable, leaf.dtype, leaf.weak, content
