"""What the trace of a call shows: what holds for every value, and constants that moved."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from lawful import X, judged, read, violation, write
from nnx_conformance import Subject
from nnx_conformance.contracts.module_laws.contract import CONTRACT
from nnx_conformance.contracts.module_laws.execution import run as execution
from nnx_conformance.contracts.module_laws.facts import StepFacts
from nnx_conformance.contracts.module_laws.program.language import case, words
from nnx_conformance.core import contract
from nnx_conformance.core.plan import Request, RunPlan

EVAL = {"has_eval_mode": True}


def proved(make: Any, law: str, **fields: Any) -> tuple[str, ...]:
    """For which inputs a law is proved."""
    loaded = execution.adopt(Subject(make, [X, 2 * X], **fields), "mine", ())
    assert isinstance(loaded, tuple), loaded
    drawn = case("core", 0, words("call eval call train trace"))
    reading = CONTRACT.read(drawn, execution.observe(loaded[0], Request(drawn, RunPlan(), 0)))
    return contract.judged(CONTRACT.check(law), drawn, reading).proved


class Warmup(nnx.Module):
    """Scales its input up with each call; `counts` on the host, how often it was called."""

    def __init__(self) -> None:
        self.scale = nnx.Param(jnp.ones(()))
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return read(self.scale) * x * (self.calls * 0.5)


class Logs(nnx.Module):
    """Counts its calls on the host, and does something for every hundredth that no output shows."""

    def __init__(self) -> None:
        self.scale = nnx.Param(jnp.ones(()))
        self.total = nnx.BatchStat(jnp.zeros(()))
        self.seen = [0]

    def __call__(self, x: Any) -> Any:
        self.seen[0] += 1
        jax.debug.callback(lambda _: None, self.seen[0])
        write(self.total, read(self.total) + x.sum())
        return read(self.scale) * x


class Copies(nnx.Module):
    """Writes its Param back as it was, by a branch that does nothing and by a compiled helper."""

    def __init__(self) -> None:
        self.scale = nnx.Param(jnp.ones((4,)))

    def __call__(self, x: Any) -> Any:
        kept = jax.lax.cond(x.sum() > 0, lambda w: w, lambda w: jnp.array(w), read(self.scale))
        write(self.scale, jax.jit(lambda w: (w, w.sum()))(kept)[0])
        return x * read(self.scale)


@pytest.mark.parametrize(
    ("law", "make", "traits"),
    [
        ("params-untouched", lambda rngs: nnx.BatchNorm(4, rngs=rngs), EVAL),
        ("structure-stable", lambda rngs: nnx.BatchNorm(4, rngs=rngs), EVAL),
        ("eval-frozen", lambda rngs: nnx.BatchNorm(4, rngs=rngs), EVAL),
        ("eval-frozen", lambda rngs: nnx.Dropout(0.5, rngs=rngs), {**EVAL, "draws_randomness": True}),
        ("params-untouched", lambda rngs: Copies(), {}),
    ],
)
def test_a_trace_proves_a_law_for_every_value_of_its_input(law: str, make: Any, traits: Any) -> None:
    assert proved(make, law, traits=traits) == ("float32[3,4]",)


class Normalises(nnx.Module):
    """Writes its Param, with the same numbers: nothing is broken, and nothing proved."""

    def __init__(self) -> None:
        self.scale = nnx.Param(jnp.ones((4,)))

    def __call__(self, x: Any) -> Any:
        write(self.scale, read(self.scale) / read(self.scale).max())
        return x * read(self.scale)


def test_what_a_trace_does_not_show_is_not_proved() -> None:
    assert proved(lambda rngs: Normalises(), "params-untouched") == ()
    assert judged(lambda rngs: Normalises(), "params-untouched", "call trace") is None


def test_a_constant_that_moved_between_two_traces_is_hidden_state_with_its_line() -> None:
    found = violation(lambda rngs: Warmup(), "no-hidden-state", "trace")

    assert found.what == "the trace of a call holds another constant after further calls"
    assert (found.expected, found.observed) == ("1.0", "2.5")
    assert found.line is not None and found.line.source == "return read(self.scale) * x * (self.calls * 0.5)"
    assert found.cause == "what is no Variable is a constant of a trace, and this one is another after further calls"


def test_what_is_counted_for_a_log_is_no_hidden_state() -> None:
    assert judged(lambda rngs: Logs(), "no-hidden-state", "trace") is None


def steps(make: Any, program: str, **fields: Any) -> tuple[StepFacts, ...]:
    """What the steps of a program showed."""
    loaded = execution.adopt(Subject(make, [X, 2 * X], **fields), "mine", ())
    assert isinstance(loaded, tuple), loaded
    drawn = case("core", 0, words(program))
    return execution.observe(loaded[0], Request(drawn, RunPlan(), 0)).steps


class Asks(nnx.Module):
    """Asks for a concrete value, so that it cannot be traced."""

    def __init__(self) -> None:
        self.scale = nnx.Param(jnp.ones(()))

    def __call__(self, x: Any) -> Any:
        return x if float(x.sum()) > 0 else read(self.scale) * x


def test_what_cannot_be_traced_proves_nothing_and_says_why() -> None:
    (step,) = steps(lambda rngs: Asks(), "trace")

    assert not step.proofs and step.untraced.startswith("its call cannot be traced: ")
