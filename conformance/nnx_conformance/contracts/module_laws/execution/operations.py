"""The operations of programs, in plain Flax. Scripts of findings contain these functions.

`step(module, arguments)` calls the module. A transform turns it into another `step`; `split`, `copy` and the like
return the module with which the program continues.
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

StepFunction = Callable[..., Any]


def jit(step: StepFunction) -> StepFunction:
    return nnx.jit(step)


def remat(step: StepFunction) -> StepFunction:
    """Compiled: alone, `nnx.remat` makes a Python number of a constant that is written, as `jax.checkpoint` does."""
    return nnx.jit(nnx.remat(step))


def cond(step: StepFunction) -> StepFunction:
    def run(module: Any, arguments: Any, otherwise: Any) -> Any:
        return nnx.cond(True, taken, left, module, arguments, otherwise)

    def taken(module: Any, arguments: Any, otherwise: Any) -> Any:
        return step(module, arguments)

    def left(module: Any, arguments: Any, otherwise: Any) -> Any:
        return otherwise

    return run


def switch(step: StepFunction) -> StepFunction:
    """Through two branches that are alike: a single one is never traced."""

    def run(module: Any, arguments: Any) -> Any:
        return nnx.switch(1, [first, second], module, arguments)

    def first(module: Any, arguments: Any) -> Any:
        return step(module, arguments)

    def second(module: Any, arguments: Any) -> Any:
        return step(module, arguments)

    return run


def fori_loop(step: StepFunction) -> StepFunction:
    """Of arguments that are stacked, with room for the outputs of all calls, see `blank`."""

    def run(module: Any, several: Any, outputs: Any) -> Any:
        def body(at: Any, carried: Any) -> Any:
            module, outputs = carried
            new = step(module, jax.tree.map(lambda leaf: leaf[at], several))
            return module, jax.tree.map(lambda leaf, row: leaf.at[at].set(row), outputs, new)

        return nnx.fori_loop(0, len(jax.tree.leaves((several, outputs))[0]), body, (module, outputs))[1]

    return run


def while_loop(step: StepFunction) -> StepFunction:
    """As `fori_loop`."""

    def run(module: Any, several: Any, outputs: Any) -> Any:
        count = len(jax.tree.leaves((several, outputs))[0])

        def body(carried: Any) -> Any:
            at, module, outputs = carried
            new = step(module, jax.tree.map(lambda leaf: leaf[at], several))
            return at + 1, module, jax.tree.map(lambda leaf, row: leaf.at[at].set(row), outputs, new)

        return nnx.while_loop(lambda carried: carried[0] < count, body, (jnp.int32(0), module, outputs))[2]

    return run


def blank(several: list[Any]) -> Any:
    """Room for outputs such as these, one for each call."""
    return jax.tree.map(lambda *leaves: jnp.zeros_like(jnp.stack([jnp.asarray(leaf) for leaf in leaves])), *several)


def scan(step: StepFunction) -> StepFunction:
    """Of arguments that are stacked."""

    def body(module: Any, arguments: Any) -> Any:
        return module, step(module, arguments)

    scanned = nnx.scan(body, in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))
    return lambda module, several: scanned(module, several)[1]


def vmap(step: StepFunction) -> StepFunction:
    """Of a module whose state is stacked, and of stacked arguments."""
    return nnx.vmap(step, in_axes=(0, 0), out_axes=0)


def grad(step: StepFunction, trainable: Any = None) -> StepFunction:
    """Gives the gradients of Params, or of Variables of `trainable` types, and what the call returned."""

    def loss(module: Any, arguments: Any) -> Any:
        outputs = step(module, arguments)
        return total(outputs), outputs

    if trainable is None:
        return nnx.grad(loss, has_aux=True)
    wanted = {"argnums": nnx.DiffState(0, trainable)} if hasattr(nnx, "DiffState") else {"wrt": trainable}
    return nnx.grad(loss, has_aux=True, **wanted)


def total(outputs: Any) -> Any:
    """One number that depends on every number of some outputs."""
    leaves = [leaf for leaf in jax.tree.leaves(outputs) if is_array(leaf) or isinstance(leaf, float)]
    real = [jnp.asarray(leaf) for leaf in leaves if not is_key(leaf)]
    return sum((jnp.sum(leaf) for leaf in real if jnp.issubdtype(leaf.dtype, jnp.floating)), jnp.float32(0.0))


def custom_vjp(step: StepFunction) -> StepFunction:
    """Through a compiled function with a rule for its gradient, differentiated by Params and by floating arguments.

    JAX traces the function, and then its rule: uncompiled, it would call the rule alone, with arrays.
    """

    @nnx.custom_vjp
    def called(module: Any, arguments: Any) -> Any:
        return step(module, arguments)

    def forward(module: Any, arguments: Any) -> Any:
        return step(module, arguments), arguments

    def backward(arguments: Any, gradients: Any) -> Any:
        (of_module, _), _ = gradients
        return of_module, jax.tree.map(no_tangent, arguments)

    def loss(module: Any, floats: Any, rest: Any, structure: Any) -> Any:
        leaves = [other if leaf is None else leaf for leaf, other in zip(floats, rest, strict=True)]
        outputs = compiled(module, jax.tree.unflatten(structure, leaves))
        return total(outputs), outputs

    def run(module: Any, arguments: Any) -> Any:
        leaves, structure = jax.tree.flatten(arguments)
        floats = [leaf if is_floating(leaf) else None for leaf in leaves]

        def of_structure(module: Any, floats: Any, rest: Any) -> Any:
            return loss(module, floats, rest, structure)

        return nnx.grad(of_structure, argnums=(0, 1), has_aux=True)(module, floats, leaves)[1]

    called.defvjp(forward, backward)
    compiled = nnx.jit(called)
    return run


def vjp(step: StepFunction) -> StepFunction:
    """Graph updates, which Flax has on by default, it refuses."""
    return lambda module, arguments: nnx.vjp(step, module, arguments, graph=True, graph_updates=False)[0]


def jvp(step: StepFunction) -> StepFunction:
    """With tangents that are zero."""

    def run(module: Any, arguments: Any) -> Any:
        graphdef, state = nnx.split(module)
        tangents = nnx.merge(graphdef, jax.tree.map(no_tangent, state)), jax.tree.map(no_tangent, arguments)
        return nnx.jvp(step, (module, arguments), tangents, graph=True, graph_updates=False)[0]

    return run


def no_tangent(leaf: Any) -> Any:
    """A zero that JAX takes for the tangent of a leaf."""
    return jnp.zeros_like(leaf) if is_floating(leaf) else np.zeros(jnp.shape(leaf), jax.dtypes.float0)


def donate(step: StepFunction) -> StepFunction:
    """Compiled, with the memory of the module's state given up for that of its new state."""
    return nnx.jit(step, donate_argnums=0)


def plainjit(step: StepFunction) -> StepFunction:
    """Compiled by JAX itself: gives what the call returned, and the module with its state, as a pytree."""

    def run(module: Any, arguments: Any) -> Any:
        return step(module, arguments), module

    return jax.jit(run)


def eval_shape(step: StepFunction) -> StepFunction:
    """Gives shapes and dtypes of what a call would return."""
    return lambda module, arguments: nnx.eval_shape(step, module, arguments)


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
        raise ValueError(f"the saved state has {len(new)} leaves, and a new module has {len(old)}")
    leaves = [
        jax.random.wrap_key_data(jnp.asarray(leaf), impl=jax.random.key_impl(was)) if is_key(was) else jnp.asarray(leaf)
        for leaf, was in zip(new, old, strict=True)
    ]
    nnx.update(module, jax.tree.unflatten(structure, leaves))


def stack(modules: list[Any]) -> Any:
    """One module whose state has a first axis of lanes, made of one module for each."""
    graphdef, state = nnx.split(modules[0])
    # By leaves: metadata may differ, such as a hook that each module makes for itself.
    lanes = zip(*(jax.tree.leaves(nnx.split(module)[1]) for module in modules), strict=True)
    return nnx.merge(graphdef, jax.tree.unflatten(jax.tree.structure(state), [jnp.stack(each) for each in lanes]))


def lane(stacked: Any, number: int) -> Any:
    """The module of one lane."""
    graphdef, state = nnx.split(stacked)
    return nnx.merge(graphdef, jax.tree.map(lambda leaf: leaf[number], state))


def optimize(step: StepFunction, trainable: Any = None) -> StepFunction:
    """One step of AdamW with weight decay; gives what the call returned."""
    differentiated = grad(step, trainable)

    def run(module: Any, arguments: Any) -> Any:
        optimizer = nnx.Optimizer(module, optax.adamw(0.01, weight_decay=0.1), wrt=trainable or nnx.Param)
        grads, outputs = differentiated(module, arguments)
        if "model" in inspect.signature(optimizer.update).parameters:
            optimizer.update(module, grads)
        else:  # before Flax 0.11
            optimizer.update(grads)  # type: ignore[call-arg]
        return outputs

    return run


def is_array(value: Any) -> bool:
    return isinstance(value, (jax.Array, np.ndarray, np.generic))


def is_floating(value: Any) -> bool:
    """Whether a value has a gradient."""
    return isinstance(value, float) or (is_array(value) and jnp.issubdtype(value.dtype, jnp.inexact))


def is_key(value: Any) -> bool:
    return isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key)
