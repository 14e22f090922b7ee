"""Assertions on stateful modules: wrong ones as different people write them, right ones that look odd, and messages."""

from __future__ import annotations

import copy
import functools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chex
import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings

from nnx_conformance import asserts
from nnx_strategies import keys

VERSION = tuple(map(int, flax.__version__.split(".")[:3]))
WRITE = "[...]" if VERSION >= (0, 10, 7) else ".value"
NODES: Any = getattr(nnx, "List", list) if VERSION >= (0, 12) else list
pytestmark = pytest.mark.filterwarnings("ignore:Using 'Module.sow:DeprecationWarning")
since_011 = pytest.mark.skipif(VERSION < (0, 11), reason="until Flax 0.10 a plain transform refuses a module")
since_010 = pytest.mark.skipif(VERSION < (0, 10), reason="Flax 0.8 has no such transform of a module")


def write(variable: Any, value: Any) -> None:
    """Write to the contents of a Variable, as users of this Flax do."""
    if WRITE == "[...]":
        variable[...] = value
    else:
        variable.value = value


def line_of(source: str) -> str:
    """How messages show the first line of this file that is this one."""
    lines = Path(__file__).read_text().splitlines()
    return f"test_asserts.py:{next(n for n, line in enumerate(lines, 1) if line.strip() == source)}: `{source}`"


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


# --- wrappers ---------------------------------------------------------------------------------------------------------


class Assigns(Counter):
    def __call__(self, x: Any) -> Any:
        self.count = read(self.count) + 1
        return x


class Operator(Counter):
    def __call__(self, x: Any) -> Any:
        self.count = self.count + 1.0  # type: ignore[assignment]
        return x


class HostNumber(Counter):
    def __call__(self, x: Any) -> Any:
        self.count = float(read(self.count)) + 1  # type: ignore[assignment]
        return x


class ThroughDict(Counter):
    def __call__(self, x: Any) -> Any:
        vars(self)["count"] = read(self.count) + 1
        return x


class Deletes(Counter):
    def __call__(self, x: Any) -> Any:
        del self.count
        return x


class OtherClass(Counter):
    def __call__(self, x: Any) -> Any:
        self.count = nnx.Param(read(self.count))
        return x


class InList(nnx.Module):
    def __init__(self) -> None:
        self.layers = NODES([Assigns(), Counter()])

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            layer(x)
        return x


def static_safe(call: Callable[[], Any]) -> None:
    """Call; Flax from 0.12 on refuses to put an array where a number was, which is no matter here."""
    try:
        call()
    except ValueError:
        pytest.skip("this Flax refuses it itself")


@pytest.mark.parametrize("make", [Assigns, Operator, HostNumber, ThroughDict, Deletes, OtherClass, InList])
def test_a_lost_wrapper_fails(make: Any) -> None:
    module = make()
    before = asserts.snapshot(module)
    static_safe(lambda: module(1.0))
    fails(lambda: asserts.assert_wrappers_kept(before, module), "count` (nnx.Variable)")

    module = make()

    def around() -> None:
        with asserts.wrappers_kept(module):
            module(1.0)

    fails(around, "count` (nnx.Variable)")


def test_the_message_of_a_lost_wrapper() -> None:
    def around() -> None:
        module = InList()
        with asserts.wrappers_kept(module):
            module(1.0)

    message = fails(around, "")
    assert re.sub(r"written at \S+?(test_asserts)", r"written at \1", message) == (
        "[Chex] Assertion assert_wrappers_kept failed: `layers[0].count` (nnx.Variable) was replaced by jax.Array, "
        f"written at {line_of('self.count = read(self.count) + 1')}; write to its contents, "
        f"`layers[0].count{WRITE} = ...`"
    )


class Renews(Counter):
    def __call__(self, x: Any) -> Any:
        self.count = nnx.Variable(read(self.count) + 1)
        return x


class Late(Counter):
    def __call__(self, x: Any) -> Any:
        self.late = nnx.Variable(jnp.ones(2))
        return x


class Sows(Counter):
    def __call__(self, x: Any) -> Any:
        self.sow(nnx.Intermediate, "seen", x)
        return x


@pytest.mark.parametrize("make", [Counter, Renews, Late, Sows, Net, lambda: Net().norm, lambda: nnx.Rngs(0)])
def test_kept_wrappers_pass(make: Any) -> None:
    module = make()
    state, before, twin = nnx.state(module), asserts.snapshot(module), copy.deepcopy(module)
    with asserts.wrappers_kept(module):
        for _ in range(2):
            module() if isinstance(module, nnx.Rngs) else module(X)
    for was in (state, before, twin):
        asserts.assert_wrappers_kept(was, module)


def test_intermediates_may_be_popped_and_a_state_taken_before_shows_a_lost_wrapper() -> None:
    module: Any = Sows()
    module(1.0)
    with asserts.wrappers_kept(module):
        nnx.pop(module, nnx.Intermediate)
    module = Assigns()
    state = nnx.state(module)
    module(1.0)
    fails(lambda: asserts.assert_wrappers_kept(state, module), "was replaced by jax.Array")


def test_a_reference_is_no_state_from_before() -> None:
    module = Counter()
    message = fails(lambda: asserts.assert_wrappers_kept(module, module), "before", ValueError)
    assert message == (
        "Expected the state from before but got before=<Counter> (type=Counter). It is the same object as after: take "
        "before = asserts.snapshot(module) first."
    )


# --- Params -----------------------------------------------------------------------------------------------------------


class Ema(nnx.Param):  # type: ignore[type-arg]
    pass


def test_a_param_fails() -> None:
    for variable in (nnx.Param(jnp.zeros(2)), Ema(jnp.zeros(2))):
        fails(lambda variable=variable: asserts.assert_not_param(variable), "optimizers")  # type: ignore[misc]
    message = fails(lambda: asserts.assert_not_param(nnx.Param(jnp.array(0.0))), "")
    assert message == (
        "[Chex] Assertion assert_not_param failed: the Variable is nnx.Param: optimizers and nnx.grad take it for a "
        "weight; make it an nnx.Variable, or a class of your own"
    )
    fails(lambda: asserts.assert_not_param(nnx.state(ParamCounter())["count"]), "nnx.Param")


def test_what_is_no_param_passes() -> None:
    for variable in (Counter().count, nnx.BatchStat(jnp.zeros(2)), Net().dropout.rngs, Net().norm.mean):
        if isinstance(variable, nnx.Variable):
            asserts.assert_not_param(variable)
    asserts.assert_not_param(nnx.state(Counter())["count"])


def test_a_module_where_a_variable_is_asked_for() -> None:
    message = fails(lambda: asserts.assert_not_param(Counter()), "", ValueError)
    assert message == (
        "Expected a Variable but got variable=<Counter> (type=Counter). Pass one of its Variables, such as "
        "module.count."
    )
    fails(lambda: asserts.assert_not_param(jnp.zeros(2)), "Pass the Variable itself, not its contents.", ValueError)


class ParamCounter(nnx.Module):
    def __init__(self) -> None:
        self.count = nnx.Param(jnp.array(0.0))
        self.w = nnx.Param(jnp.ones((2, 3)))

    def __call__(self, x: Any) -> Any:
        write(self.count, read(self.count) + 1)
        return x


class NormalisesWeights(ParamCounter):
    def __call__(self, x: Any) -> Any:
        write(self.w, read(self.w) / 2)
        return x


class ReplacesParam(ParamCounter):
    def __call__(self, x: Any) -> Any:
        self.w = read(self.w) * 2
        return x


class InJit(ParamCounter):
    def __call__(self, x: Any) -> Any:
        nnx.jit(lambda module: write(module.count, 1.0 + read(module.count)))(self)
        return x


class Replaces(ParamCounter):
    def __call__(self, x: Any) -> Any:
        self.w = nnx.Param(jnp.ones(5))
        return x


@pytest.mark.parametrize("make", [ParamCounter, NormalisesWeights, ReplacesParam, InJit, Replaces])
def test_a_call_that_writes_to_a_param_fails(make: Any) -> None:
    module = make()
    before = asserts.snapshot(module)
    module(1.0)
    fails(lambda: asserts.assert_params_untouched(before, module), "(nnx.Param)")


def test_the_message_of_a_param_that_a_call_writes() -> None:
    module = NormalisesWeights()

    def around() -> None:
        with asserts.params_untouched(module):
            module(1.0)

    message = fails(around, "")
    assert re.sub(r"written at \S+?(test_asserts)", r"written at \1", message) == (
        "[Chex] Assertion assert_params_untouched failed: `w` (nnx.Param) changed in 6 of 6 elements, [0, 0] from 1.0 "
        f"to 0.5, written at {WRITTEN}"
    )
    fails(lambda: asserts.assert_params_untouched(module, module), "Take the copy first", ValueError)


@pytest.mark.parametrize("make", [Net, Counter, Renews, Sows, lambda: nnx.LoRA(3, 2, 3, rngs=nnx.Rngs(0))])
def test_calls_that_leave_params_alone_pass(make: Any) -> None:
    module = make()
    before = asserts.snapshot(module)
    with asserts.params_untouched(module):
        module(jnp.asarray(X))
    asserts.assert_params_untouched(before, module)


# --- the state --------------------------------------------------------------------------------------------------------


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
        "[Chex] Assertion assert_state_equal failed: the states have other structures: `w` (nnx.Param) is in the first "
        "alone; `count` (nnx.Param) is nnx.Variable in the second"
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


# --- one Variable -----------------------------------------------------------------------------------------------------


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


# --- tracers ----------------------------------------------------------------------------------------------------------


class Hist(nnx.Module):
    def __init__(self) -> None:
        self.kept: Any = Box()


class Box:
    def __init__(self) -> None:
        self.value: Any = None


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


# --- updates ----------------------------------------------------------------------------------------------------------


def merged_in_jit(module: Any, x: Any) -> Any:
    graphdef, state = nnx.split(module)

    @jax.jit
    def step(state: Any, x: Any) -> Any:
        return nnx.merge(graphdef, state)(x)

    return step(state, x)


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


def test_the_message_of_a_lost_update() -> None:
    message = fails(lambda: asserts.assert_updates_kept(merged_in_jit, Counter(), 1.0), "")
    assert re.sub(r"written at \S+?(test_asserts)", r"written at \1", message) == (
        "[Chex] Assertion assert_updates_kept failed: an update is lost in merged_in_jit: `count` (nnx.Variable) still "
        f"holds what it held before, though it is written at {WRITTEN}; return the new state and nnx.update the module "
        "with it, or use the transform of nnx"
    )


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


# --- independence -----------------------------------------------------------------------------------------------------


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


# --- random keys ------------------------------------------------------------------------------------------------------


class OwnKey(nnx.Module):
    def __init__(self, advances: bool = True) -> None:
        self.key, self.advances = nnx.Variable(jax.random.key(0)), advances

    def __call__(self, x: Any) -> Any:
        key, used = jax.random.split(read(self.key))
        if self.advances:
            write(self.key, key)
        return x + jax.random.normal(used)


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


# --- compilation ------------------------------------------------------------------------------------------------------


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


# --- transforms -------------------------------------------------------------------------------------------------------


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


# --- chex's form ------------------------------------------------------------------------------------------------------


def test_the_keywords_of_chex() -> None:
    lost = functools.partial(asserts.assert_variable, Counter(), "count", 3.0)
    message = fails(lambda: lost(custom_message="step {}", custom_message_format_vars=(7,)), "")
    assert message.endswith(" [step 7]")
    assert not fails(lambda: lost(include_default_message=False), "[Chex] Trees").startswith("[Chex] Assertion")
    fails(lambda: lost(exception_type=RuntimeError), "[Chex] ", RuntimeError)

    def around() -> None:
        module = Assigns()
        with asserts.wrappers_kept(module, custom_message="in the encoder"):
            module(1.0)

    assert fails(around, "").endswith(" [in the encoder]")


def test_assertions_can_be_switched_off_with_those_of_chex() -> None:
    chex.disable_asserts()
    try:
        asserts.assert_variable(Counter(), "count", 3.0)
        module = Assigns()
        with asserts.wrappers_kept(module):
            module(1.0)
    finally:
        chex.enable_asserts()


def test_an_exception_in_the_block_is_not_covered() -> None:
    module = Assigns()

    def around() -> None:
        with asserts.wrappers_kept(module):
            module(1.0)
            raise KeyError("mine")

    fails(around, "mine", KeyError)
    assert "nnx_conformance" not in str(vars(nnx.Variable)["__init__"])
    assert nnx.Module.__setattr__.__module__.startswith("flax")


class TestVariants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True, with_device=True)
    def test_under_the_variants_of_chex(self) -> None:
        graphdef, state = nnx.split(Counter())

        @self.variant
        def step(state: Any, x: Any) -> Any:
            module = nnx.merge(graphdef, state)
            with asserts.wrappers_kept(module):
                module(x)
            asserts.assert_not_param(module.count)
            asserts.assert_variable(module, "count")
            return nnx.state(module)

        after = step(jax.tree.map(jnp.copy, state), 1.0)
        asserts.assert_variable(after, "count", 1.0)
        with self.assertRaisesRegex(AssertionError, r"^\[Chex\] Assertion assert_variable failed: "):
            asserts.assert_variable(after, "count", 2.0)


def test_values_inside_a_trace_need_chexify() -> None:
    def compares(x: Any) -> Any:
        asserts.assert_state_equal(Counter(x), Counter(0.0))
        return x

    with pytest.raises(RuntimeError, match="chexify"):
        jax.jit(compares)(1.0)


@settings(deadline=None, max_examples=10)
@given(keys())
def test_under_hypothesis(key: Any) -> None:
    module = OwnKey()
    write(module.key, key)
    with asserts.keys_advance(module), asserts.wrappers_kept(module), asserts.params_untouched(module):
        module(1.0)
    asserts.assert_no_tracers(module)


PAGE = Path(__file__).parents[1] / "docs" / "howto" / "asserts.md"


@pytest.mark.slow
@pytest.mark.skipif(not PAGE.exists(), reason="the tests run without the checkout")
def test_the_ordinary_test_file_of_the_page_finds_five_mistakes_and_passes_when_they_are_right(tmp_path: Path) -> None:
    blocks = re.findall(r"```\{code-block\} python\n:caption: (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    models = [text for name, text in blocks if name == "models.py"]
    tests = next(text for name, text in blocks if name == "test_models.py")
    for text, expected in zip(models, ("5 failed", "5 passed"), strict=True):
        folder = tmp_path / expected.replace(" ", "-")
        folder.mkdir()
        (folder / "models.py").write_text(text.replace("[...]", WRITE))
        (folder / "test_models.py").write_text(tests)
        command = [sys.executable, "-W", "ignore", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_models.py"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert expected in done.stdout.splitlines()[-1], done.stdout
        assert done.stdout.count("\nE       AssertionError: [Chex] Assertion ") == int(expected[0]) * (
            expected[2:] == "failed"
        )
        assert "form.py" not in done.stdout


@pytest.mark.medium
def test_no_process_is_started_and_no_contract_is_loaded() -> None:
    code = (
        "import sys; from nnx_conformance import asserts;"
        "print([m for m in sys.modules if m.startswith(('nnx_conformance.contracts', 'nnx_conformance.process',"
        " 'nnx_conformance.judging'))])"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
