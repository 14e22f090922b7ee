"""Checks of the state: that there is one, of which kind, and where it starts."""

from __future__ import annotations

import numpy as np

from nnx_conformance.case import Case
from nnx_conformance.contract import MUST, Blocked, Judgement, NotApplicable, Violation, check
from nnx_conformance.contracts.mutability import places
from nnx_conformance.contracts.mutability.evidence import losses
from nnx_conformance.contracts.running_mean.evidence import (
    FLOAT32,
    HIDDEN,
    IN_STATE,
    NAMES,
    NO_CALL,
    NOT_PARAM,
    RETURNS,
    THREADED,
    UPDATE,
    WRAPPER,
    ZEROS,
    base,
    culprit,
    excuse,
    framework,
    holds,
    kept,
    made,
    parts,
    result,
    series,
    shown,
    step_calls,
    steps_asked,
)
from nnx_conformance.observation import Observation, Run, Shift, Slot
from nnx_conformance.request import SHIFTS

#: So much of a mean, and of 1, is told apart in float32 after many steps, each of which rounds.
SEEN = 1e-4
#: What keeps a statistic, by framework.
KEEPER = {
    "nnx": "a Variable such as `nnx.BatchStat`",
    "linen": 'a collection, `self.variable("batch_stats", ...)`',
    "torch": "a buffer, `register_buffer`",
}


@check(
    id=IN_STATE,
    level=MUST,
    requirement="The call makes a module of Flax NNX, Flax Linen or PyTorch whose state holds the mean: a Variable, a "
    "leaf of a collection, or a persistent buffer.",
    remedy='NNX: `nnx.BatchStat(jnp.zeros(n))`. Linen: `self.variable("batch_stats", "mean", jnp.zeros, n)`. PyTorch: '
    '`self.register_buffer("mean", torch.zeros(n))`.',
    wrong="self.mean = torch.zeros(features)  # not in state_dict",
    right='self.register_buffer("mean", torch.zeros(features))',
)
def mean_in_state(case: Case, seen: Observation) -> Judgement:
    if by := culprit(seen):
        return Blocked(by)
    run = base(seen)
    if not run.modules:
        return Violation("the call made no module of Flax NNX, Flax Linen or PyTorch", line=places.returned(seen))
    if not made(run):
        what = f"the call used a {run.modules[0].name} that was made before it"
        return Violation(what, "a module made by the call", line=run.modules[0].line, follows=("fresh-state-per-run",))
    if next(losses(run), None):
        return Blocked(WRAPPER)
    if result(case, seen) is None:
        return Blocked(RETURNS)
    found = kept(case, seen)
    if found is None or not (found.slot.variable or holds(case, seen, found.last)):
        return excuse(case, seen) or _nowhere(seen, run)
    return None if found.slot.variable and found.slot.saved else _outside(run, found.slot)


def _nowhere(seen: Observation, run: Run) -> Violation:
    name = framework(run)
    return Violation(
        f"no state of the {NAMES[name]} module holds the mean",
        KEEPER[name],
        "none",
        line=places.returned(seen),
        cause="the mean is kept outside of the module's state",
    )


def _outside(run: Run, slot: Slot) -> Violation:
    name = framework(run)
    kind = "a buffer that is not persistent" if slot.variable else f"a plain attribute of type {slot.type}"
    return Violation(
        f"`{slot.path}` holds the mean, and is {kind}",
        KEEPER[name],
        kind,
        line=next((module.line for module in run.modules), None),
        cause="it is not in `state_dict`: what is saved and loaded has no mean"
        if name == "torch"
        else "it is no state",
    )


@check(
    id=NOT_PARAM,
    level=MUST,
    requirement='The mean is no parameter: no `nnx.Param`, nothing in the collection "params", no `nn.Parameter`.',
    remedy="Keep it as a statistic: an optimiser updates every parameter, weight decay even without a gradient.",
    wrong="self.mean = nnx.Param(jnp.zeros(features))",
    right="self.mean = nnx.BatchStat(jnp.zeros(features))",
)
def statistic_not_param(case: Case, seen: Observation) -> Judgement:
    found = kept(case, seen)
    if found and found.slot.param:
        return Violation(
            f"the mean sits in `{found.slot.path}`, of type {found.slot.type}",
            "a statistic",
            found.slot.type,
            line=next((module.line for module in base(seen).modules), None),
            cause="a parameter is what optimisers train",
        )
    return (excuse(case, seen) or Blocked(IN_STATE)) if found is None or not found.slot.variable else None


@check(
    id=ZEROS,
    level=MUST,
    requirement="Before the first step the mean is zeros.",
    remedy="Start from zeros. In Linen, `init` must not update the state: `if not self.is_initializing():`.",
    wrong='mean = self.variable("batch_stats", "mean", jnp.zeros, n)\nmean.value = update(mean.value)  # in init, too',
    right="if not self.is_initializing():\n    mean.value = update(mean.value)",
)
def starts_from_zeros(case: Case, seen: Observation) -> Judgement:
    if excused := excuse(case, seen):
        return excused
    run, found = base(seen), kept(case, seen)
    if found is None or not found.calls:
        return Blocked(IN_STATE) if found is None else NotApplicable(HIDDEN if seen.run.calls else NO_CALL)
    before = parts(run, found.calls[0].before).get(found.slot.path)
    if before is None or not np.any(before[1]):
        return None
    linen = framework(run) == "linen"
    cause = "`init` updated it: its update is not guarded by `if not self.is_initializing()`" if linen else ""
    return Violation(
        f"before the first step `{found.slot.path}` is {shown(before[1])}",
        "zeros",
        shown(before[1]),
        line=next((module.line for module in run.modules), None),
        cause=cause or "the mean does not start from zeros",
    )


@check(
    id=FLOAT32,
    level=MUST,
    requirement="The mean is kept in float32 or float64.",
    remedy="Make it `jnp.zeros(features, jnp.float32)`; cast batches up, and not the mean down.",
    wrong="jnp.zeros(features, jnp.float16)",
    right="jnp.zeros(features, jnp.float32)",
)
def accumulates_in_float32(case: Case, seen: Observation) -> Judgement:
    found, run = kept(case, seen), base(seen)
    if found is None:
        return excuse(case, seen) or Blocked(IN_STATE)
    kinds = {after.dtype.name for _, after in series(run, found.calls, found.slot.path) if after is not None}
    narrow = sorted((kinds or {found.last.dtype.name}) - {"float32", "float64"})
    if not narrow:
        return None
    return Violation(
        f"`{found.slot.path}` is of dtype {narrow[0]}",
        "float32",
        narrow[0],
        line=next((module.line for module in run.modules), None),
        cause="each update rounds the mean to what this dtype holds, and small steps are lost",
    )


@check(
    id="no-autograd-history",
    level=MUST,
    requirement="No buffer of a PyTorch module requires a gradient or holds on to the computation that made it.",
    remedy="Update in place under `torch.no_grad()`, or with `copy_` of a detached mean.",
    wrong="self.mean = momentum * self.mean + (1 - momentum) * (batch * self.weight).mean(0)",
    right="with torch.no_grad():\n    self.mean.mul_(momentum).add_((1 - momentum) * batch.mean(0))",
)
def no_autograd_history(case: Case, seen: Observation) -> Judgement:
    run = base(seen)
    if framework(run) != "torch":
        return Blocked(culprit(seen)) if culprit(seen) else NotApplicable("only PyTorch records what made a tensor")
    calls = step_calls(run)
    for call in calls:
        slots = run.layouts[call.after.layout] if call.after else ()
        for slot in slots:
            if slot.history:
                return Violation(
                    f"after a step `{slot.path}` holds on to the computation that made it",
                    "no autograd history",
                    "a tensor that requires a gradient",
                    line=call.line,
                    cause="the graph of every step is kept alive by the next one, so memory grows with steps",
                )
    return Blocked(culprit(seen)) if culprit(seen) else None


@check(
    id=WRAPPER,
    level=MUST,
    requirement="No attribute that held a Variable is replaced by something that is not one.",
    remedy="Write to the contents, `self.mean.value = ...`, or from Flax 0.10.7 on `self.mean[...] = ...`.",
    wrong="self.mean = momentum * self.mean + (1 - momentum) * batch.mean(0)",
    right="self.mean.value = momentum * self.mean.value + (1 - momentum) * batch.mean(0)",
)
def wrapper_kept(case: Case, seen: Observation) -> Judgement:
    run = base(seen)
    for loss in losses(run):
        return Violation(
            f"`{loss.target}` went from {loss.before} to {loss.after}",
            loss.before,
            loss.after,
            line=places.replaced_at(run, loss.target, loss.before, loss.after) or loss.line,
            cause="assigning to the attribute replaces the Variable; its contents are `.value` (or `[...]`)",
        )
    if framework(run) not in ("nnx", ""):
        return NotApplicable("only Flax NNX wraps state in Variables")
    return excuse(case, seen)


@check(
    id="result-reads-state",
    level=MUST,
    requirement="The result is read from the state: when the kit changes the mean after the last step, it follows.",
    remedy="Return the mean that the module holds after the last step, not one computed beside it.",
    wrong="return mean_in_numpy(batches, momentum)",
    right="return model.mean.value",
    probes=(SHIFTS,),
)
def result_reads_state(case: Case, seen: Observation) -> Judgement:
    got = result(case, seen)
    if got is None:
        return Blocked(culprit(seen) or RETURNS)
    tried = [shift for shift in seen.shifts if shift.applied]
    if not tried:
        unseen = NotApplicable(HIDDEN if seen.run.calls else NO_CALL)
        return excuse(case, seen) or (Blocked(UPDATE) if step_calls(base(seen)) else unseen)
    thing = tried[0].outcome.result
    if thing is None or thing.array is None or thing.array.shape != got.shape:
        return None
    if not np.array_equal(thing.array.astype(np.float64), got):
        return None
    if tried[0].undone:
        return NotApplicable("the candidate sets the state anew, so nothing is left of what the kit changed before")
    if not _weighs(case, tried[0], got):
        return NotApplicable("the start, which the kit changed, no longer weighs after these steps")
    what = f"the kit raised the state by {tried[0].amount} {_moment(tried[0])}; the result stayed the same"
    cause = "the result is computed beside the module, or by a copy of it, or the updates are dropped"
    line, follows = places.returned(seen), (THREADED, UPDATE)
    return Violation(what, f"other than {shown(got)}", shown(got), line=line, cause=cause, follows=follows)


def _moment(shift: Shift) -> str:
    return shift.when.replace("last call", "last step")


def _weighs(case: Case, shift: Shift, got: np.ndarray) -> bool:
    """Whether what was added can be seen in a float32 result: of the start, each step leaves `momentum` of it."""
    if shift.when != "after construction":
        return True
    left = shift.amount * float(case["momentum"]) ** steps_asked(case)
    return bool(left > SEEN * max(1.0, float(np.max(np.abs(got), initial=0.0))))


CHECKS = (
    mean_in_state,
    statistic_not_param,
    starts_from_zeros,
    accumulates_in_float32,
    no_autograd_history,
    wrapper_kept,
    result_reads_state,
)
