"""Claims as many calls as are looked at, each of a module of its own, over which a judge might ponder for ever."""

import os

import numpy as np
from nnx_conformance.core import wire
from nnx_conformance.process.messages import Answer, Observed
from nnx_conformance.core.facts import Call, ArgumentAfter, Module, Facts, Rerun, Run, Slot, Snapshot, Value

SLOTS = (Slot("count", "nnx.Variable", True, False, False),)
MANY = 10_000


def mutability_increment_count(seed, x, n_calls):
    result = Value("jax.Array", np.array([n_calls, np.asarray(x).sum()], np.float32), "")
    starts = [Snapshot(0, (2.0 * number,), ()) for number in range(MANY)]
    ends = [Snapshot(0, (2.0 * number + 1,), ()) for number in range(MANY)]
    modules = tuple(Module("C", False, True, None, start, end) for start, end in zip(starts, ends))
    calls = tuple(Call(number, None, False, False, starts[number], ends[number], 0) for number in range(MANY))
    given = (("seed", np.asarray(seed)), ("x", np.asarray(x)), ("n_calls", np.asarray(n_calls)))
    left = tuple(ArgumentAfter(name, True, data) for name, data in given)
    run = Run(int(n_calls), result, None, modules, calls, (SLOTS,), (result,), (), (), (), left)
    outcome = Rerun(result, None)
    for number in range(2, 20):
        frame = memoryview(
            wire.dumps(Answer(number, Observed(wire.Later(Facts(run, outcome, None, (), (), False, "")))))
        )
        while frame:
            frame = frame[os.write(4, frame) :]
    os._exit(0)
