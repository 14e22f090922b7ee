"""How a law is declared: its check, its needs, and the evidence of its violations."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from nnx_conformance.contracts.module_laws.laws.reading import ProgramReading
from nnx_conformance.core.contract import CORE, MUST, Check, Claims, Judge, Level, Need, NotApplicable, Proves


class Evidence(Enum):
    """The evidence of a violation other than the comparison of subject and twin; it decides the finding's script."""

    START = "the two modules differ before the first step"
    STATE = "the state before and after a call"
    NAMED = "one Variable that the violation names: a call does not change it, or no output has a gradient by it"
    KIT = "what no script shows: many programs, or something that only the kit has access to"


def law(
    *,
    id: str,
    requirement: str,
    remedy: str,
    wrong: str,
    right: str,
    needs: tuple[Need, ...] = (),
    level: Level = MUST,
    core: bool = True,
    claims: Claims | None = None,
    proves: Proves | None = None,
    since: str = "1",
) -> Callable[[Judge], Check]:
    """Decorates a judge as a check, which is judged on its own programs and, if `core`, on drawn programs too."""
    others = (CORE,) if core else ()
    texts = (id, level, requirement, remedy)
    compared: dict[str, Any] = {"claims": claims, "proves": proves, "since": since}
    return lambda judge: Check(*texts, judge, wrong, right, id, (), others, needs, **compared)


NO_CALL = NotApplicable("no call of it was made")


def carried_out(reading: ProgramReading) -> NotApplicable | None:
    """The need that the installed Flax can run the program."""
    return NotApplicable(reading.facts.skipped) if reading.facts.skipped else None


def skipped(reading: ProgramReading) -> NotApplicable:
    """Why the step that a law judges did not run."""
    reasons = (step.skipped for step in reading.facts.steps if step.skipped)
    return NotApplicable(next(reasons, "a call before it raised"))


def has_steps(reading: ProgramReading) -> NotApplicable | None:
    """The need that the program ran a step."""
    return None if reading.facts.steps else NO_CALL


def was_called(reading: ProgramReading) -> NotApplicable | None:
    """The need that a plain call returned."""
    return None if reading.calls else NO_CALL


def declares(trait: str, otherwise: str) -> Need:
    """The need that the subject declares a trait."""
    return lambda reading: None if reading.facts.declares(trait) else NotApplicable(otherwise)


def declares_not(trait: str, otherwise: str) -> Need:
    """The need that the subject does not declare a trait."""
    return lambda reading: NotApplicable(otherwise) if reading.facts.declares(trait) else None


NOT_GROWING = declares_not("grows", "it grows state on purpose")
NOT_REWRITING = declares_not("rewrites_param", "it rewrites a Param on purpose")
RANDOM = declares("draws_randomness", "it declares no randomness")
