"""Runners that call again: on the same objects, at the end of the horizon, in a fresh import of the subject's file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flax import nnx

from nnx_conformance.contracts.module_laws.evidence import Side
from nnx_conformance.contracts.module_laws.execution.harness import Transforms, invoked
from nnx_conformance.contracts.module_laws.execution.runners.drift import forward
from nnx_conformance.contracts.module_laws.execution.runners.restoration import grafted
from nnx_conformance.contracts.module_laws.execution.snapshots import side, state, transplant, tree
from nnx_conformance.contracts.module_laws.program.language import AGAIN, OTHER, OTHER_SEED
from nnx_conformance.core.candidate.subject import Subject

if TYPE_CHECKING:
    from nnx_conformance.contracts.module_laws.execution.run import Execution

TIMES = 2
#: The number of calls, and of seeds, that tells a key that never changes from a draw that seldom differs.
FAR = 3


def again(run: Execution) -> Any:
    """Call it several times on the same argument objects."""
    arguments = run.harness.pool.arguments(run.word.input)
    return [run.harness.invoke(run.module, *arguments) for _ in range(TIMES)]


def far(run: Execution) -> Any:
    """Set its counts to the end of the horizon, then call it several times, and with the keys of other seeds."""
    law, call, number = "rng-advances", run.harness.call, run.word.input
    module = grafted(run)
    forward(run.harness, module, number)
    others = [run.twin.replayed(run.program.seed + OTHER * index).module for index in range(1, FAR)]
    for other in others:
        transplant(module, other, keys=False)
    befores = [Side(state=state(module))]
    outputs = [tree(call(module, number))]
    for _ in range(1, FAR):
        befores.append(Side(state=state(module)))
        outputs.append(tree(call(module, number)))
    sides = [Side(returned, before.state) for returned, before in zip(outputs, befores, strict=True)]
    for later in sides[1:]:
        run.compare(law, AGAIN, later, sides[0], unlike=True)
    for other in others:
        run.compare(law, OTHER_SEED, Side(tree(call(other, number))), sides[0], unlike=True)
    return run.plainly()


def afresh(run: Execution) -> Any:
    """Compile the first call in a fresh import of the file, and compare with the import that made plain calls."""
    assert run.reimported is not None
    fresh, known = run.reimported, run.harness.subject
    wanted = _traced_first(run, known, run.transforms)
    if not wanted.raised:  # other laws report a call that cannot be traced
        got = _traced_first(run, fresh, Transforms(fresh))
        run.compare("no-hidden-state", "compiled before any plain call", got, wanted)
    return run.plainly()


def _traced_first(run: Execution, subject: Subject, transforms: Transforms) -> Side:
    """The outputs and state of two calls, the first through `nnx.jit`."""
    module = subject.make(nnx.Rngs(run.program.seed))
    arguments = run.harness.pool.arguments
    try:
        first = transforms.run("jit", module, arguments(run.word.input))
        return side(module, [first, invoked(subject, module, *arguments(run.word.input))])
    except Exception as error:  # noqa: BLE001 - the module's own code may raise anything
        return Side(raised=run.harness.source.raised(error))
