"""The assertions on stateful modules: what modules share, and random keys that come again."""

from __future__ import annotations

import copy
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nnx_conformance import asserts
from stateful import VERSION, Counter, Net, OwnKey, X, fails, merged_in_jit


class Numpy(nnx.Module):
    def __init__(self, data: np.ndarray) -> None:
        self.count = nnx.Variable(data)


def test_what_is_shared_fails() -> None:
    net, other = Net(), Net()
    other.first = net.first
    fails(lambda: asserts.assert_independent(net, other), "are the same module")
    twin: Any = Counter()
    twin.count = net.first.count
    fails(lambda: asserts.assert_independent(net, twin), "are the same Variable")
    data = np.zeros(4)
    fails(lambda: asserts.assert_independent(Numpy(data), Numpy(data[2:])), "share a buffer")
    constant = jnp.zeros(3)
    one, two = Counter(), Counter()
    one.count, two.count = nnx.Variable(constant), nnx.Variable(constant)
    fails(lambda: asserts.assert_independent(one, two), "share a buffer")
    fails(lambda: asserts.assert_independent(nnx.state(one), two), "share a buffer")


def test_the_message_of_a_shared_buffer_between_clone_and_original() -> None:
    counter = Counter()
    assert fails(lambda: asserts.assert_independent(counter, nnx.clone(counter)), "") == (
        "[Chex] Assertion assert_independent failed: `first.count` and `second.count` share a buffer"
    )


def test_copies_are_independent() -> None:
    net = Net()
    graphdef, state = nnx.split(net)
    copied = nnx.merge(
        graphdef, jax.tree.map(lambda leaf: jnp.array(leaf, copy=True) if is_plain(leaf) else leaf, state)
    )
    asserts.assert_independent(net.norm, copied.norm)
    asserts.assert_independent(Net(), Net(1))
    asserts.assert_independent(net, copy.deepcopy(net))
    asserts.assert_independent(Numpy(np.zeros(0)), Numpy(np.zeros(0)))
    asserts.assert_independent(Numpy(np.zeros(2)), Counter())


def is_plain(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def test_independence_of_what_is_no_module() -> None:
    counter = Counter()
    fails(lambda: asserts.assert_independent(counter, counter), "Pass the copy.", ValueError)
    fails(lambda: asserts.assert_independent(counter, 1.0), "Expected a module or an nnx.State", ValueError)


@pytest.mark.slow
def test_keys_that_advance_pass() -> None:
    net, rngs, own = Net(), nnx.Rngs(0), OwnKey()
    for module, call in ((net, lambda: net(X)), (rngs, lambda: rngs.params()), (own, lambda: own(X))):
        before = asserts.snapshot(module)
        with asserts.keys_advance(module):
            call()  # type: ignore[no-untyped-call]
        asserts.assert_keys_advance(before, module)
    nnx.jit(lambda net, x: net(x))(net, X)
    asserts.assert_keys_advance(asserts.snapshot(Net()), net, streams=["dropout"])


class KeepsItsRngs(nnx.Module):
    """Draws from forks of the `nnx.Rngs` that it keeps, and no longer from that (before Flax 0.11, from that)."""

    def __init__(self) -> None:
        self.rngs = nnx.Rngs(dropout=0)
        self.first, self.second = nnx.Dropout(0.5, rngs=self.rngs), nnx.Dropout(0.5, rngs=self.rngs)

    def __call__(self, x: Any) -> Any:
        return self.second(self.first(x))


def test_of_the_streams_of_a_name_one_must_advance_and_one_at_a_path_itself() -> None:
    module = KeepsItsRngs()
    with asserts.keys_advance(module, streams=["dropout"]):
        module(X)
    before = asserts.snapshot(module)
    fails(lambda: asserts.assert_keys_advance(before, module, streams=["dropout"]), "so the next call draws the same")
    if VERSION >= (0, 11):
        module(X)
        fails(lambda: asserts.assert_keys_advance(before, module, streams=["rngs.dropout"]), "of `rngs.dropout` was")


def test_keys_advance_in_a_trace() -> None:
    def draws(net: Any, x: Any) -> Any:
        with asserts.keys_advance(net):
            return net(x)

    def does_not(net: Any, x: Any) -> Any:
        with asserts.keys_advance(net):
            return x

    nnx.jit(draws)(Net(), X)
    fails(lambda: nnx.jit(does_not)(Net(), X), "so the next call draws the same keys")


@pytest.mark.medium
def test_keys_that_come_again_fail() -> None:
    net = Net()
    before = asserts.snapshot(net)
    merged_in_jit(net, X)
    fails(lambda: asserts.assert_keys_advance(before, net), "so the next call draws the same keys")
    own = OwnKey(advances=False)

    def around() -> None:
        with asserts.keys_advance(own):
            own(X)

    fails(around, "`key` holds the same key, so the next call draws the same keys")
    net(X)
    later = asserts.snapshot(net)
    nnx.update(net, nnx.state(Net()))
    fails(lambda: asserts.assert_keys_advance(later, net), "the keys after that come again")


def test_the_message_of_keys_that_stand_still() -> None:
    rngs = nnx.Rngs(dropout=0, params=1)
    before = asserts.snapshot(rngs)
    rngs.params()
    asserts.assert_keys_advance(before, rngs)
    message = fails(lambda: asserts.assert_keys_advance(before, rngs, streams=["dropout"]), "")
    assert message == (
        "[Chex] Assertion assert_keys_advance failed: the count of `dropout` was 0 and is 0, so the next call draws "
        "the same keys"
    )
    fails(
        lambda: asserts.assert_keys_advance(before, rngs, streams="drop"), "There are `dropout`, `params`.", ValueError
    )
    counter = Counter()
    before = asserts.snapshot(counter)
    fails(lambda: asserts.assert_keys_advance(before, counter), "Expected a module with random keys", ValueError)
