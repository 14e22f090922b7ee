"""Calls that a candidate keeps from sight: it is not accused, it does not pass, and the report says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import reports
from nnx_conformance.core import contracts
from nnx_conformance.core.contract import Unseen
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.judging import verdict
from nnx_conformance.judging.check import judge_target
from nnx_conformance.judging.tally import Tally, tallies
from nnx_conformance.judging.verdict import Header
from nnx_conformance.process.limits import Limits

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
#: A check of candidates that use PyTorch alone.
OF_TORCH = ("no-autograd-history",)
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

#: Right: the step is exported, and called from there.
EXPORTED = """
from jax.export import export


def candidate(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))
    leaves, treedef = jax.tree.flatten(state)

    @jax.jit
    def step(leaves, x):
        model = nnx.merge(graphdef, jax.tree.unflatten(treedef, leaves))
        out = model(x)
        return jax.tree.leaves(nnx.state(model)), out

    stored, out = export(step)(leaves, x), x
    for _ in range(int(n_calls)):
        leaves, out = stored.call(leaves, x)
    return jnp.array([nnx.merge(graphdef, jax.tree.unflatten(treedef, leaves)).count.value, out.sum()])
"""
#: A step over one lane, mapped in a `jax.jit`; it goes on with the state of the step, or throws that away.
ONE_LANE = """

def candidate(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    def one(state, x):
        model = nnx.merge(graphdef, state)
        out = model(x)
        return nnx.state(model), out

    step = jax.jit(jax.vmap(one))
    lane, out = jax.tree.map(lambda leaf: leaf[None], state), x[None]
    for number in range(int(n_calls)):
        FORGETS, out = step(lane, x[None])
    count = nnx.merge(graphdef, jax.tree.map(lambda leaf: leaf[0], lane)).count.value
    return jnp.array([jnp.maximum(count, n_calls) if "FORGETS" == "_" else count, out[0].sum()])
"""
#: Wrong: a model for show, called by a worker of a pool, compiled.
IN_A_THREAD = """
from concurrent.futures import ThreadPoolExecutor

advance = nnx.jit(lambda model, x: model(x))


def candidate(seed, x, n_calls):
    model = Counter(nnx.Rngs(int(seed)))
    with ThreadPoolExecutor(max_workers=1) as pool:
        for _ in range(int(n_calls)):
            pool.submit(advance, model, x).result()
    return jnp.array([float(n_calls), x.sum()])
"""
#: Wrong: the count of each lane is a Param, in a grid of [lanes, 1] that two `nnx.vmap` make and call.
GRID = """

class Counted(Counter):
    def __init__(self, rngs):
        self.count = nnx.Param(jnp.array(0.0))


def candidate(seed, xs, n_calls):
    keys = jax.random.split(jax.random.key(int(seed)), (xs.shape[0], 1))
    models = nnx.vmap(nnx.vmap(lambda key: Counted(nnx.Rngs(key))))(keys)
    advance = nnx.jit(nnx.vmap(nnx.vmap(lambda model, x: model(x))))
    ys = xs[:, None]
    for _ in range(int(n_calls)):
        ys = advance(models, xs[:, None])
    return jnp.stack([models.count.value[:, 0], ys[:, 0].sum(axis=1)], axis=1)
"""
#: Right, as far as anybody can tell: an executable that was kept outside of the candidate's own modules.
OUT_OF_SIGHT = """
import math

KEPT = vars(math).setdefault("steps_of_a_counter", {})


def candidate(seed, x, n_calls):
    graphdef, state = nnx.split(Counter(nnx.Rngs(int(seed))))

    def step(state, x):
        model = nnx.merge(graphdef, state)
        out = model(x)
        return nnx.state(model), out

    if x.shape not in KEPT:
        KEPT[x.shape] = graphdef, jax.jit(step).lower(state, x).compile()
    (graphdef, step), out = KEPT[x.shape], x
    for _ in range(int(n_calls)):
        state, out = step(state, x)
    return jnp.array([nnx.merge(graphdef, state).count.value, out.sum()])
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


@pytest.mark.slow
def test_calls_that_run_from_a_trace_of_an_earlier_case_are_not_said_to_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "candidate.py"
    path.write_text(COUNTER + KEPT_TRACE.replace("candidate", "mutability_increment_count"))

    report = judge_target(str(path), "mutability", Settings(max_examples=60), Limits())

    assert [finding.check for finding in report.findings if finding.level == "MUST"] == []
    assert report.verdict == "conforms"


@pytest.mark.medium
@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("mutability", AHEAD_OF_TIME),
        pytest.param("mutability", KEPT_AHEAD_OF_TIME, marks=pytest.mark.slow),
        pytest.param("split-merge", AHEAD_OF_TIME, marks=pytest.mark.slow),
        pytest.param("split-merge", KEPT_AHEAD_OF_TIME, marks=pytest.mark.slow),
        pytest.param("lifted", LANES_AHEAD_OF_TIME, marks=pytest.mark.slow),
        pytest.param("running-mean", MEAN_AHEAD_OF_TIME, marks=pytest.mark.slow),
        pytest.param("split-merge", REFUSES, marks=pytest.mark.slow),
        pytest.param("split-merge", EXPORTED, marks=pytest.mark.slow),
        pytest.param("split-merge", ONE_LANE.replace("FORGETS", "lane"), marks=pytest.mark.slow),
    ],
    ids=[
        "mutability",
        "kept",
        "split-merge",
        "split-merge-kept",
        "lifted",
        "running-mean",
        "refuses",
        "exported",
        "lane",
    ],
)
def test_traces_report_the_calls_that_nothing_else_shows(tmp_path: Path, name: str, source: str) -> None:
    report = judged(tmp_path, name, source)

    assert [finding.check for finding in report.findings if finding.level == "MUST"] == []
    assert (report.verdict, report.failure) == ("conforms", "")
    assert all(result.evaluated for result in report.checks if result.level == "MUST" and result.id not in OF_TORCH)


@pytest.mark.parametrize(
    ("name", "source", "violated"),
    [
        pytest.param("mutability", FOR_SHOW, "one-increment-per-call", marks=pytest.mark.slow),
        pytest.param("mutability", IN_A_THREAD, "result-reads-state", marks=pytest.mark.slow),
        pytest.param("split-merge", ONE_LANE.replace("FORGETS", "_"), "one-increment-per-call", marks=pytest.mark.slow),
        pytest.param("lifted", GRID, "counter-not-param", marks=pytest.mark.slow),
    ],
    ids=["for-show", "thread", "forgets", "grid"],
)
def test_wrong_calls_that_only_traces_report_are_violations(
    tmp_path: Path, name: str, source: str, violated: str
) -> None:
    report = judged(tmp_path, name, source)

    assert violated in [finding.check for finding in report.findings if finding.level == "MUST"]
    assert report.verdict == "does not conform"


@pytest.mark.medium
def test_checks_that_were_judged_on_no_case_are_named_with_the_reason_and_the_way_out(tmp_path: Path) -> None:
    report = judged(tmp_path, "mutability", OUT_OF_SIGHT)

    assert [finding.check for finding in report.findings if finding.level == "MUST"] == []
    assert report.verdict == "could not be judged"
    assert report.failure == (
        "counts-in-variable, counter-not-param, one-increment-per-call, output-unchanged, result-reads-state and "
        "result-reads-output were judged on no case: the calls ran inside a trace that reports nothing, and under "
        "`jax.disable_jit()` the candidate raises ValueError: Disable jit is not supported in the AOT path since the "
        "function is not available for (jit(step)). Compile the step by `jax.jit` or `nnx.jit`, "
        "where the file is imported or the function runs, and let it run under `jax.disable_jit()`, too."
    )


def judged(folder: Path, name: str, source: str) -> Report:
    path = folder / "candidate.py"
    path.write_text(COUNTER + source.replace("candidate", contracts.get(name).entry))
    return judge_target(str(path), name, Settings(max_examples=24), Limits())


HIDDEN = Unseen("its calls are hidden", "Call it in the open.")


def made(**counted: Tally) -> Report:
    """The report of a candidate of which all that is counted is this; the other checks held."""
    one = contracts.get("mutability")
    found = tallies(one)
    for tally in found.values():
        tally.evaluated = 1
    for tally in counted.values():
        found[tally.check.id] = tally
    return verdict.report(Header("solution.py", one, Settings(), reports.VERSIONS), found, 1)


def tally(check: str, **counted: Any) -> Tally:
    one = Tally(contracts.get("mutability").by_id[check])
    for name, value in counted.items():
        getattr(one, name).update(value)
    return one


def test_a_check_that_is_blocked_by_what_nothing_violates_accuses_nobody() -> None:
    blocked = tally("counter-not-param", blocked=["counts-in-variable"])

    report = made(blocked=blocked, by=tally("counts-in-variable", unseen=[HIDDEN]))

    assert report.verdict == "could not be judged"
    assert report.failure == (
        "counts-in-variable and counter-not-param were judged on no case: its calls are hidden. Call it in the open."
    )


def test_a_check_that_is_blocked_by_none_of_the_contract_accuses_nobody() -> None:
    assert made(blocked=tally("counter-not-param", blocked=["no-such-check"])).failure == (
        "counter-not-param was judged on no case: it needs no-such-check, which nothing violates."
    )


def test_checks_that_block_each_other_accuse_nobody() -> None:
    one = tally("counter-not-param", blocked=["counts-in-variable"])

    assert made(one=one, other=tally("counts-in-variable", blocked=["counter-not-param"])).failure


def test_a_check_that_is_blocked_by_one_that_was_not_judged_decides() -> None:
    report = made(blocked=tally("counter-not-param", blocked=["quiet"]), by=tally("quiet"))

    assert (report.verdict, report.failure) == ("does not conform", "")
