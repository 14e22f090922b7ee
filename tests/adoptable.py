"""Modules for the tests of `adopt`, in a file of their own: what a test defines itself, no import finds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from nnx_conformance.observe.flax_versions import contents, set_contents


@dataclasses.dataclass(frozen=True)
class Config:
    size: int
    activation: Callable[..., Any] = nnx.relu


class Layer(nnx.Module):
    def __init__(self, config: Config, *, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(config.size, config.size, rngs=rngs)
        self.config = config

    def __call__(self, x: Any, *, scaled: bool = False) -> Any:
        y = self.config.activation(self.linear(x))
        return 2.0 * y if scaled else y

    def encode(self, x: Any) -> Any:
        return self.linear(x)


class Noise(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.dropout(x)


class Outer(nnx.Module):
    def __init__(self, inner: Any, key: Any) -> None:
        self.inner = inner
        self.weight = nnx.Param(jax.random.normal(key, (3,)))

    def __call__(self, tokens: Any) -> Any:
        return self.weight[...][tokens]


class Cached(nnx.Module):
    def __init__(self) -> None:
        self.weight = nnx.Param(jnp.ones(3))

    def reserve(self, length: int) -> None:
        self.cache = nnx.Cache(jnp.zeros(length))

    def __call__(self, x: Any) -> Any:
        set_contents(self.cache, contents(self.cache).at[0].add(x.sum()))
        return x * self.weight[...]


class Router(nnx.Module):
    """Moves its Param in each call, and adds a Variable."""

    def __init__(self) -> None:
        self.bias = nnx.Param(jnp.zeros(()))
        self.count = 0

    def __call__(self, x: Any) -> Any:
        set_contents(self.bias, contents(self.bias) + 1.0)
        setattr(self, f"kept_{self.count}", nnx.Variable(x))
        self.count += 1
        return x


class Total(nnx.Metric):
    def __init__(self) -> None:
        self.total = nnx.BatchStat(jnp.zeros(()))

    def reset(self) -> None:
        set_contents(self.total, jnp.zeros(()))

    def update(self, **kwargs: Any) -> None:
        set_contents(self.total, contents(self.total) + kwargs["values"].sum())

    def compute(self) -> Any:
        return self.total[...]


class Centred(nnx.Module):
    """Subtracts a mean that `observe` moves; calls only read it."""

    def __init__(self) -> None:
        self.mean = nnx.BatchStat(jnp.zeros(3))

    def observe(self, x: Any) -> None:
        set_contents(self.mean, 0.9 * contents(self.mean) + 0.1 * x.mean(axis=0))

    def __call__(self, x: Any) -> Any:
        return x - contents(self.mean)


class Rows(nnx.Module):
    """A cache that is no callable, and has no state before `reserve`."""

    def reserve(self, length: int) -> None:
        self.rows = nnx.Cache(jnp.zeros((length, 3)))
        self.end = nnx.Cache(jnp.zeros((), jnp.int32))

    def append(self, row: Any) -> Any:
        set_contents(self.rows, contents(self.rows).at[contents(self.end)].set(row))
        set_contents(self.end, contents(self.end) + 1)
        return contents(self.rows)


class Applied(nnx.Module):
    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, x: Any) -> Any:
        return self.function(x)
