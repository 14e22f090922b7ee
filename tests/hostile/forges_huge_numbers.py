"""Claims numbers that no float holds, wherever an observation has a number."""

import os

import numpy as np
from nnx_conformance.core import wire
from nnx_conformance.process.messages import Answer, Observed
from nnx_conformance.core.facts import Call, Module, Facts, Rerun, Run, Slot, Snapshot, Value


HUGE = 10**4000
SLOT = Slot("count", "nnx.Variable", True, False, False)


def mutability_increment_count(seed, x, n_calls):
    result = Value("jax.Array", np.array([n_calls, np.asarray(x).sum()], np.float32), "")
    module = Module("Counter", True, True, None, Snapshot(0, (0,), ()), Snapshot(0, (HUGE,), ()))
    call = Call(0, None, False, False, Snapshot(0, (0,), ()), Snapshot(0, (HUGE,), ()), 0)
    run = Run(HUGE, result, None, (module,), (call,), ((SLOT,),), (result,), (), (), (), ())
    seen = Facts(run, Rerun(result, None), None, (), (HUGE,), False, "")
    os.write(4, wire.dumps(Answer(2, Observed(wire.Later(seen)))))
    os._exit(0)
