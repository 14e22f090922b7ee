"""Which line of a subject wrote what: a plain call is followed line by line, and its module looked at after each.

So is what outlives the call and hangs on no module: names at module and class level, caches, shared random generators.

Following is slow, so it is done where a finding needs its line, on the twin, and ends after some seconds; its lines go
into findings, and decide none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from nnx_conformance.contracts.module_laws.evidence import LeafFacts, LeafWrite
from nnx_conformance.contracts.module_laws.execution.snapshots import nodes, state
from nnx_conformance.core.facts import Line
from nnx_conformance.core.trail import Change, ChangeKind
from nnx_conformance.observe.lines.outliving import outliving
from nnx_conformance.observe.lines.syntax import FileLine, compiled_for_self
from nnx_conformance.observe.lines.tracer import LineTracer
from nnx_conformance.observe.lines.trail import Print as Kept
from nnx_conformance.observe.source import Source

Print = tuple[object, ...]


class Follower:
    """Follows one call of a module.

    Args:
        source: the subject's own files.
        module: what is called.
        make: the subject's factory: what outlives the call is looked for where it leads.
    """

    def __init__(self, source: Source, module: Any, make: Callable[..., Any]) -> None:
        self._source = source
        self._module = module
        self._last: dict[str, Print] = {}
        self._lines: dict[str, Line] = {}
        self._followed = outliving(make, source)
        self._kept: dict[object, Kept] = {}
        self._outliving = {change.name: change for change in _compiled(source, module)}
        self._tracer = LineTracer(source, self._look)

    @property
    def writes(self) -> tuple[LeafWrite, ...]:
        """Each leaf that was written, and the line that did so first."""
        return tuple(LeafWrite(path, line) for path, line in self._lines.items())

    @property
    def outliving(self) -> tuple[Change, ...]:
        """What the call changed that outlives it, each with the line that did so first."""
        return tuple(self._outliving.values())

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
        self._look_around(self._tracer.line)

    def _look_around(self, place: FileLine | None) -> None:
        """Note what outlives the call and is another than at the last look."""
        for each in self._followed:
            now, then = each.take(), self._kept.get(each.key)
            self._kept[each.key] = now
            if then is not None and now != then and place is not None and each.name not in self._outliving:
                home = self._source.line(*each.home) if each.home else None
                types, numbers = (then.type, now.type), (then.number, now.number)
                self._outliving[each.name] = Change(
                    each.kind, each.name, self._source.line(*place), *types, *numbers, home, True
                )


def _compiled(source: Source, module: Any) -> Iterator[Change]:
    """The methods of the module's own classes that are compiled for one module: they keep what it held then."""
    for cls in {base for _, node in nodes(module) for base in type(node).__mro__}:
        file = getattr(sys.modules.get(cls.__module__), "__file__", None)
        if file and source.owns(file):
            for name, place in compiled_for_self(file, cls.__qualname__.rpartition("<locals>.")[2]):
                line, kind = source.line(*place), ChangeKind.COMPILED
                yield Change(kind, f"{cls.__name__}.{name}", line, "", "", None, None, line, False)


def _print(leaf: LeafFacts) -> Print:
    content = leaf.text if leaf.array is None else (leaf.array.shape, leaf.array.tobytes())
    return leaf.kind, leaf.variable, leaf.dtype, content
