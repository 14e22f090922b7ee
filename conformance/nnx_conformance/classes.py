"""The classes and modules that a candidate is known to use, beyond a single run."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nnx_conformance.record import Record

#: Called with an instance right after its construction; may change its state.
AfterConstruction = Callable[[Any], None]
#: Called with an instance, the number of this outermost concrete call from 1, and its output; gives the output to
#: hand on.
AfterCall = Callable[[Any, int, Any], Any]


@dataclass(frozen=True, eq=False)
class Watch:
    """Where calls are written down while a run lasts, and what may intervene after one.

    Attributes:
        in_traces: whether it also intervenes after traced calls; it is then given the number among all calls.
    """

    record: Record
    after_call: AfterCall | None
    in_traces: bool = False


class Classes:
    """The module classes that a candidate is known to use, and the modules that its runs have met.

    They outlive a run, so that a merged module is seen too, and one that is used again is known. `watch` is set while
    a run lasts: a wrapped `__call__` that somebody kept (`step = nnx.jit(Counter.__call__)`) passes through otherwise.
    """

    def __init__(self) -> None:
        self._known: weakref.WeakSet[type] = weakref.WeakSet()
        self._instances: dict[int, weakref.ref[Any]] = {}
        self.watch: Watch | None = None

    def learn_class(self, cls: type) -> None:
        """Remember a class."""
        self._known.add(cls)

    def learn(self, instance: Any) -> None:
        """Remember a module and its class."""
        self._known.add(type(instance))
        self._instances[id(instance)] = weakref.ref(instance)

    def knows(self, instance: Any) -> bool:
        """Whether this very module was remembered."""
        reference = self._instances.get(id(instance))
        return reference is not None and reference() is instance

    def forget_dead(self) -> None:
        """Drop what no longer lives."""
        self._instances = {key: ref for key, ref in self._instances.items() if ref() is not None}

    def __iter__(self) -> Iterator[type]:
        return iter(list(self._known))
