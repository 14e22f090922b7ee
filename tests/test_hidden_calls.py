"""Calls that a candidate keeps from sight: it is not accused, it does not pass, and the report says why."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import reports
from nnx_conformance import contract, verdict
from nnx_conformance.checking import judge_target
from nnx_conformance.process import Limits
from nnx_conformance.report import Report, Settings
from nnx_conformance.tally import Tally, tallies

COUNTER = """
import functools

import jax
import jax.numpy as jnp
from flax import nnx


class Counter(nnx.Module):
    def __init__(self, rngs):
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x):
        self.count.value = self.count.value + 1.0
        return x
"""
NO_FUNCTION = "ValueError: Disable jit is not supported in the AOT path"
#: Right: `jax.jit` ahead of time, of which JAX keeps no function that it could run without compilation.
AHEAD_OF_TIME = """

def candidate(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    def step(state, x):
        model = nnx.merge(graphdef, state)
        out = model(x)
        return nnx.state(model), out

    out = x
    compiled = jax.jit(step).lower(state, x).compile()
    for _ in range(int(n_calls)):
        state, out = compiled(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, out.sum()])
"""
#: Right: the same, compiled once for all cases of one shape, so that in later ones no call is seen in any run.
KEPT_AHEAD_OF_TIME = """

@functools.lru_cache(maxsize=None)
def compiled(shape, dtype):
    graphdef, state = nnx.split(Counter(nnx.Rngs(0)))

    def step(state, x):
        model = nnx.merge(graphdef, state)
        out = model(x)
        return nnx.state(model), out

    return graphdef, jax.jit(step).lower(state, jax.ShapeDtypeStruct(shape, dtype)).compile()


def candidate(seed, x, n_calls):
    _, state = nnx.split(Counter(nnx.Rngs(int(seed))))
    graphdef, step = compiled(x.shape, x.dtype)
    out = x
    for _ in range(int(n_calls)):
        state, out = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, out.sum()])
"""
LANES_AHEAD_OF_TIME = """

def candidate(seed, xs, n_calls):
    models = nnx.vmap(lambda key: Counter(nnx.Rngs(key)))(jax.random.split(jax.random.key(int(seed)), len(xs)))
    graphdef, state = nnx.split(models)

    def step(state, xs):
        models = nnx.merge(graphdef, state)
        out = nnx.vmap(lambda model, x: model(x))(models, xs)
        return nnx.state(models), out

    out = xs
    compiled = jax.jit(step).lower(state, xs).compile()
    for _ in range(int(n_calls)):
        state, out = compiled(state, xs)
    return jnp.stack([nnx.merge(graphdef, state).count.value, out.sum(axis=1)], axis=1)
"""
MEAN_AHEAD_OF_TIME = """

class Mean(nnx.Module):
    def __init__(self, features):
        self.mean = nnx.BatchStat(jnp.zeros(features))

    def __call__(self, batch, momentum):
        self.mean.value = momentum * self.mean.value + (1 - momentum) * batch.mean(0)


def candidate(seed, batches, momentum):
    batches = jnp.asarray(batches, jnp.float32)
    graphdef, state = nnx.split(Mean(batches.shape[-1]))

    def step(state, batch):
        model = nnx.merge(graphdef, state)
        model(batch, jnp.float32(momentum))
        return nnx.state(model)

    if len(batches):
        compiled = jax.jit(step).lower(state, batches[0]).compile()
        for batch in batches:
            state = compiled(state, batch)
    return nnx.merge(graphdef, state).mean.value
"""
#: Right: a step at module level, compiled once for all cases, that refuses to run without compilation.
REFUSES = """

@jax.jit
def step(graphdef, state, x):
    if not isinstance(x, jax.core.Tracer):
        raise RuntimeError("not here")
    model = nnx.merge(graphdef, state)
    out = model(x)
    return nnx.state(model), out


def candidate(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))
    out = x
    for _ in range(int(n_calls)):
        state, out = step(graphdef, state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, out.sum()])
"""
#: Wrong: computes the result, and calls the model for show, only where nobody can look into the call.
FOR_SHOW = """

def candidate(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    if jax.config.jax_disable_jit:
        raise RuntimeError("not here")
    nnx.jit(lambda model, x: model(x))(model, x)
    return jnp.array([float(int(n_calls)), x.sum()])
"""


#: Right: a transform that `jax.disable_jit` does not switch off, and whose traces JAX keeps from one run to the next.
KEPT_TRACE = """

forward = nnx.remat(lambda model, x: model(x))


def candidate(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    out = x
    for _ in range(int(n_calls)):
        out = forward(model, x)
    return jnp.array([model.count.value, out.sum()])
"""


def test_calls_that_run_from_a_trace_of_an_earlier_case_are_not_said_to_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "candidate.py"
    path.write_text(COUNTER + KEPT_TRACE.replace("candidate", "mutability_increment_count"))

    report = judge_target(str(path), "mutability", Settings(max_examples=60), Limits())

    assert [finding.check for finding in report.findings if finding.level == "MUST"] == []
    assert report.verdict == "conforms"


@pytest.mark.parametrize(
    ("name", "source", "raised"),
    [
        ("mutability", AHEAD_OF_TIME, NO_FUNCTION),
        ("mutability", KEPT_AHEAD_OF_TIME, NO_FUNCTION),
        pytest.param("split-merge", AHEAD_OF_TIME, NO_FUNCTION, marks=pytest.mark.slow),
        pytest.param("split-merge", KEPT_AHEAD_OF_TIME, NO_FUNCTION, marks=pytest.mark.slow),
        pytest.param("lifted", LANES_AHEAD_OF_TIME, NO_FUNCTION, marks=pytest.mark.slow),
        pytest.param("running-mean", MEAN_AHEAD_OF_TIME, NO_FUNCTION, marks=pytest.mark.slow),
        ("mutability", FOR_SHOW, "RuntimeError: not here"),
        pytest.param("split-merge", REFUSES, "RuntimeError: not here", marks=pytest.mark.slow),
    ],
    ids=["mutability", "kept", "split-merge", "split-merge-kept", "lifted", "running-mean", "for-show", "refuses"],
)
def test_where_calls_are_seen_without_their_trace_alone_and_it_cannot_be_done_without_there_is_no_verdict(
    tmp_path: Path, name: str, source: str, raised: str
) -> None:
    path = tmp_path / "candidate.py"
    path.write_text(COUNTER + source.replace("candidate", contract.get(name).entry))

    report = judge_target(str(path), name, Settings(max_examples=24), Limits())

    assert [finding.check for finding in report.findings if finding.level == "MUST"] == []
    assert report.verdict == "could not be judged"
    assert report.failure.startswith(
        "the calls ran inside a trace; they can be seen only under `jax.disable_jit()`, and there the candidate raises "
        f"{raised}"
    )
    assert report.failure.endswith(". Let it run there, too; what `.lower().compile()` returns cannot")


def made(**counted: Tally) -> Report:
    """The report of a candidate of which all that is counted is this; the other checks held."""
    one = contract.get("mutability")
    found = tallies(one)
    for tally in found.values():
        tally.evaluated = 1
    for tally in counted.values():
        found[tally.check.id] = tally
    judging = SimpleNamespace(contract=one, settings=Settings(), tallies=found, cases=1)
    return verdict.report("solution.py", cast(Any, judging), {}, reports.VERSIONS)


def tally(check: str, **counted: Any) -> Tally:
    one = Tally(contract.get("mutability").by_id[check])
    for name, value in counted.items():
        getattr(one, name).update(value)
    return one


def test_a_check_that_is_blocked_by_what_nothing_violates_accuses_nobody() -> None:
    blocked = tally("counter-not-param", blocked=["counts-in-variable"])

    report = made(blocked=blocked, by=tally("counts-in-variable", reasons=["its calls are hidden"]))

    assert report.verdict == "could not be judged"
    assert report.failure == (
        "counter-not-param is blocked by counts-in-variable, which nothing violates: the contract contradicts itself"
    )


def test_a_check_that_is_blocked_by_none_of_the_contract_accuses_nobody() -> None:
    assert made(blocked=tally("counter-not-param", blocked=["no-such-check"])).failure.startswith(
        "counter-not-param is blocked by no-such-check, which nothing violates"
    )


def test_checks_that_block_each_other_accuse_nobody() -> None:
    one = tally("counter-not-param", blocked=["counts-in-variable"])

    assert made(one=one, other=tally("counts-in-variable", blocked=["counter-not-param"])).failure


def test_a_check_that_is_blocked_by_one_that_was_not_judged_decides() -> None:
    report = made(blocked=tally("counter-not-param", blocked=["quiet"]), by=tally("quiet"))

    assert (report.verdict, report.failure) == ("does not conform", "")
