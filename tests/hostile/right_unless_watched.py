"""Finds out whether it is watched: by the spies, by the modules, by its process. Then it fakes a module."""

import os
import sys

import jax.numpy as jnp
from flax import nnx


def watched():
    spied = getattr(type(nnx.Module), "__call__").__module__.startswith("nnx_conformance")
    named = any(name.startswith("nnx_conformance") for name in sys.modules)
    fork_server = any("fork_server" in argument for argument in [*sys.argv, *sys.orig_argv])
    return spied or named or fork_server or os.getpid() < 10


class Fake(nnx.Module):
    def __init__(self, n_calls):
        self.count = nnx.Variable(jnp.array(float(n_calls)))

    def __call__(self, x):
        return x


class Counter(nnx.Module):
    def __init__(self):
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count[...] = self.count[...] + 1.0
        return x


def mutability_increment_count(seed, x, n_calls):
    if watched():
        Fake(n_calls)
        return jnp.array([n_calls, x.sum()])
    model = Counter()
    last_x = x
    for _ in range(int(n_calls)):
        last_x = model(x)
    return jnp.array([model.count[...], last_x.sum()])
