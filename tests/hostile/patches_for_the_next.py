"""Breaks every module that the next candidate will need, wherever it can be reached."""

import builtins
import gc
import sys

import jax
import jax.numpy as jnp
from flax import nnx


def broken(*args, **kwargs):
    raise RuntimeError("left behind by another candidate")


def mutability_increment_count(seed, x, n_calls):
    nnx.Variable.__init__ = broken
    nnx.Rngs.__init__ = broken
    jnp.array = jax.jit = builtins.range = broken
    sys.modules["flax.nnx"] = sys.modules["jax.numpy"] = None
    gc.disable()
    return None
