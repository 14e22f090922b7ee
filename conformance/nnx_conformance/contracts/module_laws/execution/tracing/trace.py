"""A call of a module as a function of its state and its input, traced."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from nnx_conformance.contracts.module_laws.execution.harness import Harness
from nnx_conformance.contracts.module_laws.execution.pool import is_state, is_static
from nnx_conformance.contracts.module_laws.execution.snapshots import contents_of, holds_keys, is_param, variables
from nnx_conformance.contracts.module_laws.execution.tracing.flat import Atom, Flat
from nnx_conformance.contracts.module_laws.execution.tracing.source_spans import SourceSpans
from nnx_conformance.observe.flax_versions import is_key


class Untraceable(Exception):
    """Why a call cannot be traced as a function of state and input."""


@dataclass(frozen=True, eq=False)
class TracedArguments:
    """The arguments of a call: its numbers, and how the rest goes around them."""

    structure: Any
    static: dict[int, Any]
    numbers: list[Any]

    def whole(self, numbers: Sequence[Any]) -> Any:
        """The arguments, with other numbers."""
        rest = iter(numbers)
        count = self.structure.num_leaves
        return jax.tree.unflatten(
            self.structure, [self.static[at] if at in self.static else next(rest) for at in range(count)]
        )


def arguments_of(given: Any) -> TracedArguments:
    """The parts of a call's arguments.

    Raises:
        Untraceable: if state is among them, which a call may change.
    """
    leaves, structure = jax.tree.flatten(given, is_leaf=lambda leaf: leaf is None or is_state(leaf))
    if any(map(is_state, leaves)):
        raise Untraceable("a call may change what is state among its arguments")
    static = {at: leaf for at, leaf in enumerate(leaves) if is_static(leaf)}
    return TracedArguments(structure, static, [leaf for at, leaf in enumerate(leaves) if at not in static])


@dataclass(frozen=True, eq=False)
class Trace:
    """What a call does, from the contents of its state and the numbers of its input to outputs and new contents.

    Attributes:
        paths: of the state, by the position of the input that holds it; the input's numbers follow.
        values: what the state holds, in that order.
        arguments: those that it was traced with.
        params: the paths of Params; `random`: those that hold keys, or counts of them.
        outputs: how many outputs of the call there are; the new contents follow, in the order of `paths`.
        closed: the program as JAX has it.
        stable: whether the call leaves the structure of the graph as it is, and adds nothing to the state.
    """

    paths: tuple[str, ...]
    values: tuple[Any, ...]
    arguments: TracedArguments
    params: frozenset[str]
    random: frozenset[str]
    outputs: int
    closed: Any
    stable: bool
    places: SourceSpans

    @functools.cached_property
    def flat(self) -> Flat:
        """The program written out."""
        return Flat(self.closed, self.places)

    @property
    def new(self) -> tuple[Atom, ...]:
        """What each path holds after the call."""
        return self.flat.outputs[self.outputs :]

    @property
    def returned(self) -> tuple[Atom, ...]:
        """What the call returns."""
        return self.flat.outputs[: self.outputs]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The inputs of the program that are numbers of the call's input."""
        return tuple(range(len(self.paths), self.flat.inputs))

    @property
    def text(self) -> str:
        """The types of the input, such as `float32[2,3]`; of a call that takes no numbers, those of its state."""
        if not self.arguments.numbers:
            return "its state"
        kinds = [jnp.asarray(number) if not is_key(number) else number for number in self.arguments.numbers]
        return ", ".join(f"{kind.dtype}[{','.join(map(str, kind.shape))}]" for kind in kinds)


def traced(harness: Harness, module: Any, given: Any) -> Trace:
    """The trace of a module's call; the module itself is not called, but copies of it.

    Raises:
        Untraceable: if its call is no function of the state and the numbers that it is given.
        Exception: whatever the call raises in a trace.
    """
    arguments = arguments_of(given)
    graph, state = nnx.split(module)
    leaves, structure = jax.tree.flatten(state)
    contents = contents_of(module)
    paths: list[str] = []
    after: list[Any] = []
    stable = [True]

    def run(leaves: list[Any], numbers: list[Any]) -> tuple[list[Any], list[Any]]:
        copy = nnx.merge(graph, jax.tree.unflatten(structure, leaves))
        before = contents_of(copy)
        named = {id(value): path for path, value in reversed(before.items())}
        paths[:] = [named.get(id(leaf), "") for leaf in leaves]
        outputs = jax.tree.leaves(harness.invoke(copy, *arguments.whole(numbers)))
        now = contents_of(copy)
        stable[0] = now.keys() == before.keys() and _same(nnx.split(copy)[0], graph)
        after[:] = [now.get(path) for path in paths]
        return [leaf for leaf in outputs if isinstance(leaf, jax.Array)], after

    closed, (outputs, _) = jax.make_jaxpr(run, return_shape=True)(leaves, arguments.numbers)
    if not all(paths) or any(path not in contents for path in paths) or any(value is None for value in after):
        raise Untraceable("its state comes and goes with calls")
    held = variables(module)
    roots = {path: held.get(path.split("/")[0]) for path in paths}
    params = frozenset(path for path, variable in roots.items() if variable is not None and is_param(variable))
    random = frozenset(path for path, variable in roots.items() if variable is not None and holds_keys(variable))
    values = tuple(contents[path] for path in paths)
    places = SourceSpans(harness.source)
    return Trace(tuple(paths), values, arguments, params, random, len(outputs), closed, stable[0], places)


def _same(graph: Any, other: Any) -> bool:
    try:
        return bool(graph == other)
    except Exception:  # noqa: BLE001 - values in it may not be comparable
        return False
