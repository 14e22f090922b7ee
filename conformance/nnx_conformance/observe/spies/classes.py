"""The classes and modules that a candidate is known to use, beyond a single run."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nnx_conformance.observe.log import RunLog

#: Called with an instance right after its construction; may change its state.
AfterConstruction = Callable[[Any], None]


@dataclass(frozen=True, eq=False)
class AfterCall:
    """What intervenes after calls.

    Attributes:
        at: given the number of an outermost concrete call, from 1, whether it intervenes after that one.
        change: given the instance and its output, changes its state; gives the output to hand on.
    """

    at: Callable[[int], bool]
    change: Callable[[Any, Any], Any]

    def __call__(self, instance: Any, number: int, output: Any) -> Any:
        """The output to hand on after a call."""
        return self.change(instance, output) if self.at(number) else output


@dataclass(frozen=True, eq=False)
class CallWatch:
    """Where calls are written down while a run lasts, and what may intervene after one.

    Attributes:
        in_traces: whether it also intervenes after traced calls; it is then given the number among all calls.
    """

    log: RunLog
    after_call: AfterCall | None
    in_traces: bool = False


class Classes:
    """The module classes that a candidate is known to use, and the modules that its runs used.

    They outlive a run, so that a merged module is watched too, and one used again is known. `watch` is set while
    a run lasts: a wrapped `__call__` that somebody kept (`step = nnx.jit(Counter.__call__)`) passes through otherwise.
    `exported` holds the functions that went through `jax.export`, by the bytes that they became. `inner` counts the
    calls that the modules in `outer` made of others in the last run; calls of those in `passing` are no calls, so that
    the modules that they call are outermost. `methods` counts how often methods changed a module in the last run; those
    in `called` stand for its calls.
    """

    def __init__(self) -> None:
        self._known: weakref.WeakSet[type] = weakref.WeakSet()
        self._instances: dict[int, weakref.ref[Any]] = {}
        self.watch: CallWatch | None = None
        self.exported: dict[bytes, Callable[..., Any]] = {}
        self.inner: Counter[str] = Counter()
        self.outer: set[str] = set()
        self.passing: frozenset[str] = frozenset()
        self.methods: Counter[str] = Counter()
        self.called: frozenset[str] = frozenset()

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
