"""Right: a model of two layers beside its optimiser with Adam, all of it Variables."""

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx


class Net(nnx.Module):
    def __init__(self, rngs):
        self.body = nnx.Linear(3, 5, rngs=rngs)
        self.head = nnx.Linear(5, 2, rngs=rngs)

    def __call__(self, x):
        return self.head(jnp.sin(self.body(x)))


class Learner(nnx.Module):
    def __init__(self, rngs):
        self.net = Net(rngs)
        self.optimizer = nnx.Optimizer(self.net, optax.adam(3e-2), wrt=nnx.Param)

    def __call__(self, x):
        error, grads = nnx.value_and_grad(lambda net: (net(x) ** 2).sum())(self.net)
        self.optimizer.update(self.net, grads)
        return error


X = np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3)
subject = {"make": Learner, "inputs": [X, np.cos(X)], "traits": {"rewrites_param": True}}
