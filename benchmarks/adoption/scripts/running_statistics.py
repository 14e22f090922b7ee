"""Normalises observations by the running statistics of `lynnx`, and calls its other modules."""

import jax
import jax.numpy as jnp
from flax import nnx
from lynnx.algos.base import AlgoPhase
from lynnx.utils.nnx_modules import MLP, Pipe, RunningMeanVarNorm

x = jax.random.normal(jax.random.key(0), (5, 3))
norm = RunningMeanVarNorm(jax.ShapeDtypeStruct((3,), jnp.float32), 5.0, (AlgoPhase.OPTIMIZE,))
norm(x)
norm(2 * x + 1)
MLP(nnx.Rngs(0), [3, 4, 2], do_layer_norm=True)(x)
Pipe(nnx.Linear(3, 4, rngs=nnx.Rngs(0)), nnx.relu)(x)
