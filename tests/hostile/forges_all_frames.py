"""Not stopped: takes the conversation over, and answers with observations of its own making. No module ever runs.

It lies about its structure. The numbers that it returns are right, or it would not get away with it: those the judge
reckons itself.
"""

import numpy as np
from nnx_conformance.core.plan import own_amounts
from nnx_conformance.core.wire import Later
from nnx_conformance.process import worker
from nnx_conformance.process.messages import Answer, Load, Observed
from nnx_conformance.core.facts import (
    Call,
    ArgumentAfter,
    Module,
    Facts,
    Rerun,
    RngsBuilt,
    Run,
    Intervention,
    Slot,
    Snapshot,
    Value,
)

SLOTS = (Slot("count", "nnx.Variable", True, False, False),)


def outcome(count, total):
    return Rerun(Value("jax.Array", np.array([count, total], np.float32), ""), None)


def observation(request):
    arguments = request.case.arguments
    data = {argument.name: argument.data for argument in arguments}
    x, calls = data["x"], request.calls
    total = np.float32(x.astype(np.float64).sum())
    more = np.float32((x.astype(np.float64) + own_amounts(x.size)).sum())
    result = outcome(calls, total)
    states = [Snapshot(0, (float(number),), ()) for number in range(calls + 1)]
    module = Module("Counter", True, True, None, states[0], states[-1])
    made = tuple(Call(0, None, False, False, a, b, 0) for a, b in zip(states, states[1:]))
    run = Run(
        calls, result.result, None, (module,), made, (SLOTS,), (Value("jax.Array", x, ""),), (),
        (RngsBuilt(((int(data["seed"]),),), False, 1),), (),
        tuple(ArgumentAfter(argument.name, True, argument.data) for argument in arguments),
    )  # fmt: skip
    shifts = ()
    if "shifts" in request.plan.probes and calls:
        shifts = (
            Intervention("output", "after the last call", 3, True, outcome(calls, more), (float(calls),), calls),
            Intervention("state", "after the last call", 3, True, outcome(calls + 3, total), (calls + 3.0,), calls),
            Intervention("state", "after the last call", -3, True, outcome(calls - 3, total), (calls - 3.0,), calls),
        )
        if calls > 1:
            far = calls + 100.0
            shifts += (Intervention("state", "after the first call", 100, True, outcome(far, total), (far,), calls),)
    again = result if "again" in request.plan.probes else None
    return Facts(run, again, None, shifts, (float(calls),) if calls else (), False, "")


def answer(self, question):
    if isinstance(question.content, Load):
        return Answer(question.number, load(self, question.content))
    return Answer(question.number, Observed(Later(observation(question.content))))


load = worker._Serving._load
worker._Serving.answer = answer


def mutability_increment_count(seed, x, n_calls):
    return None
