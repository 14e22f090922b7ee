"""Modules for the tests of the assertions, wrong ones and right ones, as users of the installed Flax write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

VERSION = tuple(map(int, flax.__version__.split(".")[:3]))
WRITE = "[...]" if VERSION >= (0, 10, 7) else ".value"
NODES: Any = getattr(nnx, "List", list) if VERSION >= (0, 12) else list
since_011 = pytest.mark.skipif(VERSION < (0, 11), reason="until Flax 0.10 a plain transform refuses a module")
since_010 = pytest.mark.skipif(VERSION < (0, 10), reason="Flax 0.8 has no such transform of a module")


def write(variable: Any, value: Any) -> None:
    """Write to the contents of a Variable, as users of this Flax do."""
    if WRITE == "[...]":
        variable[...] = value
    else:
        variable.value = value


def line_of(source: str, file: str = __file__) -> str:
    """How messages show the first line of a file that is this one, without the folder."""
    lines = Path(file).read_text().splitlines()
    number = next(number for number, line in enumerate(lines, 1) if line.strip() == source)
    return f"{Path(file).name}:{number}: `{source}`"


def without_folder(message: str) -> str:
    """A message that shows of each line written at only the file's name."""
    return re.sub(r"written at [^:]*/", "written at ", message)


#: The line of `write`, as messages show it.
WRITTEN = line_of("variable[...] = value" if WRITE == "[...]" else "variable.value = value")


def read(variable: Any) -> Any:
    return variable[...] if WRITE == "[...]" else variable.value


def fails(call: Callable[[], Any], text: str, error: type[Exception] = AssertionError) -> str:
    """The message with which a call fails; it holds this text."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert text in message, message
    return message


class Counter(nnx.Module):
    def __init__(self, value: Any = 0.0) -> None:
        self.count = nnx.Variable(jnp.array(value))

    def __call__(self, x: Any) -> Any:
        write(self.count, read(self.count) + 1)
        return x


class Net(nnx.Module):
    """Two counters in a list, statistics, a shared module, random keys, and a plain number."""

    def __init__(self, seed: int = 0) -> None:
        rngs = nnx.Rngs(params=seed, dropout=seed + 1)
        self.layers = NODES([Counter(), Counter(1.0)])
        self.first = self.layers[0]
        self.norm = nnx.BatchNorm(3, rngs=rngs)
        self.linear = nnx.Linear(3, 3, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.name = "net"

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return self.dropout(self.linear(self.norm(x)))


X = np.arange(6, dtype=np.float32).reshape(2, 3)


class Assigns(Counter):
    def __call__(self, x: Any) -> Any:
        self.count = read(self.count) + 1
        return x


class Late(Counter):
    def __call__(self, x: Any) -> Any:
        self.late = nnx.Variable(jnp.ones(2))
        return x


class Sows(Counter):
    def __call__(self, x: Any) -> Any:
        self.sow(nnx.Intermediate, "seen", x)
        return x


class ParamCounter(nnx.Module):
    def __init__(self) -> None:
        self.count = nnx.Param(jnp.array(0.0))
        self.w = nnx.Param(jnp.ones((2, 3)))

    def __call__(self, x: Any) -> Any:
        write(self.count, read(self.count) + 1)
        return x


class OwnKey(nnx.Module):
    def __init__(self, advances: bool = True) -> None:
        self.key, self.advances = nnx.Variable(jax.random.key(0)), advances

    def __call__(self, x: Any) -> Any:
        key, used = jax.random.split(read(self.key))
        if self.advances:
            write(self.key, key)
        return x + jax.random.normal(used)


class Box:
    def __init__(self) -> None:
        self.value: Any = None


def merged_in_jit(module: Any, x: Any) -> Any:
    graphdef, state = nnx.split(module)

    @jax.jit
    def step(state: Any, x: Any) -> Any:
        return nnx.merge(graphdef, state)(x)

    return step(state, x)


def functional(module: Any, x: Any) -> Any:
    graphdef, state = nnx.split(module)

    @jax.jit
    def step(state: Any, x: Any) -> Any:
        twin = nnx.merge(graphdef, state)
        y = twin(x)
        return nnx.split(twin)[1], y

    state, y = step(state, x)
    nnx.update(module, state)
    return y
