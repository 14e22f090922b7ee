"""Not stopped: takes the conversation over, and answers with observations of its own making. No module ever runs.

It lies about its structure. The numbers that it returns are right, or it would not get away with it: those the judge
reckons itself.
"""

import numpy as np
from nnx_conformance import worker
from nnx_conformance.messages import Answer
from nnx_conformance.observation import (
    Call,
    Left,
    Module,
    Observation,
    Outcome,
    RngsBuilt,
    Run,
    Shift,
    Slot,
    Snapshot,
    Thing,
)

SLOTS = (Slot("count", "nnx.Variable", True, False, False),)


def outcome(count, total):
    return Outcome(Thing("jax.Array", np.array([count, total], np.float32), ""), None)


def observation(request):
    arguments = request.case.arguments
    data = {argument.name: argument.data for argument in arguments}
    x, calls = data["x"], request.calls
    total = np.float32(x.astype(np.float64).sum())
    more = np.float32((x.astype(np.float64) + 3).sum())
    result = outcome(calls, total)
    states = [Snapshot(0, (float(number),), ()) for number in range(calls + 1)]
    module = Module("Counter", True, True, None, states[0], states[-1])
    made = tuple(Call(0, None, False, False, a, b, 0) for a, b in zip(states, states[1:]))
    run = Run(
        calls, result.result, None, (module,), made, (SLOTS,), (Thing("jax.Array", x, ""),), (),
        (RngsBuilt(((int(data["seed"]),),), False, 1),), (),
        tuple(Left(argument.name, True, argument.data) for argument in arguments),
    )  # fmt: skip
    shifts = ()
    if "shifts" in request.probes and calls:
        shifts = (
            Shift("output", "after the last call", 3, True, outcome(calls, more), (float(calls),), calls),
            Shift("state", "after the last call", 3, True, outcome(calls + 3, total), (calls + 3.0,), calls),
            Shift("state", "after the last call", -3, True, outcome(calls - 3, total), (calls - 3.0,), calls),
        )
        if calls > 1:
            far = calls + 100.0
            shifts += (Shift("state", "after the first call", 100, True, outcome(far, total), (far,), calls),)
    again = result if "again" in request.probes else None
    return Observation(run, again, None, shifts, (float(calls),) if calls else (), False, "")


def answer(self, question):
    if question.request is None:
        return load(self, question)
    return Answer(question.number, observation=observation(question.request))


load = worker._Serving._load
worker._Serving.answer = answer


def mutability_increment_count(seed, x, n_calls):
    return None
