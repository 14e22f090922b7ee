"""Runners that ask what a module remembers besides its state: of an argument, and of whether it was traced first."""

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
#: So many calls, and other seeds, tell a key that stands still from a rare draw.
FAR = 3


def again(run: Execution) -> Any:
    """Call it on the very same arguments, one call after the other."""
    given = run.harness.pool.arguments(run.word.input)
    return [run.harness.invoke(run.module, *given) for _ in range(TIMES)]


def far(run: Execution) -> Any:
    """Call it several times where its counts have come to the end of the horizon, and with the keys of other seeds."""
    law, call, number = "rng-advances", run.harness.call, run.word.input
    module = grafted(run)
    forward(run.harness, module, number)
    others = [run.twin.replayed(run.todo.seed + OTHER * at).module for at in range(1, FAR)]
    for other in others:
        transplant(module, other, keys=False)
    befores = [Side(state=state(module))]
    outputs = [tree(call(module, number))]
    for _ in range(1, FAR):
        befores.append(Side(state=state(module)))
        outputs.append(tree(call(module, number)))
    sides = [Side(returned, before.state) for returned, before in zip(outputs, befores, strict=True)]
    for side_of_other in sides[1:]:
        run.compare(law, AGAIN, side_of_other, sides[0], unlike=True)
    for other in others:
        run.compare(law, OTHER_SEED, Side(tree(call(other, number))), sides[0], unlike=True)
    return run.plainly()


def afresh(run: Execution) -> Any:
    """Compile a call before any plain one, in a file just imported, beside a file of which plain calls were made."""
    assert run.reimported is not None
    fresh, known = run.reimported, run.harness.subject
    wanted = _traced_first(run, known, run.transforms)
    if not wanted.raised:  # what cannot be traced at all shows elsewhere
        got = _traced_first(run, fresh, Transforms(fresh))
        run.compare("no-hidden-state", "compiled before any plain call", got, wanted)
    return run.plainly()


def _traced_first(run: Execution, subject: Subject, transforms: Transforms) -> Side:
    """What two calls return, the first through `nnx.jit`, and the state after them."""
    module = subject.make(nnx.Rngs(run.todo.seed))
    arguments = run.harness.pool.arguments
    try:
        first = transforms.run("jit", module, arguments(run.word.input))
        return side(module, [first, invoked(subject, module, *arguments(run.word.input))])
    except Exception as error:  # noqa: BLE001 - the module's own code may raise anything
        return Side(raised=run.harness.source.raised(error))
