"""Gradients by Params: those that no output has, and those that finite differences contradict.

A zero gradient proves little: a unit may be dead, an input zero. So we read the jaxpr of the derivative: does the
gradient of the Param use the gradient of any output? `jax.lax.stop_gradient`, a comparison and rounding cut that path
for all numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.interpreters.partial_eval import dce_jaxpr

from nnx_conformance.contracts.module_laws.evidence import Slope
from nnx_conformance.contracts.module_laws.execution.snapshots import contents_of, is_param, variables
from nnx_conformance.core.plain_text import plain

#: Primitives that cut or replace a gradient, so that differences need not agree with it.
OWN_GRADIENTS = ("stop_gradient", "custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")
#: The step of differences; the relative error of a sum of float32 numbers.
STEP, ROUNDING = 2.0**-6, 2.0**-20


def without_gradient(module: Any, call: Callable[[Any], Any]) -> tuple[str, ...]:
    """The paths of Params that the call uses, and that no output has a gradient by.

    Calls copies of the module only.

    Raises:
        ValueError: if no output is floating, so that there is no gradient.
        Exception: whatever the call raises in a trace.
    """
    graph, state = nnx.split(module)
    leaves, structure = jax.tree.flatten(state)
    paths: list[str] = []

    def run(leaves: list[Any]) -> tuple[list[Any], list[Any]]:
        copy = nnx.merge(graph, jax.tree.unflatten(structure, leaves))
        before = contents_of(copy)
        named = {id(value): path for path, value in before.items() if is_param(variables(copy).get(path.split("/")[0]))}
        outputs = [leaf for leaf in jax.tree.leaves(call(copy)) if isinstance(leaf, jax.Array) and _floats(leaf)]
        after = contents_of(copy)
        floating = {path for path in named.values() if _floats(before[path])}
        paths[:] = [path if (path := named.get(id(leaf), "")) in floating else "" for leaf in leaves]
        return outputs, [leaf for path, leaf in after.items() if path not in named.values() and _floats(leaf)]

    forward, (outputs, _) = jax.make_jaxpr(run, return_shape=True)(leaves)
    if not outputs:
        raise ValueError("no output is floating")
    _, used = dce_jaxpr(forward.jaxpr, [True] * len(forward.jaxpr.outvars))
    chosen = [index for index, path in enumerate(paths) if path and used[index]]

    def derived(leaves: list[Any], gradients: list[Any]) -> list[Any]:
        def of_params(params: list[Any]) -> list[Any]:
            replaced = dict(zip(chosen, params, strict=True))
            return run([replaced.get(index, leaf) for index, leaf in enumerate(leaves)])[0]

        _, back = jax.vjp(of_params, [leaves[index] for index in chosen])
        return list(back(gradients)[0])

    gradients = [jnp.ones(output.shape, output.dtype) for output in outputs]
    backward = jax.make_jaxpr(derived)(leaves, gradients)
    without = []
    for number, index in enumerate(chosen):
        _, needs = dce_jaxpr(backward.jaxpr, [number == other for other in range(len(chosen))])
        if not any(needs[len(leaves) :]):
            without.append(paths[index])
    return tuple(without)


def slopes_of(module: Any, call: Callable[[Any], Any]) -> tuple[Slope, ...]:
    """The derivative of the floating outputs by each float32 Param, as JAX and as finite differences give it.

    Calls copies of the module only.

    Raises:
        ValueError: if the call cuts or replaces a gradient, or no output is floating.
        Exception: whatever the call raises in a trace.
    """
    graph, state = nnx.split(module)
    leaves, structure = jax.tree.flatten(state)
    named = {id(value): path for path, value in contents_of(module).items() if is_param(_holder(module, path))}
    chosen = {index: path for index, leaf in enumerate(leaves) if (path := named.get(id(leaf))) and _is_single(leaf)}

    def run(params: list[Any]) -> list[Any]:
        replaced = dict(zip(chosen, params, strict=True))
        new = [replaced.get(index, leaf) for index, leaf in enumerate(leaves)]
        copy = nnx.merge(graph, jax.tree.unflatten(structure, new))
        return [leaf for leaf in jax.tree.leaves(call(copy)) if isinstance(leaf, jax.Array) and _floats(leaf)]

    start = [leaves[index] for index in chosen]
    traced = jax.make_jaxpr(run)(start)
    if not traced.out_avals:
        raise ValueError("no output is floating")
    if own := next((name for name in map(_primitive, equations(traced.jaxpr)) if name in OWN_GRADIENTS), ""):
        raise ValueError(f"its call has a gradient of its own: {own}")
    chance = np.random.default_rng(0)
    weights = [chance.standard_normal(output.shape) for output in traced.out_avals]
    compiled = jax.jit(run)

    def total(params: list[Any]) -> tuple[float, float]:
        parts = [
            np.asarray(output, np.float64) * weight for output, weight in zip(compiled(params), weights, strict=True)
        ]
        return float(sum(part.sum() for part in parts)), float(sum(np.abs(part).sum() for part in parts))

    def loss(params: list[Any]) -> Any:
        pairs = zip(run(params), weights, strict=True)
        return sum(jnp.sum(output * jnp.asarray(weight, output.dtype)) for output, weight in pairs)

    gradients = jax.jit(jax.grad(loss))(start)
    (middle, size), slopes = total(start), []
    for number, path in enumerate(chosen.values()):
        direction = chance.choice((-1.0, 1.0), start[number].shape)

        def moved(by: float, number: int = number, direction: Any = direction) -> float:
            param = start[number] + jnp.asarray(by * direction, start[number].dtype)
            return total([*start[:number], param, *start[number + 1 :]])[0]

        whole, half, ahead, back = moved(STEP) - moved(-STEP), moved(STEP / 2), moved(STEP), moved(-STEP)
        measured = (whole / 2 / STEP, (half - moved(-STEP / 2)) / STEP, (ahead - middle) / STEP, (middle - back) / STEP)
        derivative = float(np.sum(np.asarray(gradients[number], np.float64) * direction))
        slopes.append(Slope(plain(path), derivative, measured, ROUNDING * size / STEP))
    return tuple(slopes)


def _holder(module: Any, path: str) -> Any:
    return variables(module).get(path.split("/")[0])


def _is_single(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and leaf.dtype == jnp.float32


def _primitive(equation: Any) -> str:
    return str(equation.primitive.name)


def equations(jaxpr: Any) -> Iterator[Any]:
    """The equations of a jaxpr, including those of jaxprs inside it."""
    for equation in jaxpr.eqns:
        yield equation
        for value in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(value):
                yield from equations(getattr(value, "jaxpr", value))


def _is_jaxpr(value: Any) -> bool:
    return hasattr(value, "eqns") or hasattr(getattr(value, "jaxpr", None), "eqns")


def _floats(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.inexact)
