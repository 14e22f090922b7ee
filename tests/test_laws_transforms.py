"""The laws of further transforms: switch, loops, derivatives, and memory that is given up."""

from __future__ import annotations

import types
from typing import Any

import flax
import jax
import jax.numpy as jnp
import optax
import pytest
from flax import nnx

from lawful import judged, read, violation, write
from nnx_conformance.contracts.module_laws.execution.harness import broken
from nnx_conformance.contracts.module_laws.program.domains import FAMILIES
from nnx_conformance.core.contract import NotApplicable, Violation

VERSION = tuple(int(part) for part in flax.__version__.split(".")[:3])
BRANCHES = pytest.mark.skipif(not hasattr(nnx, "switch"), reason="this Flax has no nnx.switch")
PULLBACKS = pytest.mark.skipif(not hasattr(nnx, "vjp"), reason="this Flax has no nnx.vjp")
LAWS = ("switch-agrees", "loop-agrees", "custom-vjp-agrees", "vjp-agrees", "donation-safe")


class Mean(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.dense = nnx.Linear(4, 4, rngs=rngs)
        self.mean = nnx.BatchStat(jnp.zeros(4))
        self.calls = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x: Any) -> Any:
        write(self.mean, 0.9 * read(self.mean) + 0.1 * x.mean(0))
        write(self.calls, read(self.calls) + 1)
        return self.dense(x) - read(self.mean), read(self.calls)


class Wraps(Mean):
    def __call__(self, x: Any) -> Any:
        self.mean = nnx.BatchStat(0.9 * read(self.mean) + 0.1 * x.mean(0))
        return x - read(self.mean)


class Boxed(Mean):
    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.box = types.SimpleNamespace(last=0.0)

    def __call__(self, x: Any) -> Any:
        self.box.last = x + 0.5 * self.box.last
        return self.box.last


class Shares(Mean):
    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.target = nnx.Variable(read(self.dense.kernel))


class Clips(Mean):
    def __call__(self, x: Any) -> Any:
        same = jax.custom_vjp(lambda x: x)
        same.defvjp(lambda x: (x, None), lambda _, gradient: (gradient.clip(-1, 1),))
        return same(super().__call__(x)[0])


class Lowers(Mean):
    """Sets a flag, and asks for it as an array in the next call."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.first = nnx.Variable(jnp.array(True))

    def __call__(self, x: Any) -> Any:
        first = read(self.first).reshape(())
        write(self.first, jnp.array(False))
        return jnp.where(first, x, super().__call__(x)[0])


class HasAHook(Mean):
    """Gives a Variable a hook of its own, which is another function in each module."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.hits = nnx.Variable(jnp.zeros(()), on_get_value=lambda variable, value: value)


class Trains(nnx.Module):
    """Holds an optimiser, whose state Flax 0.8 keeps in named tuples."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.model = nnx.Linear(4, 4, rngs=rngs)
        self.optimizer = nnx.Optimizer(self.model, optax.adam(0.1), wrt=nnx.Param)

    def __call__(self, x: Any) -> Any:
        return self.model(x)


class Grows(Mean):
    def __call__(self, x: Any) -> Any:
        self.sow(nnx.Intermediate, "seen", x)
        return super().__call__(x)


@BRANCHES
@pytest.mark.parametrize("law", LAWS)
def test_a_running_mean_keeps_each_law(law: str) -> None:
    if law == "vjp-agrees" and not hasattr(nnx, "vjp"):
        pytest.skip("this Flax has no nnx.vjp")
    if law == "custom-vjp-agrees" and (reason := broken("custom_vjp")):
        pytest.skip(reason)
    for program in FAMILIES[law].split("|")[: 1 if law == "donation-safe" else 2]:
        assert judged(Mean, law, program) is None


@pytest.mark.parametrize("law", ["remat-agrees", "cond-agrees", "switch-agrees"])
def test_a_constant_that_is_written_stays_an_array(law: str) -> None:
    assert not isinstance(judged(Lowers, law, FAMILIES[law].split("|")[1]), Violation)


def test_lanes_may_have_hooks_of_their_own() -> None:
    assert judged(HasAHook, "vmap-agrees", "call vmap") is None


@pytest.mark.parametrize("law", ["abstract-agrees", "donation-safe"])
def test_an_optimiser_of_flax_is_not_accused(law: str) -> None:
    assert not isinstance(judged(Trains, law, FAMILIES[law].split("|")[0]), Violation)


@BRANCHES
def test_a_branch_that_finds_the_tracer_of_another_is_reported() -> None:
    found = violation(Boxed, "switch-agrees", "call switch")
    assert found.what.startswith("step 2, `switch`, raised UnexpectedTracerError: ")


@BRANCHES
@pytest.mark.skipif(VERSION < (0, 12), reason="this Flax says it in other words")
def test_a_new_variable_in_each_call_cannot_be_carried_by_a_loop() -> None:
    found = violation(Wraps, "loop-agrees", "call while_loop")
    assert found.what.startswith("step 2, `while_loop`, raised ValueError: nnx.while_loop requires body function's")


@PULLBACKS
def test_a_new_variable_in_each_call_is_lost_by_vjp() -> None:
    found = violation(Wraps, "vjp-agrees", "call vjp")
    assert found.what == "the state `mean` differs after step 2, `vjp`"


@PULLBACKS
def test_a_rule_without_forward_mode_is_not_asked_for_it() -> None:
    found = judged(Clips, "vjp-agrees", "call:1 jvp:1 call:1")
    assert isinstance(found, NotApplicable)
    assert found.reason.startswith("JAX cannot differentiate its call: can't apply forward-mode")
    assert judged(Clips, "vjp-agrees", "call vjp") is None


@pytest.mark.skipif(VERSION < (0, 12), reason="this JAX gives the same memory up twice")
def test_two_variables_on_one_array_cannot_be_donated() -> None:
    found = violation(Shares, "donation-safe", "donate")
    assert "Attempt to donate the same buffer twice" in found.what


ROW = jnp.ones(4)


class Constant(Mean):
    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.row = nnx.Variable(ROW)
        self.key = nnx.Variable(KEY)


KEY = jax.random.key(3)


def test_an_array_of_the_file_outlives_the_modules_that_hold_it() -> None:
    for _ in range(2):
        assert judged(Constant, "donation-safe", "donate donate call") is None
    assert not ROW.is_deleted()
    assert not KEY.is_deleted()


@BRANCHES
def test_what_grows_is_not_asked_for_one_structure() -> None:
    for law, operation in (("custom-vjp-agrees", "custom_vjp"), ("loop-agrees", "fori_loop")):
        found = judged(Grows, law, f"call {operation}", traits={"grows": True})
        assert isinstance(found, NotApplicable)
        assert found.reason == "it grows state on purpose"


@pytest.mark.skipif(hasattr(nnx, "switch"), reason="this Flax has all of them")
@pytest.mark.parametrize("law", LAWS[:4])
def test_what_a_flax_lacks_is_said(law: str) -> None:
    found = judged(Mean, law, FAMILIES[law].split("|")[0])
    assert isinstance(found, NotApplicable)
    assert found.reason.startswith(f"Flax {flax.__version__} has no nnx.")
