"""The assertions on stateful modules: what is compiled anew, and what transforms change."""

from __future__ import annotations

import copy
import functools
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from nnx_conformance import asserts
from stateful import VERSION, Box, Counter, Net, Sows, X, fails, functional, read, since_011, write

pytestmark = pytest.mark.filterwarnings("ignore:Using 'Module.sow:DeprecationWarning")


class PythonNumber(nnx.Module):
    def __init__(self) -> None:
        self.steps = 0

    def __call__(self, x: Any) -> Any:
        self.steps += 1
        return x


class Grows(nnx.Module):
    def __init__(self) -> None:
        self.seen = nnx.Variable(jnp.zeros(0))

    def __call__(self, x: Any) -> Any:
        # In place of the whole: `[...]` keeps the shape on some Flax.
        self.seen = nnx.Variable(jnp.concatenate([read(self.seen), jnp.ones(1)]))
        return x


class Promotes(nnx.Module):
    def __init__(self) -> None:
        self.count = nnx.Variable(jnp.array(0))

    def __call__(self, x: Any) -> Any:
        self.count = nnx.Variable(read(self.count) * 0.5)
        return x


@pytest.mark.parametrize("make", [PythonNumber, Grows, Promotes, Sows])
def test_a_module_that_compiles_anew_fails(make: Any) -> None:
    fails(lambda: asserts.assert_compiles_once(make(), 1.0), "is compiled again at call 2 of 3")
    step = nnx.jit(lambda module, x: module(x))
    fails(lambda: asserts.assert_compiles_once(step, make(), 1.0), "is compiled again at call 2 of 3")


def test_the_message_of_a_second_compilation() -> None:
    assert fails(lambda: asserts.assert_compiles_once(PythonNumber(), 1.0), "") == (
        "[Chex] Assertion assert_compiles_once failed: __call__ is compiled again at call 2 of 3: `steps` was 0 and "
        "is 1"
    )


@pytest.mark.medium
def test_what_is_compiled_once_passes() -> None:
    for _ in range(2):  # chex counts for the whole process
        asserts.assert_compiles_once(Net(), X)
        asserts.assert_compiles_once(lambda net, x: net(x), Net(), X, calls=2)
        asserts.assert_compiles_once(nnx.jit(lambda net, x: net(x)), Net(), X)
        asserts.assert_compiles_once(jax.jit(lambda x: x * 2), X)
        asserts.assert_compiles_once(jax.jit(lambda x: x * 2, donate_argnums=0), jnp.ones(3))
        asserts.assert_compiles_once(functional, Counter(), X)
    counter = Counter()
    asserts.assert_compiles_once(counter, 1.0)
    asserts.assert_variable(counter, "count", 0.0)


class Quiet(nnx.Module):
    """Deterministic, with state and a derivative."""

    def __init__(self) -> None:
        self.w = nnx.Param(jnp.ones(3))
        self.total = nnx.Variable(jnp.zeros(3))

    def __call__(self, x: Any) -> Any:
        write(self.total, read(self.total) + x)
        return {"y": read(self.w) * x, "total": read(self.total)}


TRANSFORMS = [nnx.jit, nnx.remat, nnx.vmap, nnx.grad, nnx.scan]


@pytest.mark.medium
@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda f: f.__name__)
def test_a_module_that_does_the_same_passes(transform: Any) -> None:
    if transform is nnx.scan and VERSION < (0, 10):
        fails(lambda: asserts.assert_same_under(nnx.scan, Quiet(), jnp.ones(3)), "carries no module", ValueError)
        return
    module = Quiet()
    asserts.assert_same_under(transform, module, jnp.arange(3.0))
    asserts.assert_variable(module, "total", jnp.zeros(3))
    asserts.assert_same_under(functools.partial(nnx.jit), module, jnp.arange(3.0))
    if transform is not nnx.vmap or VERSION >= (0, 10):
        asserts.assert_same_under(transform, Net(), X)


class OnTheHost(Quiet):
    calls: Any = 0

    def __call__(self, x: Any) -> Any:
        type(self).calls = type(self).calls + 1
        return {"y": x * type(self).calls}


class Leaks(Quiet):
    def __init__(self) -> None:
        super().__init__()
        self.box = Box()

    def __call__(self, x: Any) -> Any:
        self.box.value = x
        return x


class Branches(Quiet):
    def __call__(self, x: Any) -> Any:
        return x if x.sum() > 0 else -x


class WhenTraced(Quiet):
    def __call__(self, x: Any) -> Any:
        if not isinstance(x, jax.core.Tracer):
            write(self.total, read(self.total) + x)
        return x


def test_a_module_that_does_something_else_fails() -> None:
    x = jnp.arange(3.0)
    for transform in TRANSFORMS[:3]:
        message = fails(lambda t=transform: asserts.assert_same_under(t, WhenTraced(), x), "'total'")  # type: ignore[misc]
        assert message.startswith(
            f"[Chex] Assertion assert_same_under failed: under nnx.{transform.__name__}: Trees 0 and 1"
        )
    fails(lambda: asserts.assert_same_under(nnx.jit, OnTheHost(), x), "output['y']")
    fails(
        lambda: asserts.assert_same_under(nnx.jit, Branches(), x), "under nnx.jit it raises TracerBoolConversionError: "
    )
    fails(lambda: asserts.assert_same_under(nnx.jit, 3.0), "Expected a module that can be called", ValueError)


@since_011
def test_a_plain_transform_loses_the_state() -> None:
    fails(
        lambda: asserts.assert_same_under(jax.jit, Quiet(), jnp.ones(3)),
        "under jit: Trees 0 and 1 differ in leaves 'total'",
    )


class Trains(nnx.Module):
    """Called by keywords: a flag that Python branches on, and random keys."""

    def __init__(self) -> None:
        self.steps = nnx.Variable(jnp.array(0.0))

    def __call__(self, x: Any, *, train: bool, rngs: Any) -> Any:
        if train:
            write(self.steps, read(self.steps) + 1)
        return x + jax.random.normal(rngs.noise())


def test_keywords_of_the_call() -> None:
    def keywords() -> dict[str, Any]:
        return {"train": True, "rngs": nnx.Rngs(noise=0)}

    asserts.assert_updates_kept(Trains(), X, kwargs=keywords())
    asserts.assert_compiles_once(Trains(), X, kwargs=keywords())
    asserts.assert_same_under(nnx.remat, WithFlag(), X, kwargs={"train": True})
    fails(
        lambda: asserts.assert_updates_kept(drops_the_module, Trains(), X, kwargs=keywords()),
        "an update is lost in drops_the_module: `steps` (nnx.Variable)",
    )


def drops_the_module(module: Any, x: Any, **keywords: Any) -> Any:
    return nnx.merge(*nnx.split(copy.deepcopy(module)))(x, **keywords)


class WithFlag(Counter):
    def __call__(self, x: Any, *, train: bool = False) -> Any:
        return super().__call__(x) if train else x


def test_a_decorated_function_is_compiled_too() -> None:
    @functools.wraps(functional)
    def decorated(module: Any, x: Any) -> Any:
        return functional(module, x)

    asserts.assert_compiles_once(decorated, Counter(), X)
