"""A subject ready to run: its inputs, its compiled transforms, and its twin."""

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
from nnx_conformance.contracts.module_laws.execution.snapshots import is_random, variables
from nnx_conformance.core.candidate.subject import Subject
from nnx_conformance.core.facts import Warned
from nnx_conformance.core.plain_text import plain
from nnx_conformance.observe.flax_versions import NODE, contents, set_contents
from nnx_conformance.observe.source import Source

#: Parts of JAX's messages about an operation without a gradient, or without a reverse one.
NO_GRADIENT = (
    "Reverse-mode differentiation does not work",
    "Differentiation rule for",
    "do not support JVP",
    "does not support reverse-mode",
    "Transpose rule",
    "can't apply forward-mode",
)


#: Larger Python numbers do not fit into int32.
LARGEST = 2.0**31


def invoked(subject: Subject, module: Any, *arguments: Any) -> Any:
    """What a call returns, as a pytree that a transform can return too.

    A dataclass that is no pytree becomes a dict of its fields, a module a dict of its state without random streams (a
    method may return `self`), a Variable its contents, a Python number an array, and a value that is neither a number
    nor state None.
    """
    return _numbers(subject.invoke(module, *arguments))


def _numbers(value: Any) -> Any:
    leaves, structure = jax.tree.flatten(value, is_leaf=lambda part: isinstance(part, (nnx.Variable, NODE)))
    return jax.tree.unflatten(structure, [_number(leaf) for leaf in leaves])


def _number(leaf: Any) -> Any:
    if isinstance(leaf, nnx.Variable):
        return _numbers(contents(leaf))
    if isinstance(leaf, NODE):
        state = variables(leaf).items()
        return {path: _numbers(contents(variable)) for path, variable in state if not is_random(variable)}
    if dataclasses.is_dataclass(leaf) and not isinstance(leaf, type) and is_static(leaf):
        return {field.name: _numbers(getattr(leaf, field.name)) for field in dataclasses.fields(leaf)}
    if type(leaf) in (bool, int, float, complex) and abs(leaf) < LARGEST:
        return jax.numpy.asarray(leaf)  # Flax 0.8 treats Python numbers as part of the structure
    return None if is_static(leaf) else leaf


class Transforms:
    """The transforms of one subject, each built once and compiled once per shape; `traces` counts traced calls."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        # Passed only if it differs from Flax's default.
        self._training = {"trainable": (nnx.Param, *subject.trained)} if subject.trained else {}
        self._transformed: dict[Any, operations.StepFunction] = {}
        self.traces = 0

    def run(self, name: str, module: Any, arguments: Any, *further: Any) -> Any:
        """The outputs of a module's call through the transform of this name in `operations`."""
        leaves, structure = jax.tree.flatten(arguments, is_leaf=lambda leaf: leaf is None)
        static = {index: leaf for index, leaf in enumerate(leaves) if is_static(leaf)}
        key = (name, structure, repr(static))
        if key not in self._transformed:
            options = self._training if name in ("grad", "optimize") else {}
            transform = meshes.shardmap if name == "shardmap" else getattr(operations, name)
            self._transformed[key] = transform(self._step(structure, static), **options)
        numbers = [leaf for index, leaf in enumerate(leaves) if index not in static]
        return self._transformed[key](module, numbers, *further)

    def _step(self, structure: Any, static: dict[int, Any]) -> operations.StepFunction:
        def step(module: Any, numbers: list[Any]) -> Any:
            self.traces += 1
            rest = iter(numbers)
            leaves = [static[index] if index in static else next(rest) for index in range(structure.num_leaves)]
            return invoked(self._subject, module, *jax.tree.unflatten(structure, leaves))

        return step


@functools.cache
def broken(name: str) -> str:
    """Why a transform fails on every module with the installed Flax, even on `nnx.Linear`; empty if it works.

    Checked when a subject raises. In Flax 0.10 and 0.11, `nnx.custom_vjp` fails inside `nnx.jit` and `nnx.grad`.
    """
    if name not in ("remat", "switch", "custom_vjp", "vjp", "jvp"):
        return ""
    linear, row = nnx.Linear(2, 2, rngs=nnx.Rngs(0)), np.ones((1, 2), np.float32)
    try:
        Transforms(Subject(lambda rngs: linear, [row])).run(name, linear, [row])
    except Exception as error:  # noqa: BLE001 - no subject takes part in this call
        return f"nnx.{name} of Flax {flax.__version__} raises {type(error).__name__} for every module"
    return ""


class Harness:
    """A subject, its inputs, and what was compiled for it.

    Attributes:
        takes_empty: whether making or calling it takes arrays from `empty`.
    """

    def __init__(self, subject: Subject, pool: Pool, source: Source, where: str) -> None:
        self.subject = subject
        self.pool = pool
        self.source = source
        self.where = where
        self.warnings: tuple[Warned, ...] = ()
        self.takes_empty = False
        self._lazy: dict[str, bool] = {}
        self._undifferentiable: dict[tuple[str, str], str] = {}
        self._transforms: dict[str, Transforms] = {}
        self._results: dict[Any, Any] = {}

    def once(self, key: Any, compute: Callable[[], Any]) -> Any:
        """The result of `compute`, cached by `key`: it must not depend on what a program did before."""
        if key not in self._results:
            self._results[key] = compute()
        return self._results[key]

    def transforms(self, mode: str, fresh: bool) -> Transforms:
        """The transforms for a mode of Flax: those that all cases share, or new ones if `fresh`."""
        if fresh:
            return Transforms(self.subject)
        return self._transforms.setdefault(mode, Transforms(self.subject))

    def make(self, seed: int) -> Any:
        """A new module, made from a new Rngs."""
        return self.subject.make(nnx.Rngs(seed))

    def call(self, module: Any, number: int) -> Any:
        """Call a module in plain Python, on copies of an input."""
        return self.invoke(module, *self.pool.arguments(number))

    def invoke(self, module: Any, *arguments: Any) -> Any:
        """Call a module in plain Python on some arguments."""
        return invoked(self.subject, module, *arguments)

    def lazy(self, number: int) -> bool:
        """Whether a module's first call adds Variables, or replaces some by new ones."""
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
        """Why JAX cannot differentiate a call through transform `by`; empty if it can, or fails for another reason."""
        key = by, self.pool.shapes(number)
        if key not in self._undifferentiable:
            self._undifferentiable[key] = ""
            module = self.make(0)
            try:
                self.call(module, number)
                Transforms(self.subject).run(by, module, self.pool.arguments(number))
            except Exception as error:  # noqa: BLE001 - the program itself shows any other error
                message = str(error)
                if any(text in message for text in NO_GRADIENT):
                    self._undifferentiable[key] = f"JAX cannot differentiate its call: {message.splitlines()[0][:100]}"
        return self._undifferentiable[key]

    def warned(self, caught: list[warnings.WarningMessage]) -> tuple[Warned, ...]:
        """Those of the warnings that lines in the subject's own files caused."""
        warned = {}
        for warning in caught:
            if self.source.owns(warning.filename):
                line = self.source.line(warning.filename, warning.lineno)
                message = plain(str(warning.message)[:300])
                about = f"{warning.message} {warning.category.__module__}".lower()
                package = "jax" if "jax" in about and "nnx" not in about else "flax"
                warned[line, message] = Warned(warning.category.__name__, message, line, package)
        return tuple(warned.values())


#: The actions on a twin in order: `("call", 0)`, `("mode", "eval")` or `("params", {...})`.
History = tuple[tuple[str, Any], ...]


class Twin:
    """A module that we call in plain Python only, and its history, which a new twin can replay."""

    def __init__(self, harness: Harness, seed: int, history: History = ()) -> None:
        self.harness = harness
        self.seed = seed
        self.history = history
        self.module = harness.make(seed)
        for kind, value in history:
            self._apply(kind, value)

    def replayed(self, seed: int | None = None) -> Twin:
        """A new twin with the same history, made from this seed or another."""
        return Twin(self.harness, self.seed if seed is None else seed, self.history)

    def call(self, number: int, *, moved: bool = False) -> Any:
        """Call it on an input; if `moved`, on one that differs in the last bits."""
        self.history += (("call", number),)
        arguments = self.harness.pool.arguments(number)
        return self.harness.invoke(self.module, *(nudged(arguments) if moved else arguments))

    def apply(self, kind: str, value: Any) -> None:
        """Set its mode, or write its Params, and add that to the history."""
        self.history += ((kind, value),)
        self._apply(kind, value)

    @property
    def calls(self) -> int:
        """The number of calls in its history."""
        return sum(kind == "call" for kind, _ in self.history)

    @property
    def evaluating(self) -> bool:
        """Whether it is in eval mode."""
        return [value for kind, value in self.history if kind == "mode"][-1:] == ["eval"]

    def _apply(self, kind: str, value: Any) -> None:
        if kind == "call":
            self.harness.call(self.module, value)
        elif kind == "mode":
            getattr(self.module, value)()
        else:
            state = variables(self.module)
            for path in value.keys() & state.keys():
                set_contents(state[path], value[path])


def nudged(arguments: CallArguments) -> CallArguments:
    """The arguments with their floating numbers moved by one last bit, some up and some down."""
    return jax.tree.map(lambda leaf: leaf if is_state(leaf) else _moved(leaf), arguments, is_leaf=is_state)  # type: ignore[no-any-return]


def nudge(module: Any) -> None:
    """Move the floating numbers of a module's state by one last bit.

    Numbers that cancel exactly then show how much rounding could leave of them. Half precision is left alone: its last
    bit is too large a change.
    """
    for index, variable in enumerate(variables(module).values()):
        value = contents(variable)
        if isinstance(value, jax.Array) and value.dtype in (np.float32, np.float64):
            set_contents(variable, _moved(value, up=index % 2 == 0))


def _moved(leaf: Any, *, up: bool = True) -> Any:
    if not isinstance(leaf, (jax.Array, np.ndarray)) or not jax.numpy.issubdtype(leaf.dtype, np.inexact):
        return leaf
    # Not in turn: rows of even length that are equal would stay equal, and BatchNorm's variance 0.
    signs = np.random.default_rng(0).choice((-1, 1), np.shape(leaf)) * (1 if up else -1)
    step = float(jax.numpy.finfo(leaf.dtype).eps)  # type: ignore[no-untyped-call]
    return (leaf * (1 + step * signs)).astype(leaf.dtype)


def stacked(several: list[CallArguments]) -> CallArguments:
    """The arguments of several calls, stacked along a new first axis."""
    return jax.tree.map(lambda *leaves: _stack(leaves), *several)  # type: ignore[no-any-return]


def _stack(leaves: tuple[Any, ...]) -> Any:
    if is_state(leaves[0]):  # before Flax 0.11, modules are no pytrees
        return operations.stack(list(leaves))
    if is_static(leaves[0]):
        return leaves[0]
    return jax.numpy.stack([jax.numpy.asarray(leaf) for leaf in leaves])
