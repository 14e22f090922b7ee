"""Params that nothing trains, and Variables of one's own that count as Params."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nnx_conformance import Misuse, Subject, check_module
from nnx_conformance.contracts.module_laws.contract import CONTRACT
from nnx_conformance.contracts.module_laws.execution import run as execution
from nnx_conformance.contracts.module_laws.observer import consistent
from nnx_conformance.contracts.module_laws.program.language import case, words
from nnx_conformance.core.contract import NotApplicable, Violation, judgement
from nnx_conformance.core.plan import Request, RunPlan

X = np.linspace(-2, 3, 15, dtype=np.float32).reshape(5, 3)
LAW = "param-trained"


class MyParameter(nnx.Variable[Any]):
    """Trained by an optimiser that is told its type."""


def judged(make: Any, law: str = LAW, program: str = "call:1 derive:1 derive:2", **fields: Any) -> Any:
    harness, _ = execution.adopt(Subject(make, [X, np.cos(X)], **fields), "mine", ())  # type: ignore[misc]
    drawn = case(law, 0, words(program))
    request = Request(drawn, RunPlan(), 0)
    facts = consistent(execution.observe(harness, request), request)
    return judgement(CONTRACT.check(law), drawn, CONTRACT.read(drawn, facts))


def read(variable: Any) -> Any:
    return variable.get_value() if hasattr(variable, "get_value") else variable.value


def write(variable: Any, value: Any) -> None:
    variable.set_value(value) if hasattr(variable, "set_value") else setattr(variable, "value", value)


class Base(nnx.Module):
    kind: Any = nnx.Param

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(3, 3, rngs=rngs)
        self.table = self.kind(jnp.cos(jnp.arange(3.0)))


class Stopped(Base):
    def __call__(self, x: Any) -> Any:
        return self.linear(x + jax.lax.stop_gradient(read(self.table)))


class Threshold(Base):
    def __call__(self, x: Any) -> Any:
        return jnp.where(x > read(self.table), self.linear(x), 0.0)


class Rounded(Base):
    def __call__(self, x: Any) -> Any:
        return nnx.jit(lambda base, x: base.linear(x) * jnp.round(read(base.table)))(self, x)


class Momentum(Base):
    """A Param that only the running mean depends on."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.mean = nnx.BatchStat(jnp.zeros(3))

    def __call__(self, x: Any) -> Any:
        decay = read(self.table)
        write(self.mean, decay * read(self.mean) + (1 - decay) * x.mean(0))
        return self.linear(x)


class Teacher(Base):
    def __init__(self, rngs: nnx.Rngs) -> None:
        super().__init__(rngs)
        self.teacher = nnx.Linear(3, 3, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return ((self.linear(x * read(self.table)) - jax.lax.stop_gradient(self.teacher(x))) ** 2).mean()


@pytest.mark.parametrize(
    ("make", "path", "more"),
    [
        *((make, "table", "") for make in (Stopped, Threshold, Rounded, Momentum)),
        (Teacher, "teacher.bias", " and of 1 more Params"),
    ],
)
def test_a_param_on_which_no_gradient_depends_gets_advice(make: Any, path: str, more: str) -> None:
    found = judged(make)
    assert isinstance(found, Violation)
    assert found.what == f"calls use the Param `{path}`, and the gradient of no output depends on it{more}"
    assert found.cause == "an optimiser trains nothing there, and its weight decay still shrinks it"
    assert f"`self.{path.split('.')[-1]} = nnx.Variable(...)`" in found.remedy


class Trained(Base):
    def __call__(self, x: Any) -> Any:
        return self.linear(x + read(self.table))


class DeadUnit(Base):
    """Its gradient is zero by chance."""

    def __call__(self, x: Any) -> Any:
        return self.linear(x) * jax.nn.relu(read(self.table) - 100.0)


class StraightThrough(Base):
    def __call__(self, x: Any) -> Any:
        table = read(self.table)
        return self.linear(x) * (table + jax.lax.stop_gradient(jnp.round(table) - table))


class Chooses(Base):
    """What a table chooses is an integer, which is no output to be trained by."""

    def __call__(self, x: Any) -> Any:
        return self.linear(x), jnp.argmax(x * read(self.table), -1)


class Codebook(Base):
    """Moves its table itself, as a mean."""

    def __call__(self, x: Any) -> Any:
        write(self.table, 0.9 * read(self.table) + 0.1 * x.mean(0))
        return self.linear(x) + jax.lax.stop_gradient(read(self.table))


class Unused(Base):
    def __call__(self, x: Any) -> Any:
        return self.linear(x)


@pytest.mark.parametrize("make", [Trained, DeadUnit, StraightThrough, Chooses, Codebook, Unused])
def test_a_param_that_is_trained_or_moved_or_unused_gets_no_advice(make: Any) -> None:
    assert judged(make, traits={"rewrites_param": make is Codebook}) is None


class Integers(Base):
    def __call__(self, x: Any) -> Any:
        return jnp.argmax(self.linear(x), -1)


def test_without_a_floating_output_there_is_no_gradient() -> None:
    assert judged(Integers) == NotApplicable("there is no derivative: no output is floating")


class OwnTable(Stopped):
    kind = MyParameter


class OwnStatistic(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.mean = MyParameter(jnp.zeros(3))

    def __call__(self, x: Any) -> Any:
        write(self.mean, 0.9 * read(self.mean) + 0.1 * x.mean(0))
        return x - read(self.mean)


class OwnWeights(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.kernel = MyParameter(jnp.ones((3, 3)))

    def __call__(self, x: Any) -> Any:
        return x @ read(self.kernel)


@pytest.mark.parametrize(
    ("make", "law", "program"),
    [
        (OwnTable, LAW, "call:1 derive:1 derive:2"),
        (OwnStatistic, "params-untouched", "call"),
        (OwnStatistic, "optimizer-safe", "call:1 optimize:1 call:1"),
    ],
)
def test_a_trainable_type_counts_as_param(make: Any, law: str, program: str) -> None:
    assert isinstance(judged(make, law, program, trainable=MyParameter), Violation)
    assert not isinstance(judged(make, law, program), Violation)


@pytest.mark.parametrize("trainable", [MyParameter, (MyParameter,)])
def test_a_trainable_type_is_differentiated_and_trained(trainable: Any) -> None:
    for law, program in (("grad-clean", "call:1 grad:1 call:1"), ("optimizer-safe", "call:1 optimize:1 call:1")):
        assert judged(OwnWeights, law, program, trainable=trainable) is None
    assert judged(OwnWeights, "optimizer-safe", "call:1 optimize:1") == NotApplicable("it has no nnx.Param")


@pytest.mark.parametrize("trainable", [3, (MyParameter, "x"), [MyParameter]])
def test_a_trainable_that_is_no_type_is_misuse(trainable: Any) -> None:
    with pytest.raises(Misuse, match="Expected a type of Variable, or a tuple of them but got trainable="):
        Subject(OwnWeights, [X], trainable=trainable)


@pytest.mark.slow
def test_a_table_in_a_param_conforms_with_one_advice() -> None:
    report = check_module(Subject(Stopped, [X, np.cos(X)]), max_examples=8)
    assert [(found.check, found.level) for found in report.findings] == [(LAW, "SHOULD")]
    assert report.verdict == "conforms"
