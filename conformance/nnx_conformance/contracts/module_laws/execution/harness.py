"""A subject ready to be run: its inputs, its transforms, compiled once, and its twin."""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Callable
from typing import Any

import flax
import jax
import numpy as np
from flax import nnx

from nnx_conformance.contracts.module_laws.execution import meshes, operations
from nnx_conformance.contracts.module_laws.execution.pool import CallArguments, Pool, is_state, is_static
from nnx_conformance.contracts.module_laws.execution.snapshots import variables
from nnx_conformance.core.candidate.subject import Subject
from nnx_conformance.core.facts import Warned
from nnx_conformance.core.plain_text import plain
from nnx_conformance.observe.flax_versions import contents, set_contents
from nnx_conformance.observe.source import Source

#: What JAX says of an operation that has no gradient, or none in reverse.
NO_GRADIENT = (
    "Reverse-mode differentiation does not work",
    "Differentiation rule for",
    "do not support JVP",
    "does not support reverse-mode",
    "Transpose rule",
    "can't apply forward-mode",
)


#: A larger number of Python does not fit into int32.
LARGEST = 2.0**31


def invoked(subject: Subject, module: Any, *arguments: Any) -> Any:
    """What a call returned, as a pytree of numbers that a transform can return, too.

    Of a dataclass that is no pytree, the fields; of a Variable, its contents; what is neither numbers nor state, None;
    a number of Python as an array.
    """
    return _numbers(subject.invoke(module, *arguments))


def _numbers(value: Any) -> Any:
    leaves, structure = jax.tree.flatten(value, is_leaf=lambda part: isinstance(part, nnx.Variable))
    return jax.tree.unflatten(structure, [_number(leaf) for leaf in leaves])


def _number(leaf: Any) -> Any:
    if isinstance(leaf, nnx.Variable):
        return _numbers(contents(leaf))
    if dataclasses.is_dataclass(leaf) and not isinstance(leaf, type) and is_static(leaf):
        return {field.name: _numbers(getattr(leaf, field.name)) for field in dataclasses.fields(leaf)}
    if type(leaf) in (bool, int, float, complex) and abs(leaf) < LARGEST:
        return jax.numpy.asarray(leaf)  # Flax 0.8 takes a number of Python for part of the structure
    return None if is_static(leaf) else leaf


class Transforms:
    """The transforms of one subject. Each is made, and compiled for each shape, once."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        # Given only where it differs from Flax's own default.
        self._training = {"trainable": (nnx.Param, *subject.trained)} if subject.trained else {}
        self._transformed: dict[Any, operations.StepFunction] = {}
        self.traces = 0

    def run(self, name: str, module: Any, arguments: Any, *further: Any) -> Any:
        """Call a module through a transform of `operations`, by its name."""
        leaves, structure = jax.tree.flatten(arguments, is_leaf=lambda leaf: leaf is None)
        static = {at: leaf for at, leaf in enumerate(leaves) if is_static(leaf)}
        key = (name, structure, repr(static))
        if key not in self._transformed:
            options = self._training if name in ("grad", "optimize") else {}
            transform = meshes.shardmap if name == "shardmap" else getattr(operations, name)
            self._transformed[key] = transform(self._step(structure, static), **options)
        numbers = [leaf for at, leaf in enumerate(leaves) if at not in static]
        return self._transformed[key](module, numbers, *further)

    def _step(self, structure: Any, static: dict[int, Any]) -> operations.StepFunction:
        def step(module: Any, numbers: list[Any]) -> Any:
            self.traces += 1
            rest = iter(numbers)
            leaves = [static[at] if at in static else next(rest) for at in range(structure.num_leaves)]
            return invoked(self._subject, module, *jax.tree.unflatten(structure, leaves))

        return step


@functools.cache
def broken(name: str) -> str:
    """Why this Flax runs a transform on no module, not even on its own `nnx.Linear`; empty if it does.

    Asked where a subject raises: `nnx.custom_vjp` of Flax 0.10 and 0.11 does so inside `nnx.jit` and `nnx.grad`.
    """
    if name not in ("remat", "switch", "custom_vjp", "vjp", "jvp"):
        return ""
    linear, given = nnx.Linear(2, 2, rngs=nnx.Rngs(0)), np.ones((1, 2), np.float32)
    try:
        Transforms(Subject(lambda rngs: linear, [given])).run(name, linear, [given])
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no subject's
        return f"nnx.{name} of Flax {flax.__version__} raises {type(error).__name__} for every module"
    return ""


class Harness:
    """A subject, what it is called with, and what was compiled for it.

    Attributes:
        unwritten: whether making or calling it takes arrays from `empty`.
    """

    def __init__(self, subject: Subject, pool: Pool, source: Source, where: str) -> None:
        self.subject = subject
        self.pool = pool
        self.source = source
        self.where = where
        self.warnings: tuple[Warned, ...] = ()
        self.unwritten = False
        self._lazy: dict[str, bool] = {}
        self._undifferentiable: dict[tuple[str, str], str] = {}
        self._transforms: dict[str, Transforms] = {}
        self._looked_into: dict[Any, Any] = {}

    def once(self, key: Any, look: Callable[[], Any]) -> Any:
        """What looking into something gives, looked into once: it depends on nothing that a program did before."""
        if key not in self._looked_into:
            self._looked_into[key] = look()
        return self._looked_into[key]

    def transforms(self, mode: str, fresh: bool) -> Transforms:
        """What is compiled for a mode of Flax: shared by all cases, or made anew."""
        if fresh:
            return Transforms(self.subject)
        return self._transforms.setdefault(mode, Transforms(self.subject))

    def make(self, seed: int) -> Any:
        """A new module, from an Rngs of its own."""
        return self.subject.make(nnx.Rngs(seed))

    def call(self, module: Any, number: int) -> Any:
        """Call a module in plain Python, on copies of an input."""
        return self.invoke(module, *self.pool.arguments(number))

    def invoke(self, module: Any, *arguments: Any) -> Any:
        """Call a module in plain Python on some arguments."""
        return invoked(self.subject, module, *arguments)

    def lazy(self, number: int) -> bool:
        """Whether a first call makes Variables, or puts new ones in the place of others."""
        shapes = self.pool.shapes(number)
        if shapes not in self._lazy:
            module = self.make(0)
            before = variables(module)
            self.call(module, number)
            after = variables(module)
            self._lazy[shapes] = before.keys() != after.keys() or any(
                after[path] is not before[path] for path in before
            )
        return self._lazy[shapes]

    def undifferentiable(self, number: int, by: str = "grad") -> str:
        """Why JAX itself cannot differentiate a call by a transform; empty if it can, or fails for another reason."""
        key = by, self.pool.shapes(number)
        if key not in self._undifferentiable:
            self._undifferentiable[key] = ""
            module = self.make(0)
            try:
                self.call(module, number)
                Transforms(self.subject).run(by, module, self.pool.arguments(number))
            except Exception as error:  # noqa: BLE001 - what else is wrong with it shows in the program
                message = str(error)
                if any(text in message for text in NO_GRADIENT):
                    self._undifferentiable[key] = f"JAX cannot differentiate its call: {message.splitlines()[0][:100]}"
        return self._undifferentiable[key]

    def warned(self, caught: list[warnings.WarningMessage]) -> tuple[Warned, ...]:
        """The warnings that lines of the subject's own files caused."""
        warned = {}
        for warning in caught:
            if self.source.owns(warning.filename):
                line = self.source.line(warning.filename, warning.lineno)
                message = plain(str(warning.message)[:300])
                about = f"{warning.message} {warning.category.__module__}".lower()
                package = "jax" if "jax" in about and "nnx" not in about else "flax"
                warned[line, message] = Warned(warning.category.__name__, message, line, package)
        return tuple(warned.values())


#: What was done with a twin: `("call", 0)`, `("mode", "eval")` or `("params", {...})`, one after the other.
History = tuple[tuple[str, Any], ...]


class Twin:
    """A module that is only ever called in plain Python, and what was done with it, to do it again with another."""

    def __init__(self, harness: Harness, seed: int, history: History = ()) -> None:
        self.harness = harness
        self.seed = seed
        self.history = history
        self.module = harness.make(seed)
        for kind, value in history:
            self._do(kind, value)

    def again(self, seed: int | None = None) -> Twin:
        """The same done with a new module, from this seed or another."""
        return Twin(self.harness, self.seed if seed is None else seed, self.history)

    def call(self, number: int, *, moved: bool = False) -> Any:
        """Call it on an input, or on one that differs from it in the last bits."""
        self.history += (("call", number),)
        given = self.harness.pool.arguments(number)
        return self.harness.invoke(self.module, *(nudged(given) if moved else given))

    def do(self, kind: str, value: Any) -> None:
        """Set its mode, or write its Params."""
        self.history += ((kind, value),)
        self._do(kind, value)

    @property
    def calls(self) -> int:
        """How often it was called."""
        return sum(kind == "call" for kind, _ in self.history)

    @property
    def evaluating(self) -> bool:
        """Whether it is in eval mode."""
        return [value for kind, value in self.history if kind == "mode"][-1:] == ["eval"]

    def _do(self, kind: str, value: Any) -> None:
        if kind == "call":
            self.harness.call(self.module, value)
        elif kind == "mode":
            getattr(self.module, value)()
        else:
            state = variables(self.module)
            for path in value.keys() & state.keys():
                set_contents(state[path], value[path])


def nudged(arguments: CallArguments) -> CallArguments:
    """Arguments whose floating numbers differ in the last bit, up and down by turns."""
    return jax.tree.map(lambda leaf: leaf if is_state(leaf) else _moved(leaf), arguments, is_leaf=is_state)  # type: ignore[no-any-return]


def nudge(module: Any) -> None:
    """Move the floating numbers of a module's state in the last bit: what cancels exactly is not sure to do so.

    Of half precision the last bit is too large a part for that.
    """
    for at, variable in enumerate(variables(module).values()):
        value = contents(variable)
        if isinstance(value, jax.Array) and value.dtype in (np.float32, np.float64):
            set_contents(variable, _moved(value, up=at % 2 == 0))


def _moved(leaf: Any, *, up: bool = True) -> Any:
    if not isinstance(leaf, (jax.Array, np.ndarray)) or not jax.numpy.issubdtype(leaf.dtype, np.inexact):
        return leaf
    signs = (1 - 2 * (np.arange(np.size(leaf)) % 2)).reshape(np.shape(leaf)) * (1 if up else -1)
    step = float(jax.numpy.finfo(leaf.dtype).eps)  # type: ignore[no-untyped-call]
    return (leaf * (1 + step * signs)).astype(leaf.dtype)


def stacked(several: list[CallArguments]) -> CallArguments:
    """Arguments of several calls as one, with a first axis of calls."""
    return jax.tree.map(lambda *leaves: _stack(leaves), *several)  # type: ignore[no-any-return]


def _stack(leaves: tuple[Any, ...]) -> Any:
    if is_state(leaves[0]):  # before Flax 0.11, which made pytrees of modules
        return operations.stack(list(leaves))
    if is_static(leaves[0]):
        return leaves[0]
    return jax.numpy.stack([jax.numpy.asarray(leaf) for leaf in leaves])
