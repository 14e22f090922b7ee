"""Checks of what a call leaves behind: the same case run again, and the argument."""

from __future__ import annotations

import numpy as np

from nnx_conformance.case import Case, array_text
from nnx_conformance.contract import MUST, Blocked, Judgement, Violation, check
from nnx_conformance.contracts.mutability import places
from nnx_conformance.contracts.mutability.evidence import FRESH, culprit, same_result, shown
from nnx_conformance.observation import Observation, Raised, Thing
from nnx_conformance.request import AGAIN


@check(
    id=FRESH,
    level=MUST,
    requirement="The same case gives the same result again, whatever ran before: no state outlives the call.",
    remedy="Build the Rngs and the model inside the function, and keep nothing at module or class level, in a default "
    "argument or in a cache.",
    wrong="model = Counter(nnx.Rngs(0))  # at module level",
    right="def mutability_increment_count(seed, x, n_calls):\n    model = Counter(nnx.Rngs(int(seed)))",
    probes=(AGAIN,),
)
def fresh_state_per_run(case: Case, seen: Observation) -> Judgement:
    return repeated(seen, culprit(seen))


def repeated(seen: Observation, blamed: str) -> Judgement:
    """Whether the same case gave the same again; `blamed` is the check that a run breaks that raised."""
    assert seen.again is not None
    first, second = seen.run, seen.again
    if first.raised and second.raised:
        return Blocked(blamed)
    if same_result(first.result, second.result):
        return None
    then, now = _came_to(first.result, first.raised), _came_to(second.result, second.raised)
    what = f"the same case gave {then}, and run again {now}"
    if keeper := places.keeper(first):
        cause = f"{keeper.name} outlives the call, which changes it ({keeper.line})"
        return Violation(what, then, now, line=keeper.home or keeper.line, cause=cause)
    if drawn := next(places.changes(first, "chance"), None):
        cause = f"the result is drawn by `{drawn.name}`, whose generator goes on from call to call"
        return Violation(what, then, now, line=drawn.line, cause=cause, remedy=CHANCE)
    line = second.raised.line if second.raised else places.returned(seen)
    return Violation(what, then, now, line=line, cause=UNKNOWN)


CHANCE = "Draw from nothing but the keys of `nnx.Rngs(int(seed))`."
UNKNOWN = (
    "something outlives the call (a model or list at module or class level, a default argument, a cache), or the "
    "result depends on chance or time"
)


def _came_to(result: Thing | None, raised: Raised | None) -> str:
    return f"{raised.type}" if raised else shown(result)


@check(
    id="input-untouched",
    level=MUST,
    requirement="`x` is alive afterwards (neither donated nor deleted) and equal to what it was.",
    remedy="Do not donate, delete or write into the argument; work on what the calls return.",
    wrong="step = jax.jit(lambda x: x, donate_argnums=0)\nlast_x = step(x)",
    right="last_x = model(x)",
)
def input_untouched(case: Case, seen: Observation) -> Judgement:
    return untouched(case, seen, "x")


def untouched(case: Case, seen: Observation, name: str) -> Judgement:
    """Whether an argument is alive and equal to what it was."""
    left = next(argument for argument in seen.run.arguments if argument.name == name)
    if not left.alive:
        return Violation(
            f"{name} was deleted or donated by the call",
            f"{name} alive",
            f"{name} deleted",
            line=places.changed_argument(seen.run, name),
            cause="its buffer was given away (`donate_argnums`) or freed (`x.delete()`); no one can use it again",
        )
    if left.array is not None and left.array.tobytes() == np.ascontiguousarray(case[name]).tobytes():
        return None
    after = array_text(left.array) if left.array is not None else "nothing"
    return Violation(
        f"{name} was {array_text(case[name])} and is {after} after the call",
        array_text(case[name]),
        after,
        line=places.changed_argument(seen.run, name),
        cause="something wrote into the buffer of the argument",
    )


CHECKS = (fresh_state_per_run, input_untouched)
