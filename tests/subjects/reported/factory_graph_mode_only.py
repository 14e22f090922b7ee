"""Right in Flax's default mode: stacked layers, made and scanned with StateAxes, as the guides do it."""

import jax.numpy as jnp
import numpy as np
from flax import nnx

AXES = nnx.StateAxes({nnx.Param: 0, ...: None})


class Layer(nnx.Module):
    def __init__(self, rngs):
        self.linear = nnx.Linear(4, 4, rngs=rngs)

    def __call__(self, x):
        return jnp.sin(self.linear(x))


class Tower(nnx.Module):
    def __init__(self, rngs):
        stacked = nnx.split_rngs(splits=3)(nnx.vmap(Layer, in_axes=0, out_axes=AXES))
        self.layers = stacked(rngs)
        self.passes = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x):
        self.passes[...] = self.passes[...] + 1
        return nnx.scan(lambda layer, h: layer(h), in_axes=(AXES, nnx.Carry), out_axes=nnx.Carry)(self.layers, x)


X = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)
subject = {"make": Tower, "inputs": [X, X**2]}
