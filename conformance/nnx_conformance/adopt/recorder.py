"""Spies on every construction and call of a module that is not Flax's, while a test session runs.

Most calls reach instances that no constructor made: `nnx.jit`, `nnx.grad`, `nnx.clone` and `nnx.merge` make their own.
So a call is joined to a construction by its instance where that is known, else by the class and the shapes of its
state. Only what returned is kept: a test may show what raises.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import jax
from flax import nnx

from nnx_conformance.adopt.arrays import NotWritable
from nnx_conformance.adopt.expressions import Writer
from nnx_conformance.adopt.names import importable, main_name
from nnx_conformance.adopt.records import (
    REFUSED,
    UNKNOWN,
    ClassRecord,
    Construction,
    Expression,
    RecordedArguments,
    RecordedCall,
    Recording,
)
from nnx_conformance.adopt.call_stack import Running
from nnx_conformance.adopt.inspection import (
    defined_at,
    effect_of,
    held_by,
    is_array,
    is_called,
    is_foreign,
    line_of,
    look_of,
    parameters,
    source_of,
)
from nnx_conformance.observe.flax_versions import NODE
from nnx_conformance.observe.spies.patches import Patches

#: So many constructions of a class, and so many calls, are kept; each has another form, other flags or other shapes.
CONSTRUCTIONS, CALLS = 8, 24
#: Methods that were called on an instance before its first call, to set it up.
SETUP = 4


@dataclass
class _Made:
    """An instance that a constructor made, while it lives; `refused` says why its arguments cannot be written down."""

    cls: type
    arguments: RecordedArguments | None
    refused: str
    line: str
    number: int = REFUSED
    setup: tuple[tuple[str, RecordedArguments], ...] = ()
    used: bool = False


@dataclass
class ConstructionRecorder:
    """What is recorded of the classes of a session.

    Attributes:
        package: the one whose modules are recorded; all but Flax's if empty.
        session: what is recorded.
    """

    package: str = ""
    session: Recording = field(default_factory=Recording)
    _keys: dict[type, str] = field(default_factory=dict)
    _instances: dict[int, tuple[weakref.ref[Any], _Made]] = field(default_factory=dict)
    _looks: dict[tuple[str, Any], set[int]] = field(default_factory=dict)
    _seen: set[Any] = field(default_factory=set)
    _running: Running = field(default_factory=lambda: Running())

    @contextmanager
    def recording(self) -> Iterator[ConstructionRecorder]:
        """Record while the block lasts."""
        with Patches() as patches:
            meta = next(kind for kind in inspect.getmro(type(nnx.Module)) if "__call__" in vars(kind))
            construct = vars(meta)["__call__"]

            @functools.wraps(construct)
            def constructed(cls: Any, *arguments: Any, **named: Any) -> Any:
                return self._construct(patches, construct, cls, arguments, named)

            patches.replace(meta, "__call__", constructed)
            yield self

    def _construct(
        self, patches: Patches, construct: Callable[..., Any], cls: type, arguments: tuple[Any, ...], named: Any
    ) -> Any:
        running = self._running
        foreign = is_foreign(cls)
        if running.held or (foreign and running.constructing):
            return construct(cls, *arguments, **named)
        key = "" if foreign else self._key(cls)
        if key:
            self._watch(patches, cls)
        with running.held_back():
            made = self._made(cls, arguments, named, line_of(sys._getframe(2)))
        with running.inside(cls):
            instance = construct(cls, *arguments, **named)
        if isinstance(instance, cls):
            self._instances[id(instance)] = weakref.ref(instance, self._forget(id(instance))), made
            if key:
                with running.held_back():
                    self._keep(key, made, instance)
        return instance

    def _made(self, cls: Any, arguments: tuple[Any, ...], named: dict[str, Any], line: str) -> _Made:
        try:
            given = Writer(self._expression_of, making=True).arguments(parameters(cls.__init__), arguments, named)
            return _Made(cls, given, "", line)
        except NotWritable as error:
            return _Made(cls, None, str(error), line)
        except Exception as error:  # noqa: BLE001 - a value's own code may raise anything when it is looked at
            return _Made(cls, None, f"an argument raised {type(error).__name__} when it was looked at", line)

    def _forget(self, number: int) -> Callable[[Any], None]:
        return lambda _: self._instances.pop(number, None) and None

    def _key(self, cls: type) -> str:
        """The dotted name of a class that is recorded; empty for another."""
        if cls in self._keys:
            return self._keys[cls]
        top = cls.__module__.partition(".")[0]
        self._keys[cls] = ""
        if self.package and not f"{cls.__module__}.".startswith(f"{self.package}."):
            self.session.others.add(top)
            return ""
        try:
            found = importable(cls)
            module = main_name() if cls.__module__ == "__main__" else cls.__module__
        except NotWritable:
            found = None
        if found is None:
            why = "is defined inside a function" if "<locals>" in cls.__qualname__ else "no import finds it"
            self.session.unnamed[f"{cls.__module__}.{cls.__qualname__}"] = f"{why} ({defined_at(cls)})"
            return ""
        record = ClassRecord(module, cls.__qualname__, source_of(cls), is_called(cls))
        self.session.records.setdefault(record.dotted, record)
        self._keys[cls] = record.dotted
        return record.dotted

    def _keep(self, key: str, made: _Made, instance: Any) -> None:
        record = self.session.records[key]
        if made.arguments is None:
            record.refused.setdefault(made.refused, made.line)
            return
        new = Construction(made.arguments, made.line, made.setup)
        for number, known in enumerate(record.constructions):
            if (known.arguments, known.setup) == (new.arguments, new.setup):
                made.number = number
                break
        else:
            if len(record.constructions) >= CONSTRUCTIONS:
                made.number = REFUSED
                return
            record.constructions.append(new)
            made.number = len(record.constructions) - 1
        for static in (True, False):
            self._looks.setdefault((key, look_of(instance, static)), set()).add(made.number)

    def _made_like(self, key: str, instance: Any) -> int:
        """The construction whose instances look like one that no constructor made."""
        for static in (True, False):
            alike = self._looks.get((key, look_of(instance, static)), set())
            if len(alike) == 1:
                return next(iter(alike))
        return UNKNOWN

    def _expression_of(self, module: Any) -> Expression:
        """How a module that is itself an argument was constructed."""
        reference, made = self._instances.get(id(module), (None, None))
        if made is None or reference is None or reference() is not module:
            raise NotWritable(f"a {type(module).__name__} whose construction was not seen")
        kind = importable(made.cls)
        if kind is None:
            raise NotWritable(f"a {type(module).__name__}, whose class no import finds")
        if made.arguments is None:
            raise NotWritable(f"a {type(module).__name__} made in {made.line}, where {made.refused}")
        given = made.arguments
        modules = kind.modules.union(*(each.modules for each in given.all))
        arrays = tuple(array for each in given.all for array in each.arrays)
        text = f"{kind.text}({given.text})"
        return Expression(text, modules, arrays, shape=text, flags=f"{kind.text}{given.flags}")

    def _watch(self, patches: Patches, cls: type) -> None:
        """Spy on the methods of a class, and on those that it inherits from classes that are not Flax's."""
        for base in cls.__mro__:
            if is_foreign(base) or base is object or base in self._seen:
                continue
            self._seen.add(base)
            for name, method in list(vars(base).items()):
                if name.startswith("_") and name != "__call__":
                    continue
                if isinstance(method, FunctionType):
                    patches.replace(base, name, self._spy(name, method))
                elif name == "__call__" and hasattr(type(method), "__get__") and hasattr(method, "__wrapped__"):
                    patches.replace(base, name, _Spied(self, name, method))

    def _spy(self, name: str, method: Any) -> Any:
        @functools.wraps(method)
        def spied(instance: Any, /, *arguments: Any, **named: Any) -> Any:
            return self.called(name, method, instance, arguments, named)

        return spied

    def called(self, name: str, method: Any, instance: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call a method, and keep how, if it returns and no method of the same class runs already."""
        running, cls = self._running, type(instance)
        key = self._keys.get(cls, "") if isinstance(instance, NODE) else ""
        if not key or running.held or cls in running.classes:
            return method(instance, *arguments, **named)
        line = line_of(sys._getframe(2))
        with running.held_back():
            call = self._call(key, name, method, instance, (arguments, named), line)
            before = dict(held_by(instance)) if call else {}
        with running.inside(cls):
            output = method(instance, *arguments, **named)
        if call:
            with running.held_back():
                call = dataclasses.replace(call, effect=effect_of(before, dict(held_by(instance))))
                self._returned(key, call, instance, output)
        return output

    def _call(
        self, key: str, name: str, method: Any, instance: Any, values: tuple[Any, Any], line: str
    ) -> RecordedCall | None:
        record = self.session.records[key]
        if len(record.calls) >= CALLS:
            return None
        _, made = self._instances.get(id(instance), (None, None))
        number = made.number if made else self._made_like(key, instance)
        try:
            given = Writer().arguments(parameters(method), *values)
        except NotWritable as error:
            record.refused.setdefault(f"{name}: {error}", line)
            return None
        except Exception as error:  # noqa: BLE001 - as in `_made`
            record.refused.setdefault(f"{name}: an argument raised {type(error).__name__} when it was looked at", line)
            return None
        takes = any(map(is_array, jax.tree.leaves(values, is_leaf=lambda leaf: isinstance(leaf, NODE))))
        return RecordedCall(name, given, line, number, takes, False)

    def _returned(self, key: str, call: RecordedCall, instance: Any, output: Any) -> None:
        record = self.session.records[key]
        _, made = self._instances.get(id(instance), (None, None))
        call = dataclasses.replace(call, returns_arrays=any(map(is_array, jax.tree.leaves(output))))
        prepares = call.sets_up or (record.callable and not call.computes)
        if call.method != "__call__" and prepares and made and made.number >= 0:
            self._set_up(key, made, instance, call)
        elif made:
            made.used = True
        record.keep(call)

    def _set_up(self, key: str, made: _Made, instance: Any, call: RecordedCall) -> None:
        """A method that takes no arrays and comes before the first call belongs to the construction."""
        if made.used or len(made.setup) >= SETUP:
            return
        made.setup = (*made.setup, (call.method, call.arguments))
        self._keep(key, made, instance)


class _Spied:
    """A method that is no plain function, such as one under `nnx.jit`; all else of it stays as it is."""

    def __init__(self, recorder: ConstructionRecorder, name: str, method: Any) -> None:
        self._recorder, self._name, self._method = recorder, name, method

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, instance: Any, *arguments: Any, **named: Any) -> Any:
        return self._recorder.called(self._name, self._method, instance, arguments, named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._method, name)
