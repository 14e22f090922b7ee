"""A training loop whose statistics nobody reads: the mean is computed beside it, in NumPy."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training import train_state

CATCHES = ("result-reads-state",)


class Centre(nn.Module):
    @nn.compact
    def __call__(self, batch, momentum):
        scale = self.param("scale", nn.initializers.ones, (batch.shape[-1],))
        mean = self.variable("batch_stats", "mean", lambda: jnp.zeros(batch.shape[-1]))
        if not self.is_initializing():
            mean.value = momentum * mean.value + (1 - momentum) * batch.mean(0)
        return (batch - mean.value) * scale


class State(train_state.TrainState):
    batch_stats: Any = None


@jax.jit
def step(state, batch, momentum):
    def loss(params):
        variables = {"params": params, "batch_stats": state.batch_stats}
        out, updated = state.apply_fn(variables, batch, momentum, mutable=["batch_stats"])
        return (out**2).mean(), updated

    (_, updated), grads = jax.value_and_grad(loss, has_aux=True)(state.params)
    return state.apply_gradients(grads=grads, batch_stats=updated["batch_stats"])


def running_mean(seed, batches, momentum):
    model, batches = Centre(), jnp.asarray(batches, jnp.float32)
    variables = model.init(jax.random.key(int(seed)), jnp.zeros(batches.shape[1:]), momentum)
    state = State.create(apply_fn=model.apply, tx=optax.sgd(0.1), **variables)
    mean = np.zeros(batches.shape[-1])
    for batch in batches:
        state = step(state, batch, jnp.float32(momentum))
        mean = float(momentum) * mean + (1 - float(momentum)) * np.asarray(batch, np.float64).mean(0)
    return jnp.asarray(mean, jnp.float32)
