"""Updates that a plain transform drops, where the result does not show it: what the run as it is leaves tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from nnx_conformance.core import contracts
from nnx_conformance.core.case import Case, python
from nnx_conformance.core.case import jax as array
from nnx_conformance.core.contract import Blocked, Judgement, Violation
from nnx_conformance.core.plan import Request
from nnx_conformance.judging.tally import judge
from nnx_conformance.process.session import InProcess

CONTRACT = contracts.get("mutability")
PYTREES = tuple(map(int, flax.__version__.split(".")[:2])) >= (0, 11)
pytestmark = pytest.mark.skipif(not PYTREES, reason="before 0.11 a plain transform refuses a module")
NAMES = ("no-traced-mutation", "counts-in-variable", "result-reads-state")


class Counter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        rngs.params()
        self.count = nnx.Variable(jnp.array(0.0))

    def __call__(self, x: jax.Array) -> jax.Array:
        self.count.value = self.count.value + 1.0
        return x


def judged(candidate: Callable[..., Any], calls: float) -> dict[str, Judgement]:
    """What the checks named say of so many calls."""
    case = Case("core", (python("seed", 0.0), array("x", np.ones(2, np.float32)), python("n_calls", calls)))
    session = InProcess(candidate, "candidate")
    session.load(CONTRACT.entry, CONTRACT.parameters, CONTRACT.observer)
    request = Request(case, CONTRACT.observer.everything, CONTRACT.calls(case))
    session.submit(request)
    said = judge(CONTRACT, request, session.collect(), [CONTRACT.check(name) for name in NAMES])
    return {name: each.judgement for name, each in said.items()}


@pytest.mark.medium
def test_a_model_in_a_plain_jit_with_n_calls_returned_beside_it_loses_its_updates() -> None:
    step = jax.jit(lambda model, x: model(x))

    def drops(seed: float, x: jax.Array, n_calls: float) -> jax.Array:
        model, last_x = Counter(nnx.Rngs(int(seed))), x
        for _ in range(int(n_calls)):
            last_x = step(model, x)
        return jnp.array([float(int(n_calls)), last_x.sum()])

    traced, counts, reads = judged(drops, 3.0).values()
    assert isinstance(traced, Violation)
    assert traced.what == "each of 3 compiled calls starts with `count` at 0: what the one before it wrote is lost"
    assert (traced.expected, traced.observed) == (
        "each call starts where the one before it ended",
        "each call starts over",
    )
    assert counts == reads == Blocked("no-traced-mutation")

    _, _, reads = judged(drops, 1.0).values()  # a single call does not show it
    assert isinstance(reads, Violation)
    assert reads.because == ("count-equals-calls", "no-traced-mutation")


def test_a_model_that_a_plain_jit_returns_keeps_its_updates() -> None:
    @jax.jit
    def step(model: Counter, x: jax.Array) -> tuple[Counter, jax.Array]:
        last_x = model(x)
        return model, last_x

    def threads(seed: float, x: jax.Array, n_calls: float) -> jax.Array:
        model, last_x = Counter(nnx.Rngs(int(seed))), x
        for _ in range(int(n_calls)):
            model, last_x = step(model, x)
        return jnp.array([model.count.value, last_x.sum()])

    assert list(judged(threads, 3.0).values()) == [None, None, None]


@pytest.mark.slow
def test_a_warm_up_whose_model_is_thrown_away_drops_nothing() -> None:
    @jax.jit
    def step(model: Counter, x: jax.Array) -> tuple[Counter, jax.Array]:
        last_x = model(x)
        return model, last_x

    def warms_up(seed: float, x: jax.Array, n_calls: float) -> jax.Array:
        step(Counter(nnx.Rngs(int(seed))), x)
        model, last_x = Counter(nnx.Rngs(int(seed))), x
        for _ in range(int(n_calls)):
            model, last_x = step(model, x)
        return jnp.array([model.count.value, last_x.sum()])

    assert list(judged(warms_up, 3.0).values()) == [None, None, None]


@pytest.mark.slow
def test_a_result_beside_a_model_that_is_handed_on_is_no_lost_update() -> None:
    @jax.jit
    def step(model: Counter, x: jax.Array) -> tuple[Counter, jax.Array]:
        last_x = model(x)
        return model, last_x

    def decorates(seed: float, x: jax.Array, n_calls: float) -> jax.Array:
        model, last_x = Counter(nnx.Rngs(int(seed))), x
        for _ in range(int(n_calls)):
            model, last_x = step(model, x)
        return jnp.array([float(int(n_calls)), last_x.sum()])

    traced, counts, reads = judged(decorates, 3.0).values()
    assert traced is None and counts is None
    assert isinstance(reads, Violation)
