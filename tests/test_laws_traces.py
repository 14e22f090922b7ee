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
from nnx_conformance.core.search.conditions import summed

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
    assert (
        found.cause == "a trace keeps values outside Variables as constants, and this one changed after further calls"
    )


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


class Steps(nnx.Module):
    """A Param, a count of steps, and what a test does with both."""

    def __init__(self, rule: Any) -> None:
        self.scale = nnx.Param(jnp.full((4,), 0.5))
        self.mean = nnx.BatchStat(jnp.zeros((4,)))
        self.steps = nnx.Variable(jnp.zeros((), jnp.int32))
        self.deterministic = False
        self.rule = rule

    def __call__(self, x: Any) -> Any:
        if not self.deterministic:
            write(self.steps, read(self.steps) + 1)
            write(self.mean, 0.9 * read(self.mean) + 0.1 * x.mean(0))
        self.rule(self, x)
        return read(self.scale) * (x - read(self.mean))


def halves(module: Any, where: Any) -> None:
    write(module.scale, jnp.where(where, read(module.scale) / 2, read(module.scale)))


def every_so_many_steps(module: Any, x: Any) -> None:
    halves(module, read(module.steps) % 4097 == 4094)


def on_a_huge_input(module: Any, x: Any) -> None:
    halves(module, jnp.abs(x - read(module.mean)).max() > 51234.5)


def late_and_on_a_large_input(module: Any, x: Any) -> None:
    halves(module, (read(module.steps) > 2000) & (x.max() > 33.0))


def behind_another_condition(module: Any, x: Any) -> None:
    def late(scale: Any) -> Any:
        return jax.lax.cond(x.sum() > 100.0, lambda scale: scale / 2, lambda scale: scale, scale)

    write(module.scale, jax.lax.cond(read(module.steps) > 700, late, lambda scale: scale, read(module.scale)))


def where_a_weight_is_large(module: Any, x: Any) -> None:
    write(module.scale, jnp.clip(read(module.scale), -1.0, 1.0))


def in_eval_mode_once_warm(module: Any, x: Any) -> None:
    if module.deterministic:
        mean = read(module.mean)
        write(module.mean, jnp.where(read(module.steps) > 500, 0.99 * mean + 0.01 * x.mean(0), mean))


@pytest.mark.parametrize(
    ("rule", "law", "what", "condition"),
    [
        (every_so_many_steps, "params-untouched", "in call 4094, a plain call", "`read(module.steps) % 4097 == 4094`"),
        (
            on_a_huge_input,
            "params-untouched",
            "on the input [[",
            "`jnp.abs(x - read(module.mean)).max() > 51234.5`",
        ),
        (
            late_and_on_a_large_input,
            "params-untouched",
            "in call 2001 on the input [[",
            "`(read(module.steps) > 2000) & (x.max() > 33.0)`",
        ),
        (behind_another_condition, "params-untouched", "in call 701 on the input [[", "`x.sum() > 100.0`"),
        (
            where_a_weight_is_large,
            "params-untouched",
            "with the Param `scale` set to meet it, a plain call",
            "`jnp.clip(read(module.scale), -1.0, 1.0)` at its lower limit",
        ),
        (in_eval_mode_once_warm, "eval-frozen", "in call 502, in eval mode, the state `mean`", None),
    ],
)
def test_a_condition_of_a_trace_leads_to_where_a_law_breaks(rule: Any, law: str, what: str, condition: Any) -> None:
    traits = EVAL if law == "eval-frozen" else {}
    found = violation(lambda rngs: Steps(rule), law, "trace", traits=traits)

    assert found.what.startswith(what), found.what
    assert found.condition == (condition or "`read(module.steps) > 500`")
    assert found.line is not None


def with_a_fast_path(module: Any, x: Any) -> None:
    scale = read(module.scale)
    jax.lax.cond(jnp.abs(x).max() > 100.0, lambda x: x * scale, lambda x: scale * x, x)


def with_a_log(module: Any, x: Any) -> None:
    log = lambda steps: jax.debug.callback(lambda _: None, steps)  # noqa: E731
    jax.lax.cond(read(module.steps) % 100 == 0, log, lambda steps: None, read(module.steps))


def with_a_guard(module: Any, x: Any) -> None:
    sane = jnp.isfinite(x).all() & (jnp.abs(x).max() < 1e4)
    if not module.deterministic:
        write(module.mean, jnp.where(sane, read(module.mean), 0.0))


def with_its_weights_where_they_are(module: Any, x: Any) -> None:
    write(module.scale, jnp.where(read(module.steps) > 300, read(module.scale) * 1.0, read(module.scale)))


@pytest.mark.medium
@pytest.mark.parametrize("rule", [with_a_fast_path, with_a_log, with_a_guard, with_its_weights_where_they_are])
def test_harmless_conditions_are_met_both_ways_and_accuse_nobody(rule: Any) -> None:
    for law in ("params-untouched", "eval-frozen", "no-hidden-state", "structure-stable"):
        assert not isinstance(judged(lambda rngs: Steps(rule), law, "call trace", traits=EVAL), contract.Violation)
    (step,) = steps(lambda rngs: Steps(rule), "trace", traits=EVAL)
    assert summed(step.conditions).total and not summed(step.conditions).unmet


def by_a_flag(module: Any, x: Any) -> None:
    halves(module, read(module.steps) < 0)


def test_what_only_state_that_the_kit_sets_leads_to_is_advice() -> None:
    assert judged(lambda rngs: Steps(by_a_flag), "params-untouched", "call trace") is None
    loaded = execution.adopt(Subject(lambda rngs: Steps(by_a_flag), [X, 2 * X]), "mine", ())
    assert isinstance(loaded, tuple), loaded
    drawn = case("core", 0, words("trace"))
    facts = execution.observe(loaded[0], Request(drawn, RunPlan(), 0))
    (unmet,) = summed(CONTRACT.observer.met(facts)).unmet

    assert (unmet.text, unmet.never) == ("read(module.steps) < 0", "true")
    assert unmet.advice == (
        "with `steps` set to meet it by the kit, a call changes the Param `scale`; no call led there"
    )


class Noise(nnx.Module):
    """Adds noise from step 700 on: with one key, or with a new one each time."""

    def __init__(self, rngs: nnx.Rngs, *, fresh: bool) -> None:
        self.rngs = rngs
        self.steps = nnx.Variable(jnp.zeros((), jnp.int32))
        self.key = nnx.Variable(jax.random.key_data(rngs.noise()))
        self.fresh = fresh

    def __call__(self, x: Any) -> Any:
        write(self.steps, read(self.steps) + 1)
        key = self.rngs.noise() if self.fresh else jax.random.wrap_key_data(read(self.key))
        between = (read(self.steps) > 700) & (read(self.steps) < 800)
        return x + jnp.where(between, 1.0, 0.0) * jax.random.normal(key, x.shape)


def test_noise_that_comes_late_is_looked_at_where_it_comes() -> None:
    traits = {"draws_randomness": True}
    found = violation(lambda rngs: Noise(rngs, fresh=False), "rng-advances", "trace", traits=traits)

    assert found.what == "in call 701, 3 calls gave the same outputs; other seeds give others"
    assert found.condition == "`read(self.steps) > 700`"
    fresh = judged(lambda rngs: Noise(rngs, fresh=True), "rng-advances", "trace", traits=traits)
    assert not isinstance(fresh, contract.Violation)
