"""The laws that give advice: precise state, trained Params, right gradients, readable modules, current Flax."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from nnx_conformance.contracts.module_laws.evidence import Drift, Slope
from nnx_conformance.contracts.module_laws.laws.agreements import agreement, agreement_claims
from nnx_conformance.contracts.module_laws.laws.law import (
    NO_CALL,
    Evidence,
    carried_out,
    declares_not,
    law,
    skipped,
)
from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading, changed
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim, another, same_numbers
from nnx_conformance.core.contract import SHOULD, Check, Judgement, NotApplicable, Violation
from nnx_conformance.core.plain_text import short

DEPRECATIONS = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")
#: The digits of numbers in messages, as few as make two differ; the first integer beyond int32.
DIGITS, WHOLE = (6, 9, 12, 17), 2.0**31
#: The allowed relative difference between a derivative and a measured slope.
SLACK = 0.1


def _going_on(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    """The claims that one more call still changes a number near the end of the horizon, and wraps no integer."""
    for drift in _drifts(reading):
        if _integer(drift):
            yield same_numbers(_wraps(drift), False)
        else:
            yield same_numbers([math.isfinite(drift.near), math.isfinite(drift.after)], True)
            yield another(drift.after, drift.near)


def _drifts(reading: ProgramReading) -> Iterator[Drift]:
    """The drifts of the program."""
    steps = (step for step in reading.facts.steps if step.operation == "endure" and not step.skipped)
    return (drift for step in steps for drift in step.drifts)


@law(
    id="state-precision",
    level=SHOULD,
    core=False,
    requirement="State does not stall or overflow in its dtype within the horizon that the subject declares.",
    remedy="Count in int32 or float32, whatever the dtype of the computation, or declare the `horizon` that is needed.",
    wrong="self.count = nnx.Variable(jnp.zeros((), jnp.bfloat16))  # stops at 256",
    right="self.count = nnx.Variable(jnp.zeros((), jnp.int32))",
    needs=(carried_out,),
    claims=_going_on,
)
def state_precision(case: Case, reading: ProgramReading) -> Judgement:
    steps = reading.facts.steps
    if not any(step.operation == "endure" and not step.skipped for step in steps):
        return NotApplicable(next((step.skipped for step in steps if step.skipped), "its state was not followed"))
    for drift in _drifts(reading):
        if failure := _failure(drift):
            moves = f"moves by {drift.amount:g} with {'some calls' if drift.seldom else 'each call'}"
            what = f"`{drift.path}` {moves}, and {failure}, as {drift.dtype}"
            values, line = _values(drift), drift.line or reading.line(drift.path)
            return Violation(what, *values, line, remedy=_remedy(drift), evidence=Evidence.KIT)
    return None


def _values(drift: Drift) -> tuple[str, str]:
    """The expected and the actual value after a call, in as few digits as make them differ."""
    wanted = drift.near + drift.amount
    pairs = ((f"{wanted:.{digits}g}", f"{drift.after:.{digits}g}") for digits in DIGITS)
    return next((pair for pair in pairs if pair[0] != pair[1]), (f"more than {drift.after:g}", f"{drift.after:g}"))


def _remedy(drift: Drift) -> str:
    """The remedy for state that is already as wide as the check's own remedy makes it; otherwise empty."""
    if drift.dtype in ("int32", "uint32", "int64", "uint64"):
        return f"Start over, or stop, before {drift.dtype} is full, or declare the `horizon` that is needed."
    if drift.dtype not in ("float32", "float64"):
        return ""
    if drift.amount.is_integer() and abs(drift.near + drift.amount) < WHOLE:
        return f"Count in int32, which still counts where {drift.dtype} stops, or declare the `horizon` that is needed."
    wider = "Keep a mean in place of a sum, or carry what rounding loses in a second Variable"
    return f"{wider}, or declare the `horizon` that is needed."


def _failure(drift: Drift) -> str:
    """How a number fails near the end of the horizon; empty if it does not."""
    if _integer(drift):
        return f"wraps around after {drift.calls:g} calls" if _wraps(drift) else ""
    if not math.isfinite(drift.near) or not math.isfinite(drift.after):
        return f"overflows after {drift.calls:g} calls"
    return f"stops at {drift.near:g}" if drift.after == drift.near else ""


def _integer(drift: Drift) -> bool:
    return drift.dtype.startswith(("int", "uint"))


def _wraps(drift: Drift) -> bool:
    """Whether one more call wrapped an integer around, upwards or downwards."""
    whole = 2.0 ** int("".join(filter(str.isdigit, drift.dtype)))
    return math.isclose(abs(drift.near + drift.amount - drift.after), whole)


@law(
    id="current-access",
    level=SHOULD,
    requirement="The module uses nothing that the installed Flax deprecates.",
    remedy="Do what the warning says; from Flax 0.12 on, `self.count[...]`, `get_value` or `set_value` instead of "
    "`.value`.",
    wrong="self.count.value += 1  # deprecated from Flax 0.12 on",
    right="self.count[...] += 1",
)
def current_access(case: Case, reading: ProgramReading) -> Judgement:
    facts = reading.facts
    for warned in (*facts.warnings, *(warned for step in facts.steps for warned in step.warnings)):
        if warned.category in DEPRECATIONS:
            what = f"{warned.category}: {short(warned.message)}"
            values = "no deprecated access", warned.category
            remedy = "" if ".value" in warned.message else "Do what the warning says."
            return Violation(what, *values, line=warned.line, remedy=remedy, evidence=Evidence.KIT)
    return carried_out(reading) or (None if any(not step.skipped for step in facts.steps) else NO_CALL)


@law(
    id="param-trained",
    level=SHOULD,
    core=False,
    requirement="A gradient of some output depends on each Param that a call uses.",
    remedy="Keep a constant in another kind of Variable, `self.table = nnx.Variable(table)`, or leave it out of what "
    "the optimiser takes, its `wrt`.",
    wrong="self.table = nnx.Param(table)  # read through `stop_gradient`; weight decay shrinks it",
    right="self.table = nnx.Variable(table)",
    needs=(carried_out,),
)
def param_trained(case: Case, reading: ProgramReading) -> Judgement:
    steps = [step for step in reading.facts.steps if step.operation == "derive"]
    known = [step for step in steps if not (step.skipped or step.untraced)]
    if not known:
        return NotApplicable(next((step.skipped or step.untraced for step in steps), "no step of it was drawn"))
    if not any(leaf.param for step in known for leaf in step.twin.state):
        return NotApplicable("it has no nnx.Param")
    moved = {path for move in reading.calls for path, old, new in move.both() if changed(old, new)}
    everywhere = [path for path in known[0].untrained if all(path in step.untrained for step in known)]
    untrained = [path for path in everywhere if path not in moved]
    if not untrained:
        return None
    more = f" and of {len(untrained) - 1} more Params" if len(untrained) > 1 else ""
    path = untrained[0]
    what = f"calls use the Param `{path}`, and the gradient of no output depends on it{more}"
    cause = "an optimiser trains nothing there, and its weight decay still shrinks it"
    name, kind = path.rpartition(".")[2], "nnx.Variable"
    remedy = (
        f"Keep it in another kind of Variable, `self.{name} = {kind}(...)`, or leave it out of the optimiser's `wrt`."
    )
    return Violation(what, "a gradient", "none", None, cause, remedy, evidence=Evidence.NAMED)


@law(
    id="gradients-agree",
    level=SHOULD,
    core=False,
    requirement="The gradient of each float32 Param is finite, and is the slope that finite differences measure; calls "
    "with a gradient of their own are left out.",
    remedy="Keep what has no derivative out of the branch that is not taken, `jnp.sqrt(jnp.where(s > 0, s, 1.0))`; or "
    "declare `stops_gradient`.",
    wrong="norm = jnp.where(s > 0, jnp.sqrt(s), 0.0)  # at s == 0, the gradient is NaN",
    right="norm = jnp.where(s > 0, jnp.sqrt(jnp.where(s > 0, s, 1.0)), 0.0)",
    needs=(carried_out, declares_not("stops_gradient", "it stops gradients on purpose")),
)
def gradients_agree(case: Case, reading: ProgramReading) -> Judgement:
    steps = [step for step in reading.facts.steps if step.operation == "slopes" and step.returned]
    for slope in (slope for step in steps for slope in step.slopes):
        if wrong := _unlike(slope):
            what = f"the gradient of `{slope.path}` {wrong}"
            return Violation(what, f"{slope.measured[1]:.4g}", f"{slope.derivative:.4g}", evidence=Evidence.KIT)
    if any(not step.undecided for step in steps):
        return None
    return NotApplicable(next((step.undecided for step in steps), "")) if steps else skipped(reading)


def _unlike(slope: Slope) -> str:
    """How a derivative differs from the measured slope; empty if it agrees, or the differences do not."""
    whole, half, ahead, back = slope.measured
    if not all(map(math.isfinite, slope.measured)):
        return ""
    if not math.isfinite(slope.derivative):
        return "is not finite, where the outputs and their slope are"
    bound = SLACK * max(abs(half), abs(slope.derivative)) + slope.noise
    smooth = abs(whole - half) <= bound / 2 and abs(ahead - back) <= bound
    return "is not the slope that finite differences measure" if smooth and abs(slope.derivative - half) > bound else ""


def _refused(_: Case, reading: ProgramReading) -> Iterator[Claim]:
    refused = tuple(refusal.name for step in reading.facts.steps for refusal in step.refusals)
    yield Claim(refused, ())


@law(
    id="represents",
    level=SHOULD,
    core=False,
    requirement="`repr`, `str`, `nnx.display` and `nnx.tabulate` show the module, and change nothing.",
    remedy="Let `__repr__` and properties read what is there, and write nothing.",
    wrong="def __repr__(self):\n    return f'{self.count[...].item():d}'  # in nnx.tabulate, a tracer",
    right="def __repr__(self):\n    return f'Counter({self.limit})'",
    needs=(carried_out,),
    claims=agreement_claims("represents", _refused),
)
def represents(case: Case, reading: ProgramReading) -> Judgement:
    for step in reading.facts.steps:
        for refusal in step.refusals:
            what = f"`{refusal.name}` raised {refusal.raised.type}: {short(refusal.raised.message)}"
            return Violation(what, "text", refusal.raised.type, line=refusal.raised.line, evidence=Evidence.KIT)
    judged = agreement("represents")(case, reading)
    return replace(judged, evidence=Evidence.KIT) if isinstance(judged, Violation) else judged


CHECKS: tuple[Check, ...] = (state_precision, param_trained, gradients_agree, represents, current_access)
