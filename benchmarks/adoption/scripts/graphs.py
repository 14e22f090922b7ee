"""Calls layers of `jraphx` on small graphs, as its README does: in training, in evaluation, compiled."""

import jax
import jax.numpy as jnp
from flax import nnx
from jraphx.nn.conv import GCNConv
from jraphx.nn.models import MLP, JumpingKnowledge
from jraphx.nn.norm import BatchNorm, GraphNorm

x = jax.random.normal(jax.random.key(0), (6, 4))
batch = jnp.array([0, 0, 0, 1, 1, 1])
edges = jnp.array([[0, 1, 2, 3, 4, 5], [1, 2, 0, 4, 5, 3]])

norm = BatchNorm(4, momentum=0.9, rngs=nnx.Rngs(0))
norm(x)
norm(x, use_running_average=True)
GraphNorm(4)(x, batch, 2)
GCNConv(4, 3, rngs=nnx.Rngs(1))(x, edges)
mlp = MLP([4, 8, 3], dropout_rate=0.5, norm="batch_norm", rngs=nnx.Rngs(2))
nnx.jit(lambda module, rows: module(rows))(mlp, x)
mlp(x)
JumpingKnowledge("lstm", num_features=4, num_layers=2, rngs=nnx.Rngs(3))([x, 2 * x])
