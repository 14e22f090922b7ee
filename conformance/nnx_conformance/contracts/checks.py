"""The checks that all contracts on functions share; each contract adds its own remedy and examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from nnx_conformance.contracts import blame, claims
from nnx_conformance.contracts.reading import FRESH, Loss, Reading, returned, returned_once, unless
from nnx_conformance.contracts.wording import value_text
from nnx_conformance.core.case import Case, array_text
from nnx_conformance.core.claim import Claim
from nnx_conformance.core.contract import MUST, SHOULD, Check, Judgement, Violation, check, judged
from nnx_conformance.core.facts import Facts, Raised, Run, Slot, Value, Warned
from nnx_conformance.core.plain_text import short
from nnx_conformance.core.plan import AGAIN
from nnx_conformance.core.trail import ChangeKind

RAISED = "Fix what raises; the smallest case shows it, and `replay` tries it again."
CHANCE = "Draw from nothing but the keys of `nnx.Rngs(int(seed))`."
UNKNOWN = (
    "something outlives the call (a model or list at module or class level, a default argument, a cache), or the "
    "result depends on chance or time"
)
DEPRECATIONS = ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning")


def fresh_state(*, remedy: str, wrong: str, right: str) -> Check:
    """The check that no state outlives a call of the candidate."""
    return check(
        id=FRESH,
        level=MUST,
        requirement="The same case gives the same result again, whatever ran before: no state outlives the call.",
        remedy=remedy,
        wrong=wrong,
        right=right,
        probes=(AGAIN,),
        needs=(returned_once,),
        claims=claims.same_results,
    )(_repeated)


def _repeated(_: Case, reading: Reading) -> Judgement:
    first, second = reading.run, reading.facts.again
    assert second is not None
    then, now = _outcome_text(first.result, first.raised), _outcome_text(second.result, second.raised)
    what = f"the same case gave {then}, and run again {now}"
    if keeper := blame.keeper(first):
        cause = f"{keeper.name} outlives the call, which changes it ({keeper.line})"
        return Violation(what, then, now, line=keeper.home or keeper.line, cause=cause)
    if drawn := next(blame.changes(first, ChangeKind.CHANCE), None):
        cause = f"`{drawn.name}` draws the result, and its generator keeps its state between calls"
        return Violation(what, then, now, line=drawn.line, cause=cause, remedy=CHANCE)
    line = second.raised.line if second.raised else blame.returned(first)
    return Violation(what, then, now, line=line, cause=UNKNOWN)


def _raised_text(raised: Raised) -> str:
    """The type of an exception and the first line of its message."""
    message = short(raised.message.strip().partition("\n")[0])
    return f"{raised.type}: {message}" if message else raised.type


def _outcome_text(result: Value | None, raised: Raised | None) -> str:
    return _raised_text(raised) if raised else value_text(result)


def input_untouched(name: str, *, requirement: str, remedy: str, wrong: str, right: str) -> Check:
    """The check that the call neither deletes nor changes the argument of this name."""

    def untouched(case: Case, reading: Reading) -> Judgement:
        argument = next(argument for argument in reading.run.arguments if argument.name == name)
        line = blame.changed_argument(reading.run, name)
        if not argument.alive:
            cause = "its buffer was given away (`donate_argnums`) or freed (`x.delete()`); no one can use it again"
            what = f"{name} was deleted or donated by the call"
            return Violation(what, f"{name} alive", f"{name} deleted", line=line, cause=cause)
        before, after = array_text(case[name]), array_text(argument.array) if argument.array is not None else "nothing"
        what = f"{name} was {before} and is {after} after the call"
        return Violation(what, before, after, line=line, cause="something wrote into the buffer of the argument")

    return check(
        id="input-untouched",
        level=MUST,
        requirement=requirement,
        remedy=remedy,
        wrong=wrong,
        right=right,
        claims=claims.argument_untouched(name),
    )(untouched)


@check(
    id="quiet",
    level=SHOULD,
    requirement="The candidate writes nothing to stdout or stderr.",
    remedy="Take the prints out, or put them under `if __name__ == '__main__':`.",
    wrong='print("count", model.count.value)',
    right="# no output",
)
def quiet(_: Case, reading: Reading) -> Judgement:  # noqa: D103 - its requirement says it
    output = reading.facts.output
    if not output:
        return None
    first = output.strip().splitlines()[0][:80] if output.strip() else repr(output[:20])
    return Violation(f"the candidate wrote: {first}", "no output", "output")


def current_access(*, remedy: str, wrong: str, right: str) -> Check:
    """The check that the candidate uses nothing that the installed Flax deprecates."""
    return check(
        id="current-access",
        level=SHOULD,
        requirement="The candidate uses nothing that the installed Flax deprecates.",
        remedy=remedy,
        wrong=wrong,
        right=right,
        needs=(unless(_deprecated, returned),),
    )(_deprecated_access)


def _deprecated(reading: Reading) -> Warned | None:
    by_flax = (warned for warned in reading.run.warnings if warned.by == "flax" and warned.category in DEPRECATIONS)
    return next(by_flax, None)


def _deprecated_access(_: Case, reading: Reading) -> Judgement:
    if not (warned := _deprecated(reading)):
        return None
    what = f"{warned.category}: {short(warned.message)}"
    remedy = "" if ".value" in warned.message else "Do what the warning says."
    return Violation(what, "no deprecated access", warned.category, line=warned.line, remedy=remedy)


def edge(
    name: str,
    invariants: Iterable[Check],
    *,
    requirement: str,
    remedy: str,
    wrong: str,
    right: str,
    fits: tuple[str, ...] = (),
    remedies: Mapping[str, str] = MappingProxyType({}),
) -> Check:
    """The check that the invariants hold on a part of the edge domain.

    Args:
        name: the id of the check, and the name of that part.
        invariants: the checks that must hold there.
        requirement, remedy, wrong, right: as in `check`.
        fits: the types of exceptions, and the ids of invariants, that the remedy fixes; all of them if empty.
        remedies: remedies for others, by type or id. Without one, a raised exception gets a generic remedy, and a
            violated invariant its own.
    """
    invariants = tuple(invariants)

    def fix(reading: Any, invariant: Check, violation: Violation) -> str:
        raised = reading.run.raised
        key = raised.type if raised else invariant.id
        if key in remedies or not fits or key in fits:
            return remedies.get(key, "")
        if raised is None:
            return violation.remedy or invariant.remedy
        return f"Let this case pass `{raised.line.source}`." if raised.line else RAISED

    def hold(case: Case, reading: Any) -> Judgement:
        for invariant in invariants:
            violation = judged(invariant, case, reading).judgement
            if isinstance(violation, Violation):
                # If the core domain violates the invariant too, this is only its consequence.
                because = (invariant.id, *violation.because)
                what = f"{invariant.id}: {violation.what}"
                texts = (what, violation.expected, violation.observed)
                remedy = fix(reading, invariant, violation)
                return Violation(*texts, violation.line, violation.cause, remedy, because=because)
        return returned(reading)

    def compared(case: Case, reading: Any) -> tuple[Claim, ...]:
        results = [judged(invariant, case, reading) for invariant in invariants]
        violated = [result.claims for result in results if result.violated]
        if not all(violated) or (returned(reading) and not violated):
            return ()  # no claim would show the fault
        return tuple(
            claim for result in results if result.judgement is None or result.violated for claim in result.claims
        )

    texts = (requirement, remedy, hold, wrong, right)
    return Check(name, SHOULD, *texts, domain=name, claims=compared)


def wrapper_lost(run: Run, loss: Loss, *, moment: str = "") -> Violation:
    """The violation of a lost wrapper; `moment` says when, as the beginning of a sentence."""
    element = loss.target.endswith("]") or loss.target.rpartition(".")[2].isdigit()
    return Violation(
        f"{moment}`{loss.target}` went from {loss.before} to {loss.after}",
        loss.before,
        loss.after,
        line=blame.replaced_at(run, loss.target, loss.before, loss.after) or loss.line,
        cause=f"assigning to the {'element' if element else 'attribute'} replaces the Variable, not its contents",
    )


def count_in_param(slot: Slot, **more: Any) -> Violation:
    """The violation of a count that sits in an `nnx.Param`."""
    what = f"the count sits in `{slot.path}`, of type {slot.type}"
    return Violation(what, "a Variable that is no nnx.Param", slot.type, **more)


def exception(raised: Raised, expected: str, *, most: int = 300, **more: Any) -> Violation:
    """The violation of a run that raised, with `most` characters of the first line of the message."""
    message = short(raised.message.strip().partition("\n")[0], most)
    return Violation(f"the candidate raised {raised.type}: {message}", expected, raised.type, line=raised.line, **more)


def another_framework(facts: Facts) -> Violation:
    """The violation of a candidate that makes a module of another framework, and none of NNX."""
    foreign = facts.foreign
    return Violation(
        f"the call created a {foreign}, and this contract is about Flax NNX",
        "an nnx.Module",
        foreign,
        line=next((module.line for module in facts.run.modules), None) or blame.returned(facts.run),
        cause="this contract cannot read another framework's state",
    )
