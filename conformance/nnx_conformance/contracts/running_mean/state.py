"""Checks of the state: that it holds the mean, its kind, and where it starts."""

from __future__ import annotations

from nnx_conformance.contracts import blame, claims
from nnx_conformance.contracts.checks import wrapper_lost
from nnx_conformance.contracts.reading import FRESH, WRAPPER, returned, unless
from nnx_conformance.contracts.running_mean.reading import (
    FLOAT32,
    IN_STATE,
    STEPPED,
    WITH_LEAF,
    ZEROS,
    MeanReading,
    a_mean,
    judgeable,
)
from nnx_conformance.contracts.wording import numbers_text
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, same_numbers
from nnx_conformance.core.contract import MUST, Blocked, Judgement, Need, NotApplicable, Unmet, Violation, check
from nnx_conformance.core.facts import Call, Slot

NAMES = {"nnx": "Flax NNX", "linen": "Flax Linen", "torch": "PyTorch"}
#: The place of a statistic, by framework.
KEEPER = {
    "nnx": "a Variable such as `nnx.BatchStat`",
    "linen": 'a collection, `self.variable("batch_stats", ...)`',
    "torch": "a buffer, `register_buffer`",
}
#: The dtypes that a mean may have.
WIDE = ("float32", "float64")
#: Why the mean must not be outside of the state, by framework.
BESIDE = {"torch": "it is not in `state_dict`: what is saved and loaded has no mean"}


def _whole(reading: MeanReading) -> Unmet:
    """Need: no wrapper was lost."""
    return Blocked(WRAPPER) if reading.loss else None


def _holds_mean(reading: MeanReading) -> bool:
    """Whether the nearest leaf is state, or at least equals the result."""
    leaf, bound = reading.nearest, 2 * reading.means.bounds[-1]
    return leaf is not None and (leaf.slot.variable or reading.is_result(leaf, bound))


def _kept(_: Case, reading: MeanReading) -> list[Claim]:
    """The claim that the leaf with the mean is state, and is saved with the model."""
    if not reading.created or not _holds_mean(reading):
        return [Claim(("no state" if reading.created else "no module",), ("state", "saved"))]
    slot = reading.leaf.slot
    kind = ("state" if slot.variable else "no state", "saved" if slot.saved else "not saved")
    return [Claim(kind, ("state", "saved"))]


@check(
    id=IN_STATE,
    level=MUST,
    requirement="The call makes a module of Flax NNX, Flax Linen or PyTorch whose state holds the mean: a Variable, a "
    "leaf of a collection, or a persistent buffer.",
    remedy='NNX: `nnx.BatchStat(jnp.zeros(n))`. Linen: `self.variable("batch_stats", "mean", jnp.zeros, n)`. PyTorch: '
    '`self.register_buffer("mean", torch.zeros(n))`.',
    wrong="self.mean = torch.zeros(features)  # not in state_dict",
    right='self.register_buffer("mean", torch.zeros(features))',
    needs=(returned, unless(lambda reading: not reading.created, _whole, a_mean, unless(_holds_mean, judgeable))),
    claims=_kept,
)
def mean_in_state(_: Case, reading: MeanReading) -> Judgement:
    modules, result_line = reading.clear.modules, blame.returned(reading.run)
    if not modules:
        return Violation("the call made no module of Flax NNX, Flax Linen or PyTorch", line=result_line)
    if not reading.created:
        what = f"the call used a {modules[0].name} that was made before it"
        return Violation(what, "a module made by the call", line=modules[0].line, because=(FRESH,))
    if not _holds_mean(reading):
        what = f"no state of the {NAMES[reading.framework]} module holds the mean"
        cause = "the candidate keeps the mean outside the module's state"
        return Violation(what, KEEPER[reading.framework], "none", line=result_line, cause=cause)
    slot = reading.leaf.slot
    kind = "a buffer that is not persistent" if slot.variable else f"a plain attribute of type {slot.type}"
    what, cause = f"`{slot.path}` holds the mean, and is {kind}", BESIDE.get(reading.framework, "it is no state")
    return Violation(what, KEEPER[reading.framework], kind, line=reading.constructed_at, cause=cause)


def _in_state(reading: MeanReading) -> Unmet:
    """Need: the nearest leaf is state."""
    variable = reading.nearest is not None and reading.nearest.slot.variable
    return None if variable else reading.unjudgeable or Blocked(IN_STATE)


@check(
    id="statistic-not-param",
    level=MUST,
    requirement='The mean is no parameter: no `nnx.Param`, nothing in the collection "params", no `nn.Parameter`.',
    remedy="Keep it as a statistic: an optimiser updates every parameter, weight decay even without a gradient.",
    wrong="self.mean = nnx.Param(jnp.zeros(features))",
    right="self.mean = nnx.BatchStat(jnp.zeros(features))",
    needs=(_in_state,),
    claims=lambda _, reading: [claims.no_param(reading.leaf.slot)],
)
def statistic_not_param(_: Case, reading: MeanReading) -> Judgement:
    slot = reading.leaf.slot
    if not slot.param:
        return None
    what, cause = f"the mean sits in `{slot.path}`, of type {slot.type}", "a parameter is what optimisers train"
    return Violation(what, "a statistic", slot.type, line=reading.constructed_at, cause=cause)


def _zeros(_: Case, reading: MeanReading) -> list[Claim]:
    """The claim that the mean is zeros before the first step."""
    first = reading.leaf.first
    return [] if first is None else [same_numbers(first, 0.0)]


@check(
    id=ZEROS,
    level=MUST,
    requirement="Before the first step the mean is zeros.",
    remedy="Start from zeros. In Linen, `init` must not update the state: `if not self.is_initializing():`.",
    wrong='mean = self.variable("batch_stats", "mean", jnp.zeros, n)\nmean.value = update(mean.value)  # in init, too',
    right="if not self.is_initializing():\n    mean.value = update(mean.value)",
    needs=STEPPED,
    claims=_zeros,
)
def starts_from_zeros(_: Case, reading: MeanReading) -> Judgement:
    first = reading.leaf.first
    if first is None:
        return None
    guard = "`init` updated it: its update is not guarded by `if not self.is_initializing()`"
    cause = guard if reading.framework == "linen" else "the mean does not start from zeros"
    what = f"before the first step `{reading.leaf.slot.path}` is {numbers_text(first)}"
    return Violation(what, "zeros", numbers_text(first), line=reading.constructed_at, cause=cause)


def _dtypes(reading: MeanReading) -> list[str]:
    """The dtypes of the mean after each step, or at the end if no step is observed."""
    after = [after for _, after in reading.leaf.moments if after is not None] or [reading.leaf.last]
    return sorted({array.dtype.name for array in after})


@check(
    id=FLOAT32,
    level=MUST,
    requirement="The mean is kept in float32 or float64.",
    remedy="Make it `jnp.zeros(features, jnp.float32)`; cast batches up, and not the mean down.",
    wrong="jnp.zeros(features, jnp.float16)",
    right="jnp.zeros(features, jnp.float32)",
    needs=(unless(lambda reading: reading.nearest, *WITH_LEAF),),
    claims=lambda _, reading: [Claim((name,), (name if name in WIDE else "float32",)) for name in _dtypes(reading)],
)
def accumulates_in_float32(_: Case, reading: MeanReading) -> Judgement:
    narrow = [name for name in _dtypes(reading) if name not in WIDE]
    what = f"`{reading.leaf.slot.path}` is of dtype {narrow[0]}"
    cause = "each update rounds the mean to what this dtype holds, and small steps are lost"
    return Violation(what, "float32", narrow[0], line=reading.constructed_at, cause=cause)


def _of(*frameworks: str, otherwise: str) -> Need:
    """Need: the module is one of these frameworks; an empty name stands for no module."""
    return lambda reading: None if reading.framework in frameworks else NotApplicable(otherwise)


_OF_NNX = _of("nnx", "", otherwise="only Flax NNX wraps state in Variables")
_OF_TORCH = _of("torch", otherwise="only PyTorch records what made a tensor")


def _history(reading: MeanReading) -> tuple[Call, Slot] | None:
    """The first step that leaves an autograd history in the state, and the slot that holds it."""
    layouts = reading.clear.layouts
    slots = ((call, slot) for call in reading.steps if call.after for slot in layouts[call.after.layout])
    return next(((call, slot) for call, slot in slots if slot.history), None)


@check(
    id="no-autograd-history",
    level=MUST,
    requirement="No buffer of a PyTorch module requires a gradient or holds on to the computation that made it.",
    remedy="Update in place under `torch.no_grad()`, or with `copy_` of a detached mean.",
    wrong="self.mean = momentum * self.mean + (1 - momentum) * (batch * self.weight).mean(0)",
    right="with torch.no_grad():\n    self.mean.mul_(momentum).add_((1 - momentum) * batch.mean(0))",
    needs=(unless(_history, returned, _OF_TORCH),),
)
def no_autograd_history(_: Case, reading: MeanReading) -> Judgement:
    if not (history := _history(reading)):
        return None
    call, slot = history
    what = f"after a step `{slot.path}` holds on to the computation that made it"
    cause = "each step keeps the graph of the one before it alive, so memory grows with steps"
    return Violation(what, "no autograd history", "a tensor that requires a gradient", line=call.line, cause=cause)


@check(
    id=WRAPPER,
    level=MUST,
    requirement="Every attribute that held a Variable still holds one.",
    remedy="Write to the contents, `self.mean.value = ...`.",
    wrong="self.mean = momentum * self.mean + (1 - momentum) * batch.mean(0)",
    right="self.mean.value = momentum * self.mean.value + (1 - momentum) * batch.mean(0)",
    needs=(unless(lambda reading: reading.loss, _OF_NNX, judgeable),),
    claims=lambda _, reading: claims.wrappers(reading.clear),
)
def wrapper_kept(_: Case, reading: MeanReading) -> Judgement:
    return wrapper_lost(reading.clear, reading.loss) if reading.loss else None
