"""Watching who writes to Variables and to attributes of modules while a block runs, with the line that does it."""

from __future__ import annotations

import contextlib
import functools
import inspect
import linecache
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import chex
import flax
import jax
import numpy as np
from flax import nnx

from nnx_conformance.asserts.form import Failed, MessageForm, enabled, error_of, refuse_unknown
from nnx_conformance.asserts.leaves import Keys, StateCopy, on_host, snapshot, walk
from nnx_conformance.observe.flax_versions import NODE, contents, is_key, is_tracer, lanes, primal
from nnx_conformance.observe.graph import Same
from nnx_conformance.observe.spies.patches import Patches

#: What writes to the contents of a Variable; in-place operators exist from Flax 0.9 to 0.11.
WRITERS = (
    "__setattr__",
    "__setitem__",
    "set_value",
    "set_raw_value",
    "copy_from",
    "copy_from_state",
    "update_from_state",
)
IN_PLACE = ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "and", "xor", "or")
FLAX = os.path.dirname(flax.__file__) + os.sep
#: The parts of Flax that write as a user's module would; others copy what was written, as nnx.jit does.
LAYERS = (
    os.path.dirname(inspect.getfile(nnx.BatchNorm)) + os.sep,
    inspect.getfile(nnx.Rngs),
    inspect.getfile(nnx.Optimizer),
)
UPDATE = nnx.update.__code__
#: A line in these is nobody's mistake.
LIBRARIES = tuple(os.path.dirname(str(module.__file__)) + os.sep for module in (flax, jax, chex, np, contextlib))
#: This package, and no folder around it.
OWN = os.path.dirname(os.path.abspath(__file__)) + os.sep


@dataclass(eq=False)
class UserWrite:
    """A write that user code made, or a layer of Flax for it.

    Attributes:
        target: the Variable, or the node whose attribute was replaced by `name`.
        places: for each module in the frames around it that leads to the target, outermost first: its class, and where
            in it the target hangs.
        line: the innermost line outside of libraries.
        values: what the Variable holds after it, in every lane and at every run of a traced write; empty if nobody
            ran it.
    """

    target: Any
    name: str
    places: list[tuple[type, Keys]]
    line: str
    lanes: bool = False
    values: list[np.ndarray] = field(default_factory=list)


@dataclass(eq=False)
class Writes:
    """All writes of a block.

    Attributes:
        created: the Variables that came to be in it, other than as a copy.
        compiled: whether something was put into compiled code to learn what it writes.
    """

    contents: list[UserWrite] = field(default_factory=list)
    attributes: list[UserWrite] = field(default_factory=list)
    created: set[Same[Any]] = field(default_factory=set)
    compiled: bool = False

    def line_of(self, module: Any, keys: Keys) -> str:
        """Behind a message: the last line that wrote to this path of the module; empty if none is known."""
        fitting = [
            write.line
            for write in (*self.attributes, *self.contents)
            if write.line and any((kind, where) == (type(module), keys) for kind, where in write.places)
        ]
        return f", written at {fitting[-1]}" if fitting else ""


@contextmanager
def watching(values: bool = False) -> Iterator[Writes]:
    """Note the writes of a block; with `values`, also what was written, though compiled code does it."""
    writes = Writes()
    with Patches() as patches:
        for name in (*WRITERS, *(f"__i{operator}__" for operator in IN_PLACE)):
            if name in vars(nnx.Variable):
                patches.replace(nnx.Variable, name, _writer(writes, vars(nnx.Variable)[name], values))
        patches.replace(nnx.Variable, "__init__", _creator(writes, nnx.Variable.__init__))
        patches.replace(nnx.Module, "__setattr__", _setter(writes, nnx.Module.__setattr__))
        yield writes


class Block(AbstractContextManager[None]):
    """A check of a module around a block, given its state from before, the module, and who wrote in the block.

    A class, because pytest would show contextlib's line for the test's own.
    """

    def __init__(
        self, name: str, module: Any, form: MessageForm, check: Callable[[StateCopy, Any, Writes], None]
    ) -> None:
        refuse_unknown(name, form)
        self._name, self._module, self._form, self._check = name, module, form, check
        self._watch = watching()

    def __enter__(self) -> None:
        """Copy the state, and watch who writes."""
        self._before = snapshot(self._module)
        self._writes = self._watch.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        """Check, unless the block raised."""
        __tracebackhide__ = True
        self._watch.__exit__(None, None, None)
        if kind is None and enabled():
            try:
                self._check(self._before, self._module, self._writes)
            except Failed as failed:
                raise error_of(self._name, str(failed), **self._form) from None


def _writer(writes: Writes, original: Any, values: bool) -> Any:
    @functools.wraps(original)
    def write(self: Any, *args: Any, **kwargs: Any) -> Any:
        done = original(self, *args, **kwargs)
        frame = sys._getframe(1)
        if _is_own(_past_update(frame)) and isinstance(self, nnx.Variable) and Same(self) not in writes.created:
            noted = UserWrite(self, "", _places(frame, self), _line(frame))
            writes.contents.append(noted)
            if values:
                _note_value(writes, noted, contents(self))
        return done

    return write


def _creator(writes: Writes, original: Any) -> Any:
    @functools.wraps(original)
    def create(self: Any, *args: Any, **kwargs: Any) -> None:
        writes.created.add(Same(self))
        original(self, *args, **kwargs)

    return create


def _setter(writes: Writes, original: Any) -> Any:
    @functools.wraps(original)
    def __setattr__(self: Any, name: str, value: Any) -> None:
        frame, old = sys._getframe(1), vars(self).get(name)
        if isinstance(old, nnx.Variable) and value is not old and _is_own(frame):
            owners = [(kind, (*where, name)) for kind, where in _places(frame, self)]
            writes.attributes.append(UserWrite(self, name, owners, _line(frame)))
        original(self, name, value)

    return __setattr__


def _note_value(writes: Writes, write: UserWrite, value: Any) -> None:
    value = primal(value)
    inside = lanes(value) if is_tracer(value) else None
    if inside is not None:
        write.lanes = True
        write.values.append(np.array(inside))
    elif not is_tracer(value):
        _keep(write, value)
    else:
        # Only the run knows what is written, and whether there is one: `jax.eval_shape` traces, and writes nothing.
        writes.compiled = True
        jax.debug.callback(functools.partial(_keep, write), jax.random.key_data(value) if is_key(value) else value)


def _keep(write: UserWrite, value: Any) -> None:
    if isinstance(value, (jax.Array, np.ndarray, np.generic, bool, int, float, complex)):
        write.values.append(on_host(value))


def _is_own(frame: FrameType) -> bool:
    """Whether code outside of libraries is running, or a layer of Flax."""
    filename = frame.f_code.co_filename
    return filename.startswith(LAYERS) or not filename.startswith((*LIBRARIES, OWN, "<frozen"))


def _past_update(frame: FrameType) -> FrameType:
    """The frame that called `nnx.update`, if that is what writes; else the frame itself."""
    inner: FrameType | None = frame
    while inner is not None and not _is_own(inner):
        if inner.f_code is UPDATE:
            return inner.f_back or frame
        inner = inner.f_back
    return frame


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        if _is_own(frame) or frame.f_code is UPDATE:
            yield frame
        frame = frame.f_back


def _line(frame: FrameType) -> str:
    for outer in _frames(frame):
        filename = outer.f_code.co_filename
        if not filename.startswith(FLAX):
            path = os.path.relpath(filename) if filename.startswith(os.getcwd() + os.sep) else filename
            source = linecache.getline(filename, outer.f_lineno).strip()
            return f"{path}:{outer.f_lineno}" + (f": `{source[:120]}`" if source else "")
    return ""


def _places(frame: FrameType, target: Any) -> list[tuple[type, Keys]]:
    """Where the target hangs, by the modules that the frames' variables hold, outermost first.

    A transform hands copies to the function that it calls: what is written there is the original's only by its path.
    """
    owners: list[tuple[type, Keys]] = []
    done: set[Same[Any]] = set()
    for outer in _frames(frame):
        for value in list(outer.f_locals.values()):
            if isinstance(value, NODE) and not isinstance(value, nnx.Variable) and Same(value) not in done:
                done.add(Same(value))
                owners += [(type(value), spot.keys) for spot in walk(value, nodes=True) if spot.value is target]
    return owners[::-1]
