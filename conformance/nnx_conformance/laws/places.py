"""The laws of where state lives: in the Variables of one module, and nowhere else."""

from __future__ import annotations

from nnx_conformance.case import Case
from nnx_conformance.contract import CORE, MUST, Blocked, Check, Judgement, NotApplicable, Violation, check
from nnx_conformance.laws.agreements import CALLS, compared
from nnx_conformance.laws.differences import HIDDEN, text
from nnx_conformance.laws.seen import Leaf, Observation


@check(
    id="instances-independent",
    level=MUST,
    requirement="Two modules made by the same factory share no Variable, at class level or otherwise.",
    remedy="Make every Variable in `__init__`, for this instance.",
    wrong="class Counter(nnx.Module):\n    count = nnx.Variable(jnp.zeros(()))  # one for all instances",
    right="def __init__(self, rngs):\n    self.count = nnx.Variable(jnp.zeros(()))",
    domain="instances-independent",
    others=(CORE,),
)
def instances_independent(case: Case, seen: Observation) -> Judgement:
    for at, step in enumerate(seen.steps):
        if step.shared:
            what = f"two modules of one factory share the Variable {', '.join(f'`{one}`' for one in step.shared[:3])}"
            return Violation(what, "a Variable of its own for each", "one for both")
        for pair in step.pairs:
            if pair.law == "instances-independent" and not step.skipped:
                what = f"in step {at + 1}, a call of one module changed another of the same factory"
                if found := _changed(pair.wanted.state, pair.got.state):
                    return Violation(f"{what}: `{found[0]}`", found[1], found[2])
    judged = any(step.operation == "pair" and not step.skipped and not step.twin.raised for step in seen.steps)
    return None if judged else _unjudged(seen)


def _changed(before: tuple[Leaf, ...], after: tuple[Leaf, ...]) -> tuple[str, str, str] | None:
    held = {leaf.path: leaf for leaf in before}
    for leaf in after:
        was = held.get(leaf.path)
        if leaf.state and (was is None or text(was) != text(leaf)):
            return leaf.path, text(was), text(leaf)
    return None


def _unjudged(seen: Observation) -> Judgement:
    if any(step.twin.raised for step in seen.steps):
        return Blocked(CALLS)
    return NotApplicable(seen.skipped or "no step of it was drawn")


@check(
    id="input-untouched",
    level=MUST,
    requirement="The inputs of a call are neither changed nor donated.",
    remedy="Copy before editing in place, `x = np.array(x)`, and donate nothing that the caller owns.",
    wrong="x -= x.mean()  # edits the caller's NumPy array",
    right="x = x - x.mean()",
    domain="input-untouched",
    others=(CORE,),
)
def input_untouched(case: Case, seen: Observation) -> Judgement:
    for at, step in enumerate(seen.steps):
        if step.touched:
            what = f"in step {at + 1}, `{step.operation}`, {step.touched[0]}"
            return Violation(what, "the input as it was", "another")
    ran = any(not step.skipped and not step.twin.raised for step in seen.steps)
    return None if ran else _unjudged(seen)


NO_HIDDEN = compared(
    HIDDEN,
    "Nothing that the behaviour depends on lives outside the Variables: in Python numbers, lists, closures, classes.",
    "Hold it in a Variable that is an attribute of the module.",
    "self.calls += 1\nreturn x * (self.calls < 10)",
    "self.calls[...] = self.calls[...] + 1\nreturn x * (self.calls[...] < 10)",
)

CHECKS: tuple[Check, ...] = (instances_independent, input_untouched, NO_HIDDEN)
