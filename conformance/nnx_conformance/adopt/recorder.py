"""Records every construction and call of modules that are not Flax's, while a test session runs.

Most calls reach instances that no constructor made: `nnx.jit`, `nnx.grad`, `nnx.clone` and `nnx.merge` create them. So
we find the construction of a call by its instance if we know that, otherwise by the class and the shapes of its state.
We keep only calls that return: a test may show that a call raises.
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
from nnx_conformance.adopt.call_stack import CallStack
from nnx_conformance.adopt.expressions import Writer
from nnx_conformance.adopt.inspection import (
    defined_at,
    effect_of,
    is_array,
    is_called,
    is_foreign,
    line_of,
    parameters,
    source_of,
    state_of,
    structure_of,
)
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
from nnx_conformance.observe.flax_versions import NODE
from nnx_conformance.observe.spies.patches import Patches

#: The most constructions and calls of a class that we keep; they differ in form, flags or shapes.
CONSTRUCTIONS, CALLS = 8, 24
#: The most methods that set up an instance before its first call.
SETUP = 4


@dataclass
class _Origin:
    """How a live instance was constructed; `refused` says why we cannot write the arguments.

    `number` is the index of its construction in the class's record, `setup` the methods called before its first call.
    """

    cls: type
    arguments: RecordedArguments | None
    refused: str
    line: str
    number: int = REFUSED
    setup: tuple[tuple[str, RecordedArguments], ...] = ()
    used: bool = False


@dataclass
class ConstructionRecorder:
    """Records the classes of a session.

    Attributes:
        package: records only its modules; all but Flax's if empty.
        session: the recording.
    """

    package: str = ""
    session: Recording = field(default_factory=Recording)
    _keys: dict[type, str] = field(default_factory=dict)
    _instances: dict[int, tuple[weakref.ref[Any], _Origin]] = field(default_factory=dict)
    _by_structure: dict[tuple[str, Any], set[int]] = field(default_factory=dict)
    _watched: set[Any] = field(default_factory=set)
    _stack: CallStack = field(default_factory=CallStack)

    @contextmanager
    def recording(self) -> Iterator[ConstructionRecorder]:
        """Record constructions and calls in the block."""
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
        stack = self._stack
        foreign = is_foreign(cls)
        if stack.paused or (foreign and stack.constructing):
            return construct(cls, *arguments, **named)
        key = "" if foreign else self._key(cls)
        if key:
            self._watch(patches, cls)
        with stack.pause():
            origin = self._origin(cls, arguments, named, line_of(sys._getframe(2)))
        with stack.inside(cls):
            instance = construct(cls, *arguments, **named)
        if isinstance(instance, cls):
            self._instances[id(instance)] = weakref.ref(instance, self._forget(id(instance))), origin
            if key:
                with stack.pause():
                    self._keep_construction(key, origin, instance)
        return instance

    def _origin(self, cls: Any, arguments: tuple[Any, ...], named: dict[str, Any], line: str) -> _Origin:
        try:
            written = Writer(self._expression_of, making=True).arguments(parameters(cls.__init__), arguments, named)
            return _Origin(cls, written, "", line)
        except NotWritable as error:
            return _Origin(cls, None, str(error), line)
        except Exception as error:  # noqa: BLE001 - reading a value runs its own code, which may raise anything
            return _Origin(cls, None, f"an argument raised {type(error).__name__} when it was looked at", line)

    def _forget(self, number: int) -> Callable[[Any], None]:
        return lambda _: self._instances.pop(number, None) and None

    def _key(self, cls: type) -> str:
        """The dotted name of a class that we record; empty for other classes."""
        if cls in self._keys:
            return self._keys[cls]
        top = cls.__module__.partition(".")[0]
        self._keys[cls] = ""
        if self.package and not f"{cls.__module__}.".startswith(f"{self.package}."):
            self.session.others.add(top)
            return ""
        try:
            name = importable(cls)
            module = main_name() if cls.__module__ == "__main__" else cls.__module__
        except NotWritable:
            name = None
        if name is None:
            why = "is defined inside a function" if "<locals>" in cls.__qualname__ else "no import finds it"
            self.session.unnamed[f"{cls.__module__}.{cls.__qualname__}"] = f"{why} ({defined_at(cls)})"
            return ""
        record = ClassRecord(module, cls.__qualname__, source_of(cls), is_called(cls))
        self.session.records.setdefault(record.dotted, record)
        self._keys[cls] = record.dotted
        return record.dotted

    def _keep_construction(self, key: str, origin: _Origin, instance: Any) -> None:
        record = self.session.records[key]
        if origin.arguments is None:
            record.refused.setdefault(origin.refused, origin.line)
            return
        new = Construction(origin.arguments, origin.line, origin.setup)
        for number, known in enumerate(record.constructions):
            if (known.arguments, known.setup) == (new.arguments, new.setup):
                origin.number = number
                break
        else:
            if len(record.constructions) >= CONSTRUCTIONS:
                origin.number = REFUSED
                return
            record.constructions.append(new)
            origin.number = len(record.constructions) - 1
        for static in (True, False):
            self._by_structure.setdefault((key, structure_of(instance, static)), set()).add(origin.number)

    def _construction_like(self, key: str, instance: Any) -> int:
        """The construction whose instances have the structure of one that no constructor made; or `UNKNOWN`."""
        for static in (True, False):
            alike = self._by_structure.get((key, structure_of(instance, static)), set())
            if len(alike) == 1:
                return next(iter(alike))
        return UNKNOWN

    def _expression_of(self, module: Any) -> Expression:
        """The expression that constructs a module that is itself an argument."""
        reference, origin = self._instances.get(id(module), (None, None))
        if origin is None or reference is None or reference() is not module:
            raise NotWritable(f"a {type(module).__name__} whose construction was not seen")
        kind = importable(origin.cls)
        if kind is None:
            raise NotWritable(f"a {type(module).__name__}, whose class no import finds")
        if origin.arguments is None:
            raise NotWritable(f"a {type(module).__name__} made in {origin.line}, where {origin.refused}")
        written = origin.arguments
        modules = kind.modules.union(*(each.modules for each in written.all))
        arrays = tuple(array for each in written.all for array in each.arrays)
        text = f"{kind.text}({written.text})"
        return Expression(text, modules, arrays, shape=text, flags=f"{kind.text}{written.flags}")

    def _watch(self, patches: Patches, cls: type) -> None:
        """Spy on the methods of a class, including those that it inherits from classes outside Flax."""
        for base in cls.__mro__:
            if is_foreign(base) or base is object or base in self._watched:
                continue
            self._watched.add(base)
            for name, method in list(vars(base).items()):
                if name.startswith("_") and name != "__call__":
                    continue
                if isinstance(method, FunctionType):
                    patches.replace(base, name, self._spy(name, method))
                elif name == "__call__" and hasattr(type(method), "__get__") and hasattr(method, "__wrapped__"):
                    patches.replace(base, name, _SpiedMethod(self, name, method))

    def _spy(self, name: str, method: Any) -> Any:
        @functools.wraps(method)
        def spied(instance: Any, /, *arguments: Any, **named: Any) -> Any:
            return self.called(name, method, instance, arguments, named)

        return spied

    def called(self, name: str, method: Any, instance: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call a method, and record the call if it returns and no method of the same class is already running."""
        stack, cls = self._stack, type(instance)
        key = self._keys.get(cls, "") if isinstance(instance, NODE) else ""
        if not key or stack.paused or cls in stack.classes:
            return method(instance, *arguments, **named)
        line = line_of(sys._getframe(2))
        with stack.pause():
            call = self._call(key, name, method, instance, (arguments, named), line)
            before = dict(state_of(instance)) if call else {}
        with stack.inside(cls):
            output = method(instance, *arguments, **named)
        if call:
            with stack.pause():
                call = dataclasses.replace(call, effect=effect_of(before, dict(state_of(instance))))
                self._keep_call(key, call, instance, output)
        return output

    def _call(
        self, key: str, name: str, method: Any, instance: Any, values: tuple[Any, Any], line: str
    ) -> RecordedCall | None:
        record = self.session.records[key]
        if len(record.calls) >= CALLS:
            return None
        _, origin = self._instances.get(id(instance), (None, None))
        number = origin.number if origin else self._construction_like(key, instance)
        try:
            written = Writer().arguments(parameters(method), *values)
        except NotWritable as error:
            record.refused.setdefault(f"{name}: {error}", line)
            return None
        except Exception as error:  # noqa: BLE001 - as in `_origin`
            record.refused.setdefault(f"{name}: an argument raised {type(error).__name__} when it was looked at", line)
            return None
        takes = any(map(is_array, jax.tree.leaves(values, is_leaf=lambda leaf: isinstance(leaf, NODE))))
        return RecordedCall(name, written, line, number, takes, False)

    def _keep_call(self, key: str, call: RecordedCall, instance: Any, output: Any) -> None:
        record = self.session.records[key]
        _, origin = self._instances.get(id(instance), (None, None))
        call = dataclasses.replace(call, returns_arrays=any(map(is_array, jax.tree.leaves(output))))
        prepares = call.sets_up or (record.callable and not call.computes)
        if call.method != "__call__" and prepares and origin and origin.number >= 0:
            self._set_up(key, origin, instance, call)
        elif origin:
            origin.used = True
        record.keep(call)

    def _set_up(self, key: str, origin: _Origin, instance: Any, call: RecordedCall) -> None:
        """Add a method without arrays that is called before the first call to the construction."""
        if origin.used or len(origin.setup) >= SETUP:
            return
        origin.setup = (*origin.setup, (call.method, call.arguments))
        self._keep_construction(key, origin, instance)


class _SpiedMethod:
    """Records calls of a method that is no plain function, such as one under `nnx.jit`; passes on its attributes."""

    def __init__(self, recorder: ConstructionRecorder, name: str, method: Any) -> None:
        self._recorder, self._name, self._method = recorder, name, method

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, instance: Any, *arguments: Any, **named: Any) -> Any:
        return self._recorder.called(self._name, self._method, instance, arguments, named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._method, name)
