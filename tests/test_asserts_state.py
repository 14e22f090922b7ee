"""The assertions on stateful modules: what a module holds, in every dtype, and what hangs at a path."""

from __future__ import annotations

import copy
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nnx_conformance import asserts
from stateful import VERSION, Counter, Late, Net, ParamCounter, X, fails, read, since_011, write


def test_a_written_state_fails_with_its_path() -> None:
    module = Net()
    before = asserts.snapshot(module)
    module(X)
    message = fails(lambda: asserts.assert_state_untouched(before, module), "`layers[1].count` (nnx.Variable) was 1.0")
    assert "`norm.mean` (nnx.BatchStat) changed in 3 of 3 elements" in message

    def around() -> None:
        with asserts.state_untouched(module):
            module.layers[0](1.0)

    assert "written at" in fails(around, "count` (nnx.Variable) was 1.0 and is 2.0")


def test_an_array_a_new_variable_and_one_that_is_gone_count() -> None:
    for change in ("late", "array", "gone"):
        module: Any = Late()
        module.array = jnp.zeros(2)
        before = asserts.snapshot(module)
        if change == "late":
            module(1.0)
        elif change == "array":
            module.array = module.array.at[1].set(3.0)
        else:
            del module.count
        expected = {"late": "`late` (nnx.Variable) is new", "array": "[1] from 0.0 to 3.0", "gone": "is gone"}
        fails(lambda b=before, m=module: asserts.assert_state_untouched(b, m), expected[change])  # type: ignore[misc]


def test_an_untouched_state_passes() -> None:
    module = Net()
    write(module.norm.mean, jnp.array([jnp.nan, 1.0, 2.0]))
    before = asserts.snapshot(module)
    module.eval()
    with asserts.state_untouched(module, ignore=nnx.RngState):
        module.linear(X)  # type: ignore[arg-type]
        write(module.norm.mean, read(module.norm.mean) + 0)
        nnx.clone(module)(X) if VERSION < (0, 11) else copy.deepcopy(module)(X)
    asserts.assert_state_untouched(before, module, ignore=nnx.RngState)


@since_011
def test_a_live_state_is_refused_as_a_state_from_before() -> None:
    module = Counter()
    state = nnx.state(module)
    module(1.0)
    message = fails(lambda: asserts.assert_state_untouched(state, module), "", ValueError)
    assert message == (
        "Expected the state from before but got before=<State> (type=State). A write since then shows in it: nnx.state "
        "and nnx.split do, too, from Flax 0.11 on: it shares `count` with after. Take the copy first: "
        "before = asserts.snapshot(module)."
    )


def test_states_that_are_equal_pass() -> None:
    one, other = Net(), Net()
    asserts.assert_state_equal(one, other)
    asserts.assert_state_equal(one, nnx.state(other))
    asserts.assert_state_equal(asserts.snapshot(one), other)
    asserts.assert_state_equal(one, nnx.merge(*nnx.split(one)))
    asserts.assert_state_equal(one, Net(7), ignore=(nnx.RngState, nnx.Param))
    asserts.assert_state_equal([one.layers[0]], [Counter()])
    with asserts.state_untouched(one):
        asserts.assert_state_close(one, other)


def test_states_that_differ_fail() -> None:
    one, other = Net(), Net()
    other(X)
    fails(lambda: asserts.assert_state_equal(one, other, ignore=nnx.RngState), "'first.count'")
    fails(lambda: asserts.assert_state_equal(one, Net(7)), "differ in leaves")
    fails(lambda: asserts.assert_state_close(one, other, rtol=1e-2, ignore=nnx.RngState), "first")
    fails(lambda: asserts.assert_state_equal(Counter(0), Counter(0.0)), "int32 != float32")
    fails(lambda: asserts.assert_state_equal(Counter(), Counter([0.0])), "shapes: () != (1,)")


def test_the_message_of_states_that_differ() -> None:
    message = fails(lambda: asserts.assert_state_equal(Counter(), Counter(1.0)), "")
    assert message.startswith(
        "[Chex] Assertion assert_state_equal failed: Trees 0 and 1 differ in leaves 'count': \nArrays are not equal\n"
        "Error in value equality check: Values not exactly equal\n"
    )


def test_states_of_other_structure() -> None:
    message = fails(lambda: asserts.assert_state_equal(ParamCounter(), Counter()), "")
    assert message == (
        "[Chex] Assertion assert_state_equal failed: the states have other structures: `w` (nnx.Param) is only in the "
        "first; `count` (nnx.Param) is nnx.Variable in the second"
    )
    fails(lambda: asserts.assert_state_equal(Counter(), jnp.zeros(2)), "Expected a module, an nnx.State or", ValueError)


def test_closeness_has_the_tolerance_of_the_dtype() -> None:
    one, other = Counter(jnp.array(1.0, jnp.bfloat16)), Counter(jnp.array(1.0078125, jnp.bfloat16))
    asserts.assert_state_close(one, other)
    fails(lambda: asserts.assert_state_equal(one, other), "'count'")
    fails(lambda: asserts.assert_state_close(Counter(1.0), Counter(1.0078125)), "'count'")
    asserts.assert_state_close(Counter(1.0), Counter(1.0078125), rtol=1e-2)


DTYPES = [
    "bool",
    "int8",
    "uint32",
    "float16",
    "bfloat16",
    "float32",
    "complex64",
    "float8_e4m3fn",
    "float8_e5m2",
    "int4",
]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype: str) -> None:
    one, other, third = (Counter(jnp.array([v, 0]).astype(dtype)) for v in (1, 1, 0))
    asserts.assert_state_equal(one, other)
    asserts.assert_state_close(one, other)
    asserts.assert_variable(one, "count", jnp.array([1, 0]).astype(dtype))
    fails(lambda: asserts.assert_state_equal(one, third), "'count'")
    before = asserts.snapshot(one)
    with asserts.state_untouched(one):
        read(one.count)
    write(one.count, read(third.count))
    fails(lambda: asserts.assert_state_untouched(before, one), "changed in 1 of 2 elements, [0]")
    asserts.assert_no_tracers(one)


def test_keys_and_containers_in_variables() -> None:
    one, other = Counter(), Counter()
    for module, seed in ((one, 0), (other, 1)):
        module.count = nnx.Variable({"key": jax.random.key(seed), "parts": [jnp.zeros(2), 1]})  # type: ignore[arg-type]
    fails(lambda: asserts.assert_state_equal(one, other), "count['key']")
    asserts.assert_state_equal(one, copy.deepcopy(one))
    asserts.assert_variable(one, "count", {"key": jax.random.key(0), "parts": [jnp.zeros(2), 1]})
    fails(lambda: asserts.assert_variable(one, "count", {"key": jax.random.key(0)}), "tree structs equality")


def test_a_variable_with_its_value_passes() -> None:
    net = Net()
    net(X)
    for path in ("layers[0].count", ("layers", 0, "count"), "first.count"):
        asserts.assert_variable(net, path, 1.0)
    asserts.assert_variable(net, "layers[1].count", jnp.array(2.0))
    asserts.assert_variable(net, "norm.mean")
    asserts.assert_variable(nnx.state(net), "norm.mean", np.asarray(read(net.norm.mean)))
    asserts.assert_variable({"a": net}, "['a'].layers[0].count", 1)


def test_a_variable_with_another_value_fails() -> None:
    message = fails(lambda: asserts.assert_variable(Counter(), "count", 3.0), "")
    assert message.startswith("[Chex] Assertion assert_variable failed: Trees 0 and 1 differ in leaves 'count': \n")
    fails(lambda: asserts.assert_variable(Counter(), "count", [0.0]), "structs")
    fails(lambda: asserts.assert_variable(Counter(), "count", np.zeros(2)), "shapes: () != (2,)")


def test_a_path_that_is_not_there() -> None:
    net = Net()
    message = fails(lambda: asserts.assert_variable(net, "layers[0].cuont", 1.0), "")
    assert message == (
        "[Chex] Assertion assert_variable failed: Net has nothing at path 'layers[0].cuont'. Did you mean "
        "'layers[0].count'?"
    )
    fails(lambda: asserts.assert_variable(net, "mean", 1.0), "Did you mean 'norm.mean'?")
    fails(lambda: asserts.assert_variable(Counter(), "zzz", 1.0), "Counter has nothing at path 'zzz'. It has `count`.")
    fails(lambda: asserts.assert_variable(net, "layers[0", 1.0), "Write it as in Python", ValueError)
    fails(lambda: asserts.assert_variable(jnp.zeros(1), "count", 1.0), "Expected a module", ValueError)


def test_what_is_no_variable() -> None:
    net = Net()
    fails(lambda: asserts.assert_variable(net, "name", 1.0), "`name` is no Variable but str")
    fails(lambda: asserts.assert_variable(net, "first", 1.0), "`first` is Counter, no Variable; it holds `count`")
