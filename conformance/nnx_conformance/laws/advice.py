"""The laws that are advice: precision of the state, deprecated access, and state that never moves."""

from __future__ import annotations

import math

import numpy as np

from nnx_conformance.case import Case
from nnx_conformance.contract import CORE, SHOULD, Check, Judgement, NotApplicable, Violation, check
from nnx_conformance.laws.lines import written
from nnx_conformance.laws.seen import Creep, Leaf, Observation
from nnx_conformance.laws.trajectory import calls_of, of_twin
from nnx_conformance.plain_text import short

DEPRECATIONS = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")
#: With so many digits numbers are told; and the first whole number that int32 does not hold.
DIGITS, WHOLE = (6, 9, 12, 17), 2.0**31
PRECISION, CURRENT, MOVES = "state-precision", "current-access", "state-moves"


@check(
    id=PRECISION,
    level=SHOULD,
    requirement="State does not stall or overflow in its dtype within the horizon that the subject declares.",
    remedy="Count in int32 or float32, whatever the dtype of the computation, or declare the `horizon` that is needed.",
    wrong="self.count = nnx.Variable(jnp.zeros((), jnp.bfloat16))  # stops at 256",
    right="self.count = nnx.Variable(jnp.zeros((), jnp.int32))",
    domain=PRECISION,
)
def state_precision(case: Case, seen: Observation) -> Judgement:
    steps = [step for step in seen.steps if step.operation == "endure" and not step.skipped]
    if not steps:
        reasons = [step.skipped for step in seen.steps if step.skipped]
        return NotApplicable(seen.skipped or next(iter(reasons), "its state was not followed"))
    for creep in (creep for step in steps for creep in step.creeps):
        if said := _fails(creep):
            what = f"`{creep.path}` moves by {creep.amount:g} with each call, and {said} after {creep.calls:g} calls"
            line = written(seen.steps, creep.path)
            return Violation(f"{what}, as {creep.dtype}", *_values(creep), line, remedy=_remedy(creep))
    return None


def _values(creep: Creep) -> tuple[str, str]:
    """What a call should have led to, and what it did, in as few digits as tell them apart."""
    wanted = creep.near + creep.amount
    pairs = ((f"{wanted:.{digits}g}", f"{creep.after:.{digits}g}") for digits in DIGITS)
    return next((pair for pair in pairs if pair[0] != pair[1]), (f"more than {creep.after:g}", f"{creep.after:g}"))


def _remedy(creep: Creep) -> str:
    """How to mend what is already as wide as the check's own remedy makes it; empty where that fits."""
    if creep.dtype in ("int32", "uint32", "int64", "uint64"):
        return f"Start over, or stop, before {creep.dtype} is full, or declare the `horizon` that is needed."
    if creep.dtype not in ("float32", "float64"):
        return ""
    if creep.amount.is_integer() and abs(creep.near + creep.amount) < WHOLE:
        return f"Count in int32, which still counts where {creep.dtype} stops, or declare the `horizon` that is needed."
    mend = "Keep a mean in place of a sum, or carry what rounding loses in a second Variable"
    return f"{mend}, or declare the `horizon` that is needed."


def _fails(creep: Creep) -> str:
    if creep.dtype.startswith(("int", "uint")):
        turned = (creep.after - creep.near) * creep.amount < 0 and abs(creep.after - creep.near) > 2.0**6
        whole = 2.0 ** int("".join(filter(str.isdigit, creep.dtype)))
        return "overflows" if turned and math.isclose(creep.near + creep.amount - creep.after, whole) else ""
    if not math.isfinite(creep.near) or not math.isfinite(creep.after):
        return "overflows"
    return "stands still" if creep.after == creep.near else ""


@check(
    id=CURRENT,
    level=SHOULD,
    requirement="Nothing that the installed Flax deprecates is used.",
    remedy="Do what the warning says; from Flax 0.12 on, `self.count[...]` (or `get_value`, `set_value`) instead of "
    "`self.count.value`.",
    wrong="self.count.value += 1",
    right="self.count[...] += 1",
    domain=CURRENT,
    others=(CORE,),
)
def current_access(case: Case, seen: Observation) -> Judgement:
    for warned in (*seen.warnings, *(warned for step in seen.steps for warned in step.warnings)):
        if warned.category in DEPRECATIONS:
            what = f"{warned.category}: {short(warned.message)}"
            return Violation(what, "no deprecated access", warned.category, line=warned.line)
    ran = any(not step.skipped for step in seen.steps)
    return None if ran else NotApplicable(seen.skipped or "no call of it was made")


@check(
    id=MOVES,
    level=SHOULD,
    requirement="Some call changes each Variable that is neither a Param nor an Rngs' own.",
    remedy="Write the update to the Variable's contents; keep a constant as a plain array or an `nnx.Param`.",
    wrong="count = self.count[...] + 1  # never written back",
    right="self.count[...] = self.count[...] + 1",
    domain=MOVES,
)
def state_moves(case: Case, seen: Observation) -> Judgement:
    moves = [move for move in calls_of(of_twin(seen)) if not move.evaluating]
    if not moves:
        return NotApplicable(seen.skipped or "no call of it was made")
    held = {leaf.path: leaf for leaf in moves[0].before if _own(leaf)}
    held |= {leaf.path: leaf for leaf in moves[0].after if _own(leaf) and leaf.path not in held}
    if not held:
        return NotApplicable("it has no Variables besides Params and those of its Rngs")
    changed = {
        leaf.path for move in moves for leaf in move.after if leaf.path in held and _differs(leaf, held[leaf.path])
    }
    changed |= {leaf.path for leaf in moves[0].after if leaf.path not in {one.path for one in moves[0].before}}
    still = sorted(held.keys() - changed)
    if not still:
        return None
    what = f"{len(moves)} calls never changed `{still[0]}`" + (f" and {len(still) - 1} more" if len(still) > 1 else "")
    return Violation(what, "another value after some call", "the value that it was made with")


def _own(leaf: Leaf) -> bool:
    return leaf.variable and not leaf.param and not leaf.rng and leaf.array is not None and not _is_raw_key(leaf.array)


def _is_raw_key(array: np.ndarray) -> bool:
    """Whether an array may be keys as JAX had them before typed ones, as `transplants.holds_raw_keys` says."""
    return array.dtype == np.uint32 and array.ndim > 0 and array.shape[-1] in (2, 4)


def _differs(leaf: Leaf, was: Leaf) -> bool:
    return leaf.array is None or was.array is None or leaf.array.tobytes() != was.array.tobytes()


CHECKS: tuple[Check, ...] = (state_precision, current_access, state_moves)
