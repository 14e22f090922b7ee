"""Copies of modules and arrays, in plain Python, JAX and Flax. Scripts of findings contain these functions."""

from __future__ import annotations

import copy as copying
import importlib.util
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

#: XLA uses the memory of a NumPy array without copying if its address is a multiple of this.
ALIGNMENT = 64


def deepcopy(module: Any) -> Any:
    return copying.deepcopy(module)


def pickled(module: Any) -> Any:
    """A module that went through bytes; by cloudpickle, which takes functions too, where that is installed."""
    if importlib.util.find_spec("cloudpickle"):
        import cloudpickle  # type: ignore[import-not-found]

        return pickle.loads(cloudpickle.dumps(module))
    return pickle.loads(pickle.dumps(module))


def mapped(module: Any) -> Any:
    """A module that JAX took apart and put together again, as it does with each pytree; Flax checks that it is one."""
    again = jax.tree.map(lambda leaf: leaf, module)
    if hasattr(nnx, "check_pytree"):
        nnx.check_pytree(again)  # type: ignore[no-untyped-call]
    return again


def aligned(leaf: Any) -> Any:
    """A copy of a NumPy array whose memory XLA may take over."""
    if not isinstance(leaf, np.ndarray):
        return leaf
    memory = np.zeros(leaf.nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    lent = memory[start : start + leaf.nbytes].view(leaf.dtype).reshape(leaf.shape)
    lent[...] = leaf
    return lent


def own_copy(leaf: Any) -> Any:
    """A copy of an array, which no later write to another one changes.

    JAX computes while Python goes on: until the copy is ready, the array may still be computed from another one.
    """
    if isinstance(leaf, np.ndarray):
        return np.array(leaf)
    return jnp.array(leaf, copy=True).block_until_ready() if isinstance(leaf, jax.Array) else leaf


def untie(module: Any, other: Any) -> None:
    """Copy what a module shares the memory of with another one: a constant of their file, which neither may give up."""
    taken = {address(leaf) for leaf in jax.tree.leaves(nnx.state(other))}
    state = nnx.state(module)
    nnx.update(module, jax.tree.map(lambda leaf: copied(leaf) if address(leaf) in taken else leaf, state))


def address(leaf: Any) -> int:
    """Where an array lies; of a random key, of which that cannot be had, always 0."""
    random = isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return leaf.unsafe_buffer_pointer() if isinstance(leaf, jax.Array) and not random else 0


def copied(leaf: Any) -> Any:
    """A copy of an array, or of a random key; anything else as it is."""
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        numbers = jnp.array(jax.random.key_data(leaf), copy=True)
        return jax.random.wrap_key_data(numbers, impl=jax.random.key_impl(leaf))
    return jnp.array(leaf, copy=True) if isinstance(leaf, jax.Array) else leaf


def overwrite(arguments: Any) -> None:
    """Write other numbers into NumPy arrays, as a loader of data does that uses its buffers again."""
    for leaf in jax.tree.leaves(arguments):
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biufc":
            leaf[...] = ~leaf if leaf.dtype.kind == "b" else 2 * leaf + 1
