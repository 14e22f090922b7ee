"""Writes a well-made observation that claims the right result and a right module; then runs no module at all."""

import os

import numpy as np
from nnx_conformance import wire
from nnx_conformance.messages import Answer
from nnx_conformance.observation import Call, Module, Observation, Outcome, Run, Slot, Snapshot, Thing


SLOT = Slot("count", "nnx.Variable", True, False, False)


def observation(x, n_calls):
    result = Thing("jax.Array", np.array([n_calls, np.asarray(x).sum()], np.float32), "")
    states = [Snapshot(0, (float(number),), ()) for number in range(int(n_calls) + 1)]
    module = Module("Counter", True, True, None, states[0], states[-1])
    calls = tuple(Call(0, None, False, False, a, b, 0) for a, b in zip(states, states[1:]))
    returned = Thing("jax.Array", np.asarray(x), "")
    run = Run(int(n_calls), result, None, (module,), calls, ((SLOT,),), (returned,), (), (), (), ())
    return Observation(run, Outcome(result, None), None, (), (), False, "")


def mutability_increment_count(seed, x, n_calls):
    frame = wire.dumps(Answer(2, observation=observation(x, n_calls)))
    for descriptor in range(3, 256):
        try:
            os.write(descriptor, frame)
        except OSError:
            pass
    return np.zeros(2, np.float32)
