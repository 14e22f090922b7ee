"""The trace of a module's call as a function of its state and its input."""

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
from nnx_conformance.contracts.module_laws.execution.tracing.flat import Atom, FlatJaxpr
from nnx_conformance.contracts.module_laws.execution.tracing.source_spans import SourceSpans
from nnx_conformance.observe.flax_versions import is_key


class Untraceable(Exception):
    """A call is no function of state and input; the message says why."""


@dataclass(frozen=True, eq=False)
class TracedArguments:
    """The arguments of a call, taken apart: its numbers, the static leaves by index, and the structure."""

    structure: Any
    static: dict[int, Any]
    numbers: list[Any]

    def whole(self, numbers: Sequence[Any]) -> Any:
        """The arguments with other numbers."""
        rest = iter(numbers)
        count = self.structure.num_leaves
        return jax.tree.unflatten(
            self.structure, [self.static[index] if index in self.static else next(rest) for index in range(count)]
        )


def arguments_of(arguments: Any) -> TracedArguments:
    """The arguments of a call, taken apart.

    Raises:
        Untraceable: if they include state, which a call may change.
    """
    leaves, structure = jax.tree.flatten(arguments, is_leaf=lambda leaf: leaf is None or is_state(leaf))
    if any(map(is_state, leaves)):
        raise Untraceable("a call may change what is state among its arguments")
    static = {index: leaf for index, leaf in enumerate(leaves) if is_static(leaf)}
    return TracedArguments(structure, static, [leaf for index, leaf in enumerate(leaves) if index not in static])


@dataclass(frozen=True, eq=False)
class Trace:
    """A call as a function from state contents and input numbers to outputs and new state contents.

    Attributes:
        paths: the paths of the state, in the order of the function's inputs; the input's numbers follow.
        values: the contents of the state, in that order.
        arguments: the arguments of the traced call.
        params: the paths of Params.
        random: the paths of keys and of their counts.
        outputs: the number of the call's outputs; the new contents follow, in the order of `paths`.
        closed_jaxpr: the function as JAX traced it.
        stable: whether the call keeps the structure of the graph and adds no state.
        spans: finds the source of equations.
    """

    paths: tuple[str, ...]
    values: tuple[Any, ...]
    arguments: TracedArguments
    params: frozenset[str]
    random: frozenset[str]
    outputs: int
    closed_jaxpr: Any
    stable: bool
    spans: SourceSpans

    @functools.cached_property
    def flat(self) -> FlatJaxpr:
        """The jaxpr with everything inlined."""
        return FlatJaxpr(self.closed_jaxpr, self.spans)

    @property
    def new(self) -> tuple[Atom, ...]:
        """The new contents of each path."""
        return self.flat.outputs[self.outputs :]

    @property
    def returned(self) -> tuple[Atom, ...]:
        """The outputs of the call."""
        return self.flat.outputs[: self.outputs]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Which inputs of the function are numbers of the call's input."""
        return tuple(range(len(self.paths), self.flat.inputs))

    @property
    def text(self) -> str:
        """The types of the input, such as `float32[2,3]`; `its state` if the call takes no numbers."""
        if not self.arguments.numbers:
            return "its state"
        kinds = [jnp.asarray(number) if not is_key(number) else number for number in self.arguments.numbers]
        return ", ".join(f"{kind.dtype}[{','.join(map(str, kind.shape))}]" for kind in kinds)


def traced(harness: Harness, module: Any, call_arguments: Any) -> Trace:
    """The trace of a module's call, made by calling a copy of the module.

    Raises:
        Untraceable: if the call is no function of its state and its numbers.
        Exception: whatever the call raises in a trace.
    """
    arguments = arguments_of(call_arguments)
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

    closed_jaxpr, (outputs, _) = jax.make_jaxpr(run, return_shape=True)(leaves, arguments.numbers)
    if not all(paths) or any(path not in contents for path in paths) or any(value is None for value in after):
        raise Untraceable("its state comes and goes with calls")
    by_path = variables(module)
    owners = {path: by_path.get(path.split("/")[0]) for path in paths}
    params = frozenset(path for path, variable in owners.items() if variable is not None and is_param(variable))
    random = frozenset(path for path, variable in owners.items() if variable is not None and holds_keys(variable))
    values = tuple(contents[path] for path in paths)
    spans = SourceSpans(harness.source)
    return Trace(tuple(paths), values, arguments, params, random, len(outputs), closed_jaxpr, stable[0], spans)


def _same(graph: Any, other: Any) -> bool:
    try:
        return bool(graph == other)
    except Exception:  # noqa: BLE001 - values in it may not be comparable
        return False
