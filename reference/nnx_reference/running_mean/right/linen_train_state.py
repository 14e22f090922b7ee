"""A training loop: the statistics go through the value of a gradient, in a `TrainState` and a compiled step."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax.training import train_state


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
    for batch in batches:
        state = step(state, batch, jnp.float32(momentum))
    return state.batch_stats["mean"]
