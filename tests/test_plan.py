"""The runs that are made of a case: by the judge's plan alone, whatever the candidate's process saw before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from nnx_conformance.core import case as cases
from nnx_conformance.core import wire
from nnx_conformance.core.case import Case
from nnx_conformance.core.facts import Facts, Intervention, Rerun
from nnx_conformance.core.observer import ALL_OF_FIRST, FRUITLESS, FUNCTIONS, LIFTED, SHIFTS_EVERY, Observer, Sight
from nnx_conformance.core.plan import OUTPUTS, SHIFTS, Changed, Moment, Request, RunPlan, Untraced
from nnx_conformance.observe.functions import observe
from nnx_conformance.observe.load import from_function


def read(variable: Any) -> Any:
    return variable.get_value() if hasattr(variable, "get_value") else variable.value


def write(variable: Any, value: Any) -> None:
    """On every Flax, and without a deprecation warning where there is another way."""
    variable.set_value(value) if hasattr(variable, "set_value") else setattr(variable, "value", value)


class Counter(nnx.Module):
    def __init__(self) -> None:
        self.count: Any = nnx.Variable(jnp.array(0.0))

    def __call__(self, x: Any) -> Any:
        write(self.count, read(self.count) + 1.0)
        return x


@nnx.jit
def step(model: Counter, x: Any) -> Any:
    return model(x)


class RanOn(Exception):
    """Named as what the kit raises itself."""


def compiled(x: Any, n_calls: float) -> Any:
    model = Counter()
    for _ in range(int(n_calls)):
        x = step(model, x)
    if read(model.count) > n_calls:
        raise RanOn
    return jnp.array([read(model.count), x.sum()])


def plain(x: Any, n_calls: float) -> Any:
    model = Counter()
    for _ in range(int(n_calls)):
        x = model(x)
    return jnp.array([read(model.count), x.sum()])


def request(calls: int, plan: RunPlan) -> Request:
    arguments = (cases.jax("x", jnp.ones(2)), cases.python("n_calls", float(calls)))
    return Request(Case("core", arguments), plan, calls)


def shown(facts: Facts) -> tuple[bool, int | None, bool]:
    """What depends on how a case was observed."""
    untraced = facts.untraced
    return untraced is not None, len(untraced.calls) if untraced else None, facts.bypassed


@pytest.mark.parametrize("function", [compiled, plain])
def test_a_request_is_observed_in_the_same_way_whatever_ran_before(function: Callable[..., Any]) -> None:
    jax.clear_caches()  # type: ignore[no-untyped-call]
    candidate = from_function(function, "candidate")
    wanted = request(2, RunPlan())
    first = shown(observe(candidate, wanted))
    for calls in range(6):
        observe(candidate, request(calls, RunPlan((SHIFTS,))))

    assert shown(observe(candidate, wanted)) == first


def sight(function: Callable[..., Any], times: int, observer: Observer = FUNCTIONS) -> Sight:
    found = Sight()
    candidate = from_function(function, "candidate")
    for position in range(times):
        found = observer.learn(found, observe(candidate, request(2, observer.plan(position, True, found))))
    return found


def test_a_plan_runs_without_traces_as_long_as_that_may_show_something_new() -> None:
    assert FUNCTIONS.plan(9, True, Sight()).untraced is Untraced.WHERE_HIDDEN
    assert FUNCTIONS.plan(9, True, sight(compiled, 1)).untraced is Untraced.NEVER
    assert FUNCTIONS.plan(9, True, Sight(fruitless=FRUITLESS)).untraced is Untraced.NEVER
    assert FUNCTIONS.plan(SHIFTS_EVERY * 2, True, sight(compiled, 1)).untraced is Untraced.WHERE_HIDDEN


def test_a_plan_looks_for_calls_that_pass_the_spies_by_until_one_was_seen() -> None:
    assert FUNCTIONS.plan(ALL_OF_FIRST, True, sight(lambda x, n_calls: x, 2)).bypass
    assert not FUNCTIONS.plan(ALL_OF_FIRST, True, sight(plain, 1)).bypass


def test_outputs_are_changed_where_the_state_is() -> None:
    plans = [LIFTED.plan(position, True, Sight()) for position in range(40)]

    assert all((SHIFTS in plan.probes) == (OUTPUTS in plan.probes) for plan in plans)


def test_an_exception_of_the_name_of_ours_does_not_end_the_interventions() -> None:
    facts = observe(from_function(compiled, "candidate"), request(2, RunPlan((SHIFTS,))))

    assert Moment.CONSTRUCTION in [shift.moment for shift in facts.shifts]


@pytest.mark.parametrize("changed", ["nonsense", 3, [], None])
def test_a_forged_word_of_an_intervention_is_refused(changed: Any) -> None:
    shift = Intervention(Changed.STATE, Moment.LAST_CALL, 3, True, Rerun(None, None), (), 1)
    frame = wire.dumps(shift)

    assert wire.whole(Intervention, frame).moment is Moment.LAST_CALL
    object.__setattr__(shift, "changed", changed if changed != [] else ())
    with pytest.raises(wire.Malformed):
        wire.whole(Intervention, wire.dumps(shift))
