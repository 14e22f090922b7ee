"""Observations from a candidate's process: what contradicts itself or the request is refused with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from nnx_conformance.core.case import Case, jax, python
from nnx_conformance.core.consistent import MANY, consistent
from nnx_conformance.core.facts import ArgumentAfter, Call, Facts, Module, Rerun, Run, Slot, Snapshot, Value
from nnx_conformance.core.plan import AGAIN, Request, RunPlan

CASE = Case("core", (python("seed", 0.0), jax("x", np.zeros(1, np.float32)), python("n_calls", 1.0)))
REQUEST = Request(CASE, RunPlan((AGAIN,)), 1)
SLOTS = (Slot("count", "nnx.Variable", True, False, False),)
BEFORE, AFTER = Snapshot(0, (0.0,), ()), Snapshot(0, (1.0,), ())
RESULT = Value("jax.Array", np.array([1, 0], np.float32), "")
CALL = Call(0, None, False, False, BEFORE, AFTER, 0)
MODULE = Module("Counter", True, True, None, BEFORE, AFTER)
RUN = Run(
    1, RESULT, None, (MODULE,), (CALL,), (SLOTS,), (RESULT,), (), (), (),
    tuple(ArgumentAfter(argument.name, True, argument.data) for argument in CASE.arguments),
)  # fmt: skip
SEEN = Facts(RUN, Rerun(RESULT, None), None, (), (1.0,), False, "")

Change = Callable[[Run], Run]
CHANGES: dict[str, tuple[Change, str]] = {
    "a module that is not there": (lambda run: replace(run, modules=()), "module 0 of 0"),
    "a layout that is not there": (lambda run: replace(run, layouts=()), "layout 0 of 0"),
    "a returned value that is not there": (lambda run: replace(run, returns=()), "returned value 0 of 0"),
    "a slot that is not there": (
        lambda run: replace(run, calls=(replace(CALL, before=Snapshot(0, (0.0,), (1,))),)), "slot 1 of 1",
    ),
    "too few numbers": (lambda run: replace(run, layouts=(SLOTS * 2,)), "1 numbers for 2 slots"),
    "another number of calls": (lambda run: replace(run, requested_calls=2), "2 calls asked for instead of 1"),
    "fewer arguments": (
        lambda run: replace(run, arguments=run.arguments[:2]), "other arguments than those that were passed",
    ),
    "an argument without content": (
        lambda run: replace(run, arguments=(replace(run.arguments[0], array=None), *run.arguments[1:])),
        "an argument that is alive and holds nothing",
    ),
    "nothing": (lambda run: replace(run, result=None), "neither a result nor an exception"),
    "very many calls": (
        lambda run: replace(run, calls=(CALL,) * (MANY + 1)),
        f"{MANY + 1} calls or modules; at most {MANY} are looked at",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "reason"), CHANGES.values(), ids=CHANGES)
def test_a_run_that_cannot_be_is_refused(change: Change, reason: str) -> None:
    for seen in (replace(SEEN, run=change(RUN)), replace(SEEN, untraced=change(RUN))):
        with pytest.raises(ValueError, match=f"^{reason}$"):
            consistent(seen, REQUEST)


def test_an_outcome_that_was_not_asked_for_or_is_missing_is_refused() -> None:
    for seen, request in ((replace(SEEN, again=None), REQUEST), (SEEN, replace(REQUEST, plan=RunPlan()))):
        with pytest.raises(ValueError, match=r"^the same case again, or not, against what was asked$"):
            consistent(seen, request)


def test_an_observation_that_agrees_with_itself_is_passed_on() -> None:
    assert consistent(SEEN, REQUEST) is SEEN
