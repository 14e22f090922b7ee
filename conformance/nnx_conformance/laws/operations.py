"""What a program does with a module, in plain Flax: a script that shows a finding holds these very functions.

`step(module, arguments)` calls the module; a transform makes another `step` of it, and a move gives the module to go on
with.
"""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

Step = Callable[..., Any]


def jit(step: Step) -> Step:
    return nnx.jit(step)


def remat(step: Step) -> Step:
    return nnx.remat(step)


def cond(step: Step) -> Step:
    def run(module: Any, arguments: Any, otherwise: Any) -> Any:
        return nnx.cond(True, taken, left, module, arguments, otherwise)

    def taken(module: Any, arguments: Any, otherwise: Any) -> Any:
        return step(module, arguments)

    def left(module: Any, arguments: Any, otherwise: Any) -> Any:
        return otherwise

    return run


def scan(step: Step) -> Step:
    """Of arguments that are stacked."""

    def body(module: Any, arguments: Any) -> Any:
        return module, step(module, arguments)

    scanned = nnx.scan(body, in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))
    return lambda module, several: scanned(module, several)[1]


def vmap(step: Step) -> Step:
    """Of a module whose state is stacked, and of stacked arguments."""
    return nnx.vmap(step, in_axes=(0, 0), out_axes=0)


def grad(step: Step) -> Step:
    """Gives the gradients, and what the call returned."""

    def loss(module: Any, arguments: Any) -> Any:
        outputs = step(module, arguments)
        return total(outputs), outputs

    return nnx.grad(loss, has_aux=True)


def total(outputs: Any) -> Any:
    """One number that depends on every number of some outputs."""
    leaves = [leaf for leaf in jax.tree.leaves(outputs) if is_array(leaf) or isinstance(leaf, float)]
    real = [jnp.asarray(leaf) for leaf in leaves if not is_key(leaf)]
    return sum((jnp.sum(leaf) for leaf in real if jnp.issubdtype(leaf.dtype, jnp.floating)), jnp.float32(0.0))


def split(module: Any) -> Any:
    return nnx.merge(*nnx.split(module))


def copy(module: Any) -> Any:
    graphdef, state = nnx.split(module)
    return nnx.merge(graphdef, jax.tree.map(lambda leaf: jnp.array(leaf, copy=True) if is_array(leaf) else leaf, state))


def clone(module: Any) -> Any:
    return nnx.clone(module)


def save(module: Any) -> bytes:
    """The state of a module as bytes, its random keys as their data."""
    leaves = jax.tree.leaves(nnx.state(module))
    return pickle.dumps(
        [np.asarray(jax.random.key_data(leaf)) if is_key(leaf) else np.asarray(leaf) for leaf in leaves]
    )


def load(module: Any, saved: bytes) -> None:
    """Write a saved state into a module of the same structure."""
    state = nnx.state(module)
    old, structure = jax.tree.flatten(state)
    new = pickle.loads(saved)
    if len(new) != len(old):
        raise ValueError(f"the saved state has {len(new)} leaves, and a module that was made anew has {len(old)}")
    leaves = [
        jax.random.wrap_key_data(jnp.asarray(leaf), impl=jax.random.key_impl(was)) if is_key(was) else jnp.asarray(leaf)
        for leaf, was in zip(new, old, strict=True)
    ]
    nnx.update(module, jax.tree.unflatten(structure, leaves))


def stack(modules: list[Any]) -> Any:
    """One module whose state has a first axis of lanes, made of one module for each."""
    graphdef, _ = nnx.split(modules[0])
    states = [nnx.split(module)[1] for module in modules]
    return nnx.merge(graphdef, jax.tree.map(lambda *leaves: jnp.stack(leaves), *states))


def lane(stacked: Any, number: int) -> Any:
    """The module of one lane."""
    graphdef, state = nnx.split(stacked)
    return nnx.merge(graphdef, jax.tree.map(lambda leaf: leaf[number], state))


def optimize(step: Step) -> Step:
    """One step of AdamW with weight decay; gives what the call returned."""
    differentiated = grad(step)

    def run(module: Any, arguments: Any) -> Any:
        optimizer = nnx.Optimizer(module, optax.adamw(0.01, weight_decay=0.1), wrt=nnx.Param)
        grads, outputs = differentiated(module, arguments)
        if "model" in inspect.signature(optimizer.update).parameters:
            optimizer.update(module, grads)
        else:  # before Flax 0.11
            optimizer.update(grads)  # type: ignore[call-arg]
        return outputs

    return run


def is_array(value: Any) -> bool:
    return isinstance(value, (jax.Array, np.ndarray, np.generic))


def is_key(value: Any) -> bool:
    return isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key)
