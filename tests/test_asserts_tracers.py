"""The assertions on stateful modules: tracers that are left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from nnx_conformance import asserts
from stateful import Box, Counter, Net, X, fails


class Hist(nnx.Module):
    def __init__(self) -> None:
        self.kept: Any = Box()


class Slotted:
    __slots__ = ("value",)


def leak_into(put: Callable[[Any, Any], None]) -> Any:
    module = Hist()
    jax.jit(lambda x: (put(module, x), x)[1])(jnp.ones(3))  # type: ignore[func-returns-value]
    return module


def in_object(module: Any, x: Any) -> None:
    module.kept.value = x + 1


def in_nested(module: Any, x: Any) -> None:
    module.kept.value = {"deep": [Box(), {x.shape: (x * 2,)}]}


def in_slots(module: Any, x: Any) -> None:
    module.kept.value = Slotted()
    module.kept.value.value = x


def on_class(module: Any, x: Any) -> None:
    Hist.last = x  # type: ignore[attr-defined]


def in_set(module: Any, x: Any) -> None:
    module.kept.value = [set(), (x, 1)]


def in_variable(module: Any, x: Any) -> None:
    object.__setattr__(module, "late", nnx.Variable(x))


def in_attribute(module: Any, x: Any) -> None:
    vars(module)["late"] = x


@pytest.mark.parametrize("put", [in_object, in_nested, in_slots, on_class, in_set, in_variable, in_attribute])
def test_a_tracer_that_is_left_behind_fails(put: Any) -> None:
    module = leak_into(put)
    try:
        fails(lambda: asserts.assert_no_tracers(module), "a tracer (float32[3])")
    finally:
        if put is on_class:
            del Hist.last  # type: ignore[attr-defined]


def test_the_message_of_a_tracer() -> None:
    assert fails(lambda: asserts.assert_no_tracers(leak_into(in_object)), "") == (
        "[Chex] Assertion assert_no_tracers failed: `kept.value` holds a tracer (float32[3]): a value that a transform "
        "computes outlives it only in a Variable that the transform returns or lifts"
    )


def test_what_holds_no_tracer_passes() -> None:
    net = Net()
    nnx.jit(lambda module, x: module(x))(net, X)
    cyclic: Any = Hist()
    cyclic.kept.value = cyclic.kept
    for module in (net, cyclic, Counter(), nnx.Rngs(0), net.layers[0].count, {"a": [net]}, nnx.state(net)):
        asserts.assert_no_tracers(module)
