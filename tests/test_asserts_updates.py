"""The assertions on stateful modules: updates that functions lose."""

from __future__ import annotations

import copy
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from nnx_conformance import asserts
from stateful import (
    VERSION,
    WRITTEN,
    Counter,
    Net,
    X,
    fails,
    functional,
    merged_in_jit,
    since_010,
    since_011,
    without_folder,
    write,
)


def merged_copy(module: Any, x: Any) -> Any:
    graphdef, state = nnx.split(module)
    twin = nnx.merge(graphdef, jax.tree.map(lambda leaf: leaf, state))
    if VERSION >= (0, 11):
        twin = copy.deepcopy(module)
    return twin(x)


def checkpointed(module: Any, x: Any) -> Any:
    graphdef, state = nnx.split(module)
    return jax.checkpoint(lambda state, x: nnx.merge(graphdef, state)(x))(state, x)


def differentiated(module: Any, x: Any) -> Any:
    graphdef, state = nnx.split(module)
    params = jax.tree.map(lambda leaf: leaf, x)
    return jax.grad(lambda x: jnp.sum(nnx.merge(graphdef, state)(x) ** 2))(params)


def scanned(module: Any, x: Any) -> Any:
    graphdef, state = nnx.split(module)

    def body(state: Any, x: Any) -> Any:
        twin = nnx.merge(graphdef, state)
        y = twin(x)
        return nnx.split(twin)[1], y

    return jax.lax.scan(body, state, jnp.stack([x] * 3))[1]


def vmapped(module: Any, x: Any) -> Any:
    graphdef, state = nnx.split(module)
    return jax.vmap(lambda state, x: nnx.merge(graphdef, state)(x), in_axes=(None, 0))(state, jnp.stack([x] * 2))


def in_cond(module: Any, x: Any) -> Any:
    graphdef, state = nnx.split(module)
    return jax.lax.cond(True, lambda state, x: nnx.merge(graphdef, state)(x), lambda state, x: x, state, x)


LOSING = [merged_in_jit, merged_copy, checkpointed, scanned, vmapped, in_cond]


@pytest.mark.parametrize("function", LOSING)
def test_an_update_that_is_lost_fails(function: Any) -> None:
    module = Counter()
    x = jnp.ones(3)
    for _ in range(2):
        message = fails(lambda: asserts.assert_updates_kept(function, module, x), "`count` (nnx.Variable) still holds")
        assert WRITTEN in message


@pytest.mark.medium
def test_a_lost_update_of_a_part_and_of_statistics_fails() -> None:
    def encodes(net: Any, x: Any) -> Any:
        graphdef, state = nnx.split(net.norm)
        return jax.jit(lambda state, x: nnx.merge(graphdef, state)(x))(state, x)

    message = fails(lambda: asserts.assert_updates_kept(encodes, Net(), X), "`norm.mean` (nnx.BatchStat) still holds")
    assert "`norm.var`" in message and "encodes" in message
    fails(lambda: asserts.assert_updates_kept(merged_in_jit, Net(), X), "dropout")


@since_011
@pytest.mark.parametrize("transform", [jax.jit, jax.checkpoint, jax.vmap], ids=lambda f: f.__name__)
def test_an_update_lost_in_a_plain_transform_of_the_module_fails(transform: Any) -> None:
    step: Any = (
        transform(lambda module, x: module(x))
        if transform is not jax.vmap
        else jax.vmap(lambda module, x: module(x), in_axes=(None, 0))
    )
    fails(lambda: asserts.assert_updates_kept(step, Counter(), jnp.ones(3)), "`count` (nnx.Variable) still holds")


@since_011
def test_a_module_carried_through_a_scan_whose_result_is_dropped_fails() -> None:
    def drops(module: Any, xs: Any) -> Any:
        def body(module: Any, x: Any) -> Any:
            y = module(x)
            return module, y

        return jax.lax.scan(body, module, xs)[1]

    fails(lambda: asserts.assert_updates_kept(drops, Counter(), jnp.ones(3)), "`count`")

    def returns(module: Any, xs: Any) -> Any:
        def body(module: Any, x: Any) -> Any:
            y = module(x)
            return module, y

        return jax.lax.scan(body, module, xs)

    asserts.assert_updates_kept(returns, Counter(), jnp.ones(3))


@pytest.mark.medium
@since_011
def test_gradients_that_are_returned_are_no_updates() -> None:
    @jax.jit
    def gradients(net: Any, x: Any) -> Any:
        return jax.grad(lambda norm: jnp.sum(norm(x) ** 2))(net.norm)

    fails(lambda: asserts.assert_updates_kept(gradients, Net(), X), "`norm.mean` (nnx.BatchStat) still holds")


def test_what_nnx_update_writes_in_a_trace_is_lost_and_what_it_writes_after_it_is_not() -> None:
    def raised(state: Any) -> Any:
        return jax.tree.map(lambda leaf: leaf + 1, state)

    def loses(module: Any) -> None:
        graphdef, state = nnx.split(module)
        jax.jit(lambda state: nnx.update(nnx.merge(graphdef, state), raised(state)))(state)

    def writes_back(module: Any) -> None:
        nnx.update(module, jax.jit(raised)(nnx.split(module)[1]))

    fails(lambda: asserts.assert_updates_kept(loses, Counter()), "`count` (nnx.Variable) still holds")
    asserts.assert_updates_kept(writes_back, Counter())


def test_the_message_of_a_lost_update() -> None:
    message = fails(lambda: asserts.assert_updates_kept(merged_in_jit, Counter(), 1.0), "")
    assert without_folder(message) == (
        "[Chex] Assertion assert_updates_kept failed: an update is lost in merged_in_jit: `count` (nnx.Variable) still "
        f"holds what it held before, though it is written at {WRITTEN}; return the new state and nnx.update the module "
        "with it, or use the transform of nnx"
    )


def returns_the_state(module: Any, x: Any) -> Any:
    graphdef, state = nnx.split(module)

    @jax.jit
    def step(state: Any, x: Any) -> Any:
        twin = nnx.merge(graphdef, state)
        return twin(x), nnx.split(twin)[1]

    return step(state, x)


def only_shapes(module: Any, x: Any) -> Any:
    graphdef, state = nnx.split(module)
    return jax.eval_shape(lambda state, x: nnx.merge(graphdef, state)(x), state, x).shape


def fresh_helper(module: Any, x: Any) -> Any:
    return Counter()(x) if isinstance(module, Counter) else x


def puts_back(module: Any, x: Any) -> Any:
    held = asserts.snapshot(module)
    y = module(x)
    for spot in ("count",):
        if hasattr(module, spot):
            write(getattr(module, spot), jnp.asarray(next(iter(held.leaves.values())).value))
    return y


RIGHT = {
    "plain": lambda module, x: module(x),
    "nnx.jit": nnx.jit(lambda module, x: module(x)),
    "nnx.remat": nnx.remat(lambda module, x: module(x)),
    "functional": functional,
    "returns the state": returns_the_state,
    "only shapes": only_shapes,
    "a helper of its own": fresh_helper,
    "does nothing": lambda module, x: x,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_updates_that_are_kept_pass(name: str) -> None:
    for module in (Counter(), Net()):
        for _ in range(2):
            asserts.assert_updates_kept(RIGHT[name], module, X)  # type: ignore[arg-type]


class Constant(Counter):
    def __call__(self, x: Any) -> Any:
        write(self.count, jnp.zeros(()))
        return x


def test_a_constant_that_is_written_again_is_no_lost_update() -> None:
    for function in (merged_in_jit, checkpointed, vmapped, *RIGHT.values()):
        asserts.assert_updates_kept(function, Constant(), jnp.ones(3))  # type: ignore[arg-type]
    asserts.assert_updates_kept(puts_back, Counter(), jnp.ones(3))


@pytest.mark.slow
@since_010
def test_updates_under_lifted_transforms_pass() -> None:
    def body(module: Any, x: Any) -> Any:
        return module, module(x)

    scan = nnx.scan(body, in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))
    asserts.assert_updates_kept(lambda module, xs: scan(module, xs)[1], Counter(), jnp.ones(3))
    grad = nnx.value_and_grad(lambda module, x: jnp.sum(module(x)))
    asserts.assert_updates_kept(grad, Net(), X)
    asserts.assert_updates_kept(lambda net, x: nnx.cond(True, lambda m, x: m(x), lambda m, x: x, net, x), Net(), X)
    stacked = nnx.vmap(lambda _: Counter())(jnp.arange(2)) if VERSION >= (0, 10) else None
    asserts.assert_updates_kept(nnx.vmap(lambda module, x: module(x)), stacked, jnp.ones((2, 3)))


def test_a_teacher_among_the_inputs_is_not_mistaken_for_the_module() -> None:
    def distill(student: Any, teacher: Any, x: Any) -> Any:
        return teacher(x)

    asserts.assert_updates_kept(distill, Counter(), Counter(5.0), 1.0)
    asserts.assert_updates_kept(Counter(), 1.0)
    asserts.assert_updates_kept(Counter().__call__, 1.0)


def test_a_function_that_raises_and_one_without_module() -> None:
    def asserts_itself(module: Any) -> None:
        raise AssertionError("mine")

    assert fails(lambda: asserts.assert_updates_kept(asserts_itself, Counter()), "mine") == "mine"
    message = fails(lambda: asserts.assert_updates_kept(lambda x: x, 1.0), "", ValueError)
    assert (
        message
        == "Expected a module but got module=1.0 (type=float). Pass what the function writes to as its first argument."
    )
