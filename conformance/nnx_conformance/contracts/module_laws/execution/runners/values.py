"""The contents of Variables, compared bit by bit."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from nnx_conformance.observe.flax_versions import contents, is_tracer

ARRAYS = (jax.Array, np.ndarray, np.generic, int, float, bool)


def content(value: Any) -> Any:
    return contents(value) if isinstance(value, nnx.Variable) else value.value


def is_content(value: Any) -> bool:
    """Whether a value consists of arrays and numbers: Flax stores markers of its own in Variables for a while."""
    leaves = jax.tree.leaves(value)
    return bool(leaves) and all(isinstance(leaf, ARRAYS) for leaf in leaves)


def numbers(value: Any) -> list[np.ndarray]:
    leaves = jax.tree.leaves(value)
    return [np.array(leaf) for leaf in leaves if isinstance(leaf, ARRAYS) and not is_tracer(leaf) and not _is_key(leaf)]


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def same(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    return [*map(_bits, some)] == [*map(_bits, others)]


def _bits(array: np.ndarray) -> Any:
    return array.shape, array.dtype.name, array.tobytes()


def is_rounded(old: Any, new: Any, written: Any) -> bool:
    """Whether an integer kept its old value because the written one lost its fraction."""
    if not (is_content(old) and is_content(written)) or any(map(is_tracer, (old, new, written))):
        return False
    was, now, value = np.asarray(old), np.asarray(new), np.asarray(written)
    if was.dtype.kind not in "iu" or value.dtype.kind != "f" or not same([was], [now]):
        return False
    return value.shape == was.shape and bool(np.any((value != np.floor(value)) & np.isfinite(value)))
