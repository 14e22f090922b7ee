"""Writes a well-made observation that claims the right result and a right module; then runs no module at all."""

import os

import numpy as np
from nnx_conformance.core import wire
from nnx_conformance.process.messages import Answer, Observed
from nnx_conformance.core.facts import Call, Module, Facts, Rerun, Run, Slot, Snapshot, Value


SLOT = Slot("count", "nnx.Variable", True, False, False)


def observation(x, n_calls):
    result = Value("jax.Array", np.array([n_calls, np.asarray(x).sum()], np.float32), "")
    states = [Snapshot(0, (float(number),), ()) for number in range(int(n_calls) + 1)]
    module = Module("Counter", True, True, None, states[0], states[-1])
    calls = tuple(Call(0, None, False, False, a, b, 0) for a, b in zip(states, states[1:]))
    returned = Value("jax.Array", np.asarray(x), "")
    run = Run(int(n_calls), result, None, (module,), calls, ((SLOT,),), (returned,), (), (), (), ())
    return Facts(run, Rerun(result, None), None, (), (), False, "")


def mutability_increment_count(seed, x, n_calls):
    frame = wire.dumps(Answer(2, Observed(wire.Later(observation(x, n_calls)))))
    for descriptor in range(3, 256):
        try:
            os.write(descriptor, frame)
        except OSError:
            pass
    return np.zeros(2, np.float32)
