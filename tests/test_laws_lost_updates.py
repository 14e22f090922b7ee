"""`updates-kept`: writes into copies that nobody hands back, each way to a copy; and copies that are all right."""

from __future__ import annotations

import copy
import functools
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from nnx_conformance import Subject, check_module
from nnx_conformance.contracts.module_laws.contract import CONTRACT
from nnx_conformance.contracts.module_laws.execution import run as execution
from nnx_conformance.contracts.module_laws.observer import consistent
from nnx_conformance.contracts.module_laws.program.language import case, words
from nnx_conformance.core.contract import NotApplicable, Violation, judgement
from nnx_conformance.core.plan import Request, RunPlan

VERSION = tuple(int(part) for part in flax.__version__.split(".")[:2])
X = np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3)
LAW = "updates-kept"
#: Modules are pytrees, which plain transforms take, from Flax 0.11 on.
PYTREES = pytest.mark.skipif(VERSION < (0, 11), reason="modules are no pytrees on this Flax")


def judged(make: Any, **traits: Any) -> Any:
    """What one program comes to: a whole judging compiles each of these modules dozens of times."""
    harness, _ = execution.adopt(Subject(make, [X, np.cos(X)], traits), "mine", ())  # type: ignore[misc]
    drawn = case(LAW, 0, words("eval call:1 watch:1" if "has_eval_mode" in traits else "call:1 watch:1 watch:2"))
    request = Request(drawn, RunPlan(), 0)
    facts = consistent(execution.observe(harness, request), request)
    return judgement(CONTRACT.check(LAW), drawn, CONTRACT.read(drawn, facts))


def violation(make: Any, **traits: Any) -> Violation:
    found = judged(make, **traits)
    assert isinstance(found, Violation)
    return found


def read(variable: Any) -> Any:
    return variable.get_value() if hasattr(variable, "get_value") else variable.value


def write(variable: Any, value: Any) -> None:
    variable.set_value(value) if hasattr(variable, "set_value") else setattr(variable, "value", value)


class Tracker(nnx.Module):
    """A running mean, and how often it was moved."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.mean = nnx.BatchStat(jnp.zeros(3))

    def step(self, x: Any) -> Any:
        write(self.mean, 0.9 * read(self.mean) + 0.1 * jnp.mean(x, 0))
        return x - read(self.mean)

    def __call__(self, x: Any) -> Any:
        return self.step(x)


@jax.jit
def decorated(tracker: Any, x: Any) -> Any:
    return tracker.step(x)


@functools.partial(jax.jit, static_argnames=("scale",))
def partly(tracker: Any, x: Any, scale: float) -> Any:
    return scale * tracker.step(x)


def plain(tracker: Any, x: Any) -> Any:
    return tracker.step(x)


compiled = jax.jit(plain)


class Decorated(Tracker):
    def __call__(self, x: Any) -> Any:
        return decorated(self, x)


class Partly(Tracker):
    def __call__(self, x: Any) -> Any:
        return partly(self, x, scale=2.0)


class Assigned(Tracker):
    def __call__(self, x: Any) -> Any:
        return compiled(self, x)


class InALambda(Tracker):
    def __call__(self, x: Any) -> Any:
        return jax.jit(lambda tracker, x: tracker.step(x))(self, x)


class ReturnsWhatItLost(Tracker):
    """The output shows the new mean; the next call begins with the old one."""

    def __call__(self, x: Any) -> Any:
        def step(tracker: Any, x: Any) -> Any:
            tracker.step(x)
            return read(tracker.mean)

        return jax.jit(step)(self, x)


class InAScan(Tracker):
    def __call__(self, x: Any) -> Any:
        def body(tracker: Any, row: Any) -> Any:
            return tracker, tracker.step(row[None])

        return jax.lax.scan(body, self, jnp.asarray(x))[1]


class InAForiLoop(Tracker):
    def __call__(self, x: Any) -> Any:
        def body(_: Any, carry: Any) -> Any:
            tracker, x = carry
            return tracker, tracker.step(x)

        return jax.lax.fori_loop(0, 2, body, (self, jnp.asarray(x)))[1]


class InABranch(Tracker):
    def __call__(self, x: Any) -> Any:
        return jax.lax.cond(jnp.sum(x) > -1e6, plain, lambda tracker, x: x, self, jnp.asarray(x))


class ForItsGradient(Tracker):
    def __call__(self, x: Any) -> Any:
        def loss(tracker: Any, x: Any) -> Any:
            return (tracker.step(x) ** 2).sum()

        return jax.value_and_grad(loss)(self, jnp.asarray(x))[0]


class OverItsRows(Tracker):
    def __call__(self, x: Any) -> Any:
        return jax.vmap(lambda tracker, row: tracker.step(row[None]), in_axes=(None, 0))(self, jnp.asarray(x))


class Checkpointed(Tracker):
    def __call__(self, x: Any) -> Any:
        return jax.checkpoint(plain)(self, x)


class InsideOfNnxJit(Tracker):
    """The inner transform loses it, the outer one would keep it."""

    def __call__(self, x: Any) -> Any:
        return nnx.jit(lambda tracker, x: jax.checkpoint(plain)(tracker, x))(self, x)


class Broadcast(Tracker):
    def __call__(self, x: Any) -> Any:
        def body(tracker: Any, carry: Any, row: Any) -> Any:
            return carry, tracker.step(row[None])

        return nnx.scan(body, in_axes=(None, nnx.Carry, 0), out_axes=(nnx.Carry, 0))(self, 0.0, jnp.asarray(x))[1]


class Trains(nnx.Module):
    """A step of an optimiser under plain `jax.jit`: neither the model nor the optimiser moves."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.model = nnx.Linear(3, 2, rngs=rngs)
        self.optimizer = nnx.Optimizer(self.model, optax.adam(0.1), wrt=nnx.Param)

    def __call__(self, x: Any) -> Any:
        @jax.jit
        def step(model: Any, optimizer: Any, x: Any) -> Any:
            loss, grads = nnx.value_and_grad(lambda model: (model(x) ** 2).mean())(model)
            optimizer.update(model, grads)
            return loss

        return step(self.model, self.optimizer, x)


class Functional(Tracker):
    def __call__(self, x: Any) -> Any:
        graphdef, state = nnx.split(self)

        def step(state: Any, x: Any) -> Any:
            tracker = nnx.merge(graphdef, state)
            return tracker.step(x)

        return jax.jit(step)(state, x)


class Merged(Tracker):
    def __call__(self, x: Any) -> Any:
        graphdef, state = nnx.split(self)
        state = jax.tree.map(jnp.copy, state)
        other = nnx.merge(graphdef, state)
        return other.step(x)


class Cloned(Tracker):
    def __call__(self, x: Any) -> Any:
        return nnx.clone(self).step(x)


class Copied(Tracker):
    def __call__(self, x: Any) -> Any:
        return copy.deepcopy(self).step(x)


def named(value: Any) -> str:
    return getattr(value, "__name__", "")


#: The module, what is named as the reason, the line that is shown, and the code that the remedy holds.
IMPLICIT: list[tuple[Any, str, str, str]] = [
    (Decorated, "jax.jit", "@jax.jit", "`nnx.jit(step)(self, x)`"),
    (Partly, "jax.jit", "@functools.partial(jax.jit, static_argnames=", "`nnx.jit(step)(self, x)`"),
    (Assigned, "jax.jit", "compiled = jax.jit(plain)", "`nnx.jit(step)(self, x)`"),
    (InALambda, "jax.jit", "return jax.jit(lambda tracker, x", "`nnx.jit(step)(self, x)`"),
    (ReturnsWhatItLost, "jax.jit", "return jax.jit(step)(self, x)", "`nnx.jit(step)(self, x)`"),
    (InAScan, "jax.lax.scan", "return jax.lax.scan(body, self,", "`_, y = nnx.scan(step, in_axes=(nnx.Carry, 0)"),
    (InAForiLoop, "jax.lax.fori_loop", "return jax.lax.fori_loop(0, 2, body,", "`_, y = nnx.fori_loop(0, n, step"),
    (InABranch, "jax.lax.cond", "return jax.lax.cond(", "`nnx.cond(where, taken, left, self, x)`"),
    (ForItsGradient, "jax.value_and_grad", "return jax.value_and_grad(loss)", "`nnx.value_and_grad(loss)(self, x)`"),
    (OverItsRows, "jax.vmap", "return jax.vmap(lambda tracker, row", "`self.mean[...] = new.mean(0)`"),
    (Checkpointed, "jax.checkpoint", "return jax.checkpoint(plain)(self, x)", "`nnx.remat(step)(self, x)`"),
    (InsideOfNnxJit, "jax.checkpoint", "return nnx.jit(lambda tracker, x: jax.checkpoint(plain)", "`nnx.remat(step)"),
    (Broadcast, "nnx.scan", "return nnx.scan(body, in_axes=(None, nnx.Carry, 0)", "`_, y = nnx.scan(step, in_axes="),
]
EXPLICIT: list[tuple[Any, str, str]] = [
    (Functional, "nnx.merge", "tracker = nnx.merge(graphdef, state)"),
    (Merged, "nnx.merge", "other = nnx.merge(graphdef, state)"),
    (Cloned, "nnx.clone", "return nnx.clone(self).step(x)"),
    (Copied, "copy.deepcopy", "return copy.deepcopy(self).step(x)"),
]


@pytest.mark.medium
@PYTREES
@pytest.mark.parametrize(
    ("make", "through", "line", "code"), IMPLICIT, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_transform_that_drops_what_is_written_is_named_with_its_line(
    make: Any, through: str, line: str, code: str
) -> None:
    found = violation(make)
    assert found.what.startswith("in step 2, `watch`, a call wrote [")
    assert found.what.endswith("to a copy of `mean`, which stayed as it was")
    assert found.line is not None and found.line.source.startswith(line)
    assert found.cause.startswith(f"`{through}`")
    assert code in found.remedy


@pytest.mark.parametrize(("make", "through", "line"), EXPLICIT, ids=named)
def test_a_copy_that_is_not_handed_back_is_named_with_the_line_that_made_it(make: Any, through: str, line: str) -> None:
    found = violation(make)
    assert found.line is not None and found.line.source == line
    assert found.cause.startswith(
        f"`{through}` works on a copy of the module, and what a call writes in test_laws_lost_updates.py:"
    )
    assert "`nnx.update(self, nnx.state(copy))`" in found.remedy


@PYTREES
def test_the_line_of_the_call_is_named_beside_that_of_the_decorator() -> None:
    assert ", `return decorated(self, x)`, works on a copy of the module" in violation(Decorated).cause


def test_a_whole_judging_gives_one_finding_with_the_smallest_program() -> None:
    report = check_module(Subject(Cloned, [X, np.cos(X)]), max_examples=8, checks=(LAW,))
    (found,) = report.findings
    assert (found.check, found.level, str(found.case)) == (LAW, "MUST", "make(0) call[0] watch[0]")
    assert report.verdict == "does not conform"


@pytest.mark.medium
@PYTREES
def test_a_training_step_under_plain_jit_is_accused() -> None:
    found = violation(Trains, rewrites_param=True)
    assert found.line is not None and found.line.source == "@jax.jit"


class HandsBack(Tracker):
    def __call__(self, x: Any) -> Any:
        graphdef, state = nnx.split(self)

        @jax.jit
        def step(state: Any, x: Any) -> Any:
            tracker = nnx.merge(graphdef, state)
            y = tracker.step(x)
            return y, nnx.state(tracker)

        y, state = step(state, x)
        nnx.update(self, state)
        return y


class UpdatesFromItsClone(Tracker):
    def __call__(self, x: Any) -> Any:
        other = nnx.clone(self)
        y = other.step(x)
        nnx.update(self, nnx.state(other))
        return y


class ReturnsItsNewState(Tracker):
    """As a functional layer does: the caller gets the state, and the module itself stays as it is."""

    def __call__(self, x: Any) -> Any:
        other = nnx.clone(self)
        return other.step(x), nnx.state(other)


class ReturnsItsNewStateAsADict(Tracker):
    def __call__(self, x: Any) -> Any:
        other = nnx.clone(self)
        return {"y": other.step(x), "state": {"mean": read(other.mean)}}


class KeepsItsClone(Tracker):
    """Its last clone, which has moved, is an attribute."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.ahead = Tracker(rngs)

    def __call__(self, x: Any) -> Any:
        self.ahead = nnx.clone(self.ahead)
        return self.ahead.step(x)


class LooksAhead(Tracker):
    def __call__(self, x: Any) -> Any:
        return nnx.clone(self).step(x)


class WithATeacher(nnx.Module):
    """The teacher's weights are a mean of the student's; its statistics of the batch are thrown away."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.norm = nnx.BatchNorm(3, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.norm(x) - nnx.clone(self.norm)(x)


class MergesItsAdapter(nnx.Module):
    """Adds its adapter to the weights of a copy."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(3, 3, rngs=rngs)
        self.delta = nnx.Param(jnp.ones((3, 3)))

    def __call__(self, x: Any) -> Any:
        merged = nnx.clone(self.linear)
        write(merged.kernel, read(merged.kernel) + read(self.delta))
        return merged(x)


class Scratch(Tracker):
    """Counts in a Variable of the call's own, under plain `jax.jit`."""

    def __call__(self, x: Any) -> Any:
        @jax.jit
        def total(x: Any) -> Any:
            held = nnx.Variable(jnp.zeros(()))
            write(held, read(held) + jnp.sum(x))
            return read(held)

        return self.step(x) * total(x)


class PutsItBack(Tracker):
    """Tries a step out in a copy, and gives it what it had."""

    def __call__(self, x: Any) -> Any:
        other = nnx.clone(self)
        held = read(other.mean)
        y = other.step(x)
        write(other.mean, held)
        return y


class FillsItsCacheAnew(Tracker):
    """Resets its mean, and compiled code fills it with what it held before."""

    def __call__(self, x: Any) -> Any:
        write(self.mean, jnp.zeros(3))
        return nnx.jit(plain)(self, x)


class Constant(nnx.Module):
    """A table and a count that rests, in Variables."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.table = nnx.Variable(jnp.arange(3.0))
        self.warm = nnx.Variable(jnp.array(3))

    def __call__(self, x: Any) -> Any:
        write(self.warm, jnp.maximum(read(self.warm) - 0, 0))
        return nnx.jit(lambda constant, x: x * read(constant.table))(self, x)


class ThroughTransformsOfNnx(Tracker):
    def __call__(self, x: Any) -> Any:
        y = nnx.jit(plain)(self, x)
        y = nnx.remat(plain)(self, y)
        return nnx.cond(True, plain, lambda tracker, x: x, self, y)


class FindsItsShapes(Tracker):
    """Evaluates a copy for its shapes only."""

    def __call__(self, x: Any) -> Any:
        shape = jax.eval_shape(lambda x: nnx.clone(self).step(x), x).shape
        return self.table(shape) * jnp.asarray(x)

    def table(self, shape: Any) -> Any:
        return jnp.ones(shape)


class MakesItsStateInTheFirstCall(Tracker):
    """Tries a copy out in the first call, to learn how wide its head must be."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.width = nnx.Variable(jnp.zeros((), jnp.int32))

    def __call__(self, x: Any) -> Any:
        if not isinstance(read(self.width), jax.core.Tracer) and read(self.width) == 0:
            write(self.width, jnp.int32(nnx.clone(self).step(x).shape[-1]))
        return x * 1.0


RIGHT = [
    *(HandsBack, UpdatesFromItsClone, ReturnsItsNewState, ReturnsItsNewStateAsADict, KeepsItsClone, WithATeacher),
    *(MergesItsAdapter, Scratch, PutsItBack, Constant, ThroughTransformsOfNnx, FindsItsShapes, Tracker),
    *(MakesItsStateInTheFirstCall, FillsItsCacheAnew),
]


@pytest.mark.parametrize("make", RIGHT)
def test_what_hands_its_updates_back_or_drops_none_is_not_accused(make: Any) -> None:
    assert judged(make) is None


class ReturnsTheModule(Tracker):
    """Gets its new self back from plain `jax.jit`."""

    def __call__(self, x: Any) -> Any:
        y, other = jax.jit(lambda tracker, x: (tracker.step(x), tracker))(self, x)
        nnx.update(self, nnx.state(other))
        return y


class InABranchThatIsNotTaken(Tracker):
    def __call__(self, x: Any) -> Any:
        return jax.lax.cond(jnp.sum(x) > 1e6, plain, lambda tracker, x: x, self, jnp.asarray(x))


@PYTREES
@pytest.mark.parametrize("make", [ReturnsTheModule, InABranchThatIsNotTaken])
def test_what_a_plain_transform_hands_back_or_does_not_run_is_not_accused(make: Any) -> None:
    assert judged(make) is None


def test_what_is_dropped_on_purpose_is_declared() -> None:
    assert isinstance(judged(LooksAhead), Violation)
    assert judged(LooksAhead, discards_updates=True) == NotApplicable("it drops updates on purpose")


class FrozenInEval(Tracker):
    """In eval mode it works on a copy, which is one way to leave the state alone."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.deterministic = False

    def __call__(self, x: Any) -> Any:
        return (nnx.clone(self) if self.deterministic else self).step(x)


def test_a_copy_in_eval_mode_is_not_accused() -> None:
    assert judged(FrozenInEval, has_eval_mode=True) == NotApplicable("it was watched in eval mode only")


class RoundsItsSteps(Tracker):
    """Adds half a step to an integer."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.steps = nnx.Variable(jnp.array(0, jnp.int32))

    def __call__(self, x: Any) -> Any:
        self.steps[...] = self.steps[...] + 0.5
        return x * 1.0


class QuantisesItsLevel(RoundsItsSteps):
    """Keeps a level in whole numbers, which moves with the input."""

    def __call__(self, x: Any) -> Any:
        self.steps[...] = 100.5 * jnp.max(x)
        return x * 1.0


@pytest.mark.skipif(VERSION < (0, 12) or not hasattr(nnx.Variable, "set_value"), reason="a fraction is kept there")
def test_a_fraction_that_an_integer_does_not_hold_is_lost() -> None:
    found = violation(RoundsItsSteps)
    assert found.what == "in step 2, `watch`, 0.5 was written to `steps`, which still holds 0 int32"
    assert found.cause == "an integer holds no fraction, so `steps` keeps its value"
    assert found.line is not None and found.line.source == "self.steps[...] = self.steps[...] + 0.5"
    assert judged(QuantisesItsLevel) is None
