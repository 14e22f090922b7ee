"""The classes and modules that a candidate uses, remembered beyond a single run."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nnx_conformance.observe.log import RunLog

#: A hook that gets an instance right after its construction, and may change its state.
AfterConstruction = Callable[[Any], None]


@dataclass(frozen=True, eq=False)
class AfterCall:
    """A hook that intervenes after calls.

    Attributes:
        selects: says from the number of an outermost concrete call, from 1, whether to intervene after it.
        change: changes the state of an instance after a call, and returns the output that the caller gets.
    """

    selects: Callable[[int], bool]
    change: Callable[[Any, Any], Any]

    def __call__(self, instance: Any, number: int, output: Any) -> Any:
        """The output that the caller of a module gets."""
        return self.change(instance, output) if self.selects(number) else output


@dataclass(frozen=True, eq=False)
class CallWatch:
    """The log of the current run, and the hook after its calls.

    Attributes:
        in_traces: whether the hook also runs after traced calls; calls are then numbered with these.
    """

    log: RunLog
    after_call: AfterCall | None
    in_traces: bool = False


class Classes:
    """The module classes that a candidate uses, and the modules that its runs used.

    They outlive a run, so that the next one watches the classes of merged modules, and recognises old modules.

    Attributes:
        watch: set while a run lasts; without it, a wrapped `__call__` that the candidate kept records nothing.
        exported: the functions passed to `jax.export`, by their serialized bytes.
        inner: how often the modules of the last run called others, by the class of these.
        outer: the classes whose calls counted in the last run.
        passing: the classes whose calls do not count, so that the modules that they call are outermost.
        methods: how often each method changed a module in the last run.
        called: the methods that stand for a module's calls.
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
        """Whether this instance is remembered."""
        reference = self._instances.get(id(instance))
        return reference is not None and reference() is instance

    def forget_dead(self) -> None:
        """Drop modules that no longer exist."""
        self._instances = {key: ref for key, ref in self._instances.items() if ref() is not None}

    def __iter__(self) -> Iterator[type]:
        return iter(list(self._known))
