"""The assertions on stateful modules: wrappers that are lost, and Params that calls write."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import pytest
from flax import nnx

import stateful
from nnx_conformance import asserts
from stateful import (
    NODES,
    WRITE,
    WRITTEN,
    Assigns,
    Counter,
    Late,
    Net,
    ParamCounter,
    Sows,
    X,
    fails,
    line_of,
    read,
    without_folder,
    write,
)

pytestmark = pytest.mark.filterwarnings("ignore:Using 'Module.sow:DeprecationWarning")


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
    assert without_folder(message) == (
        "[Chex] Assertion assert_wrappers_kept failed: `layers[0].count` (nnx.Variable) was replaced by jax.Array, "
        f"written at {line_of('self.count = read(self.count) + 1', stateful.__file__)}; write to its contents, "
        f"`layers[0].count{WRITE} = ...`"
    )


class Renews(Counter):
    def __call__(self, x: Any) -> Any:
        self.count = nnx.Variable(read(self.count) + 1)
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
    assert without_folder(message) == (
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
