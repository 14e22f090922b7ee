"""A subject ready to be worked on: its inputs, its transforms, compiled once, and its twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from flax import nnx

from nnx_conformance.flax_versions import set_contents
from nnx_conformance.laws import operations
from nnx_conformance.laws.pool import Arguments, Pool
from nnx_conformance.laws.snapshots import variables
from nnx_conformance.observation import Warned
from nnx_conformance.source import Source
from nnx_conformance.subject import Subject

#: What of a call's arguments is no number stands still while a transform traces the call.
STATIC = (bool, str, bytes, type(None))


#: What JAX says of an operation that has no gradient, or none in reverse.
NO_GRADIENT = (
    "Reverse-mode differentiation does not work",
    "Differentiation rule for",
    "do not support JVP",
    "does not support reverse-mode",
    "Transpose rule",
)


class Transforms:
    """The transforms of one subject. Each is made, and compiled for each shape, once."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self._made: dict[Any, operations.Step] = {}
        self.traces = 0

    def run(self, name: str, module: Any, arguments: Any, *further: Any) -> Any:
        """Call a module through a transform of `operations`, by its name."""
        leaves, structure = jax.tree.flatten(arguments, is_leaf=lambda leaf: leaf is None)
        still = {at: leaf for at, leaf in enumerate(leaves) if isinstance(leaf, STATIC) or callable(leaf)}
        key = (name, structure, repr(still))
        if key not in self._made:
            self._made[key] = getattr(operations, name)(self._step(structure, still))
        moving = [leaf for at, leaf in enumerate(leaves) if at not in still]
        return self._made[key](module, moving, *further)

    def _step(self, structure: Any, still: dict[int, Any]) -> operations.Step:
        def step(module: Any, moving: list[Any]) -> Any:
            self.traces += 1
            rest = iter(moving)
            count = structure.num_leaves
            leaves = [still[at] if at in still else next(rest) for at in range(count)]
            return self._call(module, *jax.tree.unflatten(structure, leaves))

        return step


class Bench:
    """A subject, what it is called with, and what was compiled for it."""

    def __init__(self, subject: Subject, pool: Pool, source: Source, where: str) -> None:
        self.subject = subject
        self.pool = pool
        self.source = source
        self.where = where
        self.warnings: tuple[Warned, ...] = ()
        self._lazy: bool | None = None
        self._undifferentiable: str | None = None
        self._transforms: dict[str, Transforms] = {}

    def transforms(self, mode: str, fresh: bool) -> Transforms:
        """What is compiled for a mode of Flax: shared by all cases, or made anew."""
        if fresh:
            return Transforms(self.subject.call)
        return self._transforms.setdefault(mode, Transforms(self.subject.call))

    def make(self, seed: int) -> Any:
        """A new module, from an Rngs of its own."""
        return self.subject.make(nnx.Rngs(seed))

    def lazy(self, number: int) -> bool:
        """Whether a first call makes Variables, or puts new ones in the place of others."""
        if self._lazy is None:
            module = self.make(0)
            before = variables(module)
            self.call(module, number)
            after = variables(module)
            same = before.keys() == after.keys() and all(after[path] is before[path] for path in before)
            self._lazy = not same
        return self._lazy

    def undifferentiable(self, number: int) -> str:
        """Why JAX itself cannot differentiate a call; empty if it can, or fails for another reason."""
        if self._undifferentiable is None:
            module = self.make(0)
            try:
                self.call(module, number)
                Transforms(self.subject.call).run("grad", module, self.pool.held(number))
                self._undifferentiable = ""
            except Exception as error:  # noqa: BLE001 - what else is wrong with it shows in the program
                said = str(error)
                known = any(text in said for text in NO_GRADIENT)
                self._undifferentiable = (
                    f"JAX cannot differentiate its call: {said.splitlines()[0][:100]}" if known else ""
                )
        return self._undifferentiable

    def call(self, module: Any, number: int) -> Any:
        """Call a module in plain Python, on copies of an input."""
        return self.subject.call(module, *self.pool.held(number))


class Twin:
    """A module that is only ever called in plain Python, and what was done with it, to do it again with another."""

    def __init__(self, bench: Bench, seed: int, history: tuple[tuple[str, Any], ...] = ()) -> None:
        self.bench = bench
        self.seed = seed
        self.history = history
        self.module = bench.make(seed)
        for what, value in history:
            self._do(what, value)

    def again(self, seed: int | None = None) -> Twin:
        """The same done with a new module, from this seed or another."""
        return Twin(self.bench, self.seed if seed is None else seed, self.history)

    def call(self, number: int, *, moved: bool = False) -> Any:
        """Call it on an input, or on one that differs from it in the last bits."""
        self.history += (("call", number),)
        given = self.bench.pool.held(number)
        return self.bench.subject.call(self.module, *(nudged(given) if moved else given))

    def mode(self, name: str) -> None:
        """Set its mode: `eval` or `train`."""
        self.history += (("mode", name),)
        self._do("mode", name)

    def params(self, values: dict[str, Any]) -> None:
        """Write its Params."""
        self.history += (("params", values),)
        self._do("params", values)

    @property
    def calls(self) -> int:
        """How often it was called."""
        return sum(what == "call" for what, _ in self.history)

    @property
    def evaluating(self) -> bool:
        """Whether it is in eval mode."""
        return [value for what, value in self.history if what == "mode"][-1:] == ["eval"]

    def _do(self, what: str, value: Any) -> None:
        if what == "call":
            self.bench.call(self.module, value)
        elif what == "mode":
            getattr(self.module, value)()
        else:
            found = variables(self.module)
            for path, contents in value.items():
                if path in found:
                    set_contents(found[path], contents)


def nudged(arguments: Arguments) -> Arguments:
    """Arguments whose floating numbers differ in the last bit, up and down by turns."""

    def move(leaf: Any) -> Any:
        if not isinstance(leaf, (jax.Array, np.ndarray)) or not jax.numpy.issubdtype(leaf.dtype, np.inexact):
            return leaf
        signs = 1 - 2 * (np.arange(np.size(leaf)) % 2).reshape(np.shape(leaf))
        step = float(jax.numpy.finfo(leaf.dtype).eps)  # type: ignore[no-untyped-call]
        return (leaf * (1 + step * signs)).astype(leaf.dtype)

    return jax.tree.map(move, arguments)  # type: ignore[no-any-return]


def stacked(several: list[Arguments]) -> Arguments:
    """Arguments of several calls as one, with a first axis of calls."""
    return jax.tree.map(lambda *leaves: _stack(leaves), *several)  # type: ignore[no-any-return]


def _stack(leaves: tuple[Any, ...]) -> Any:
    if isinstance(leaves[0], STATIC) or callable(leaves[0]):
        return leaves[0]
    return jax.numpy.stack([jax.numpy.asarray(leaf) for leaf in leaves])
