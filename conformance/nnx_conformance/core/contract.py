"""Contracts and their checks, as data. A check holds its requirement and the pure function that judges it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Literal, NamedTuple

from nnx_conformance.core.candidate.loaded import End
from nnx_conformance.core.case import Case
from nnx_conformance.core.claim import Claim
from nnx_conformance.core.errors import Misuse, expected, suggestion
from nnx_conformance.core.facts import Line
from nnx_conformance.core.observer import FUNCTIONS, Observer
from nnx_conformance.core.plan import Probe, Request
from nnx_conformance.core.search.domain import Domain
from nnx_conformance.core.search.exploration import Exploration
from nnx_conformance.core.timeline import Timeline

Level = Literal["MUST", "SHOULD"]
MUST: Level = "MUST"
SHOULD: Level = "SHOULD"

CORE = "core"


@dataclass(frozen=True)
class Violation:
    """The case breaks the check.

    Attributes:
        what: what happened, in one line.
        expected, observed: the values, as text; empty if `what` says it all.
        line: where in the candidate.
        cause: why, in one line.
        remedy: how to fix it; empty for the check's own remedy.
        because: the ids of checks that may have caused this violation; it follows from the first that is violated.
        evidence: what shows the violation, as a member of the contract's own enum; it selects the script.
        end: how the candidate's process ended on the case; None if it answered.
        condition: the condition of the source that the case needs to break the check; empty if none is known.
    """

    what: str
    expected: str = ""
    observed: str = ""
    line: Line | None = None
    cause: str = ""
    remedy: str = ""
    because: tuple[str, ...] = ()
    evidence: Enum | None = None
    end: End | None = None
    condition: str = ""


@dataclass(frozen=True)
class Blocked:
    """The case cannot show whether the check holds, because it breaks the check `by`."""

    by: str


@dataclass(frozen=True)
class NotApplicable:
    """The check does not apply to this case, or to this kind of candidate; `reason` says why, in one line."""

    reason: str


@dataclass(frozen=True)
class Unseen:
    """The check applies, but this case does not show whether it holds. If no case does, there is no verdict.

    Attributes:
        reason: why, in one line without a full stop.
        remedy: how to write the candidate so that it can be judged; may be empty.
    """

    reason: str
    remedy: str = ""


#: Why a check cannot be judged on a case; None if it can.
Unmet = Blocked | NotApplicable | Unseen | None
#: The result of a check on a case; None if it holds.
Judgement = Violation | Unmet
#: Makes the reading of a case from its facts.
Read = Callable[[Case, Any], Any]
#: Judges a case by its reading.
Judge = Callable[[Case, Any], Judgement]
#: Says why a reading lacks what a check needs; None if it has it.
Need = Callable[[Any], Unmet]
#: Makes the claims of a check from case and reading; none if the check compares nothing on this case.
Claims = Callable[[Case, Any], Iterable[Claim]]
#: The inputs for which a case proves that the check holds, such as `float32[2,3]`; none if it proves nothing.
Proves = Callable[[Case, Any], Iterable[str]]
#: Writes a script from case, reading, the id of the check and its violation.
Script = Callable[[Case, Any, str, Violation], str]


@dataclass(frozen=True)
class Check:
    """One requirement of a contract.

    Attributes:
        id: stable, kebab-case, public.
        level: `MUST` decides the verdict, `SHOULD` is advice (and decides it under `--strict`).
        requirement: what holds, in one sentence.
        remedy: how to fix a violation.
        judge: a pure function of case and reading that says what is wrong; called only if every need is met.
        wrong, right: a few lines of code that break it, and that keep it.
        domain: the part of the inputs on which it is judged.
        others: further parts on which it is judged.
        probes: the runs that it needs besides the plain one.
        needs: what the reading must have; the first unmet need says why the check cannot be judged.
        because: the ids of checks that may cause any of its violations, after those that a violation names itself.
        claims: everything that it compares. If all claims hold, the check holds, and `judge` is not called. chex
            asserts them over all cases together. None for a check that compares nothing, such as whether a call ran.
        proves: the inputs for which a case proves the check; None for a check that no case can prove.
        since: the version of its contract that introduced it; settings may pin an earlier one.
    """

    id: str
    level: Level
    requirement: str
    remedy: str
    judge: Judge
    wrong: str
    right: str
    domain: str = CORE
    probes: tuple[Probe, ...] = ()
    others: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    because: tuple[str, ...] = ()
    claims: Claims | None = None
    proves: Proves | None = None
    since: str = "1"

    @property
    def domains(self) -> tuple[str, ...]:
        """All parts of the inputs on which it is judged."""
        return (self.domain, *self.others)

    def applies(self, request: Request) -> bool:
        """Whether the check can be judged on what this request asks."""
        return request.case.domain in self.domains and set(self.probes) <= set(request.plan.probes)

    def reworded(self, *, remedy: str, wrong: str, right: str, because: tuple[str, ...] = ()) -> Check:
        """The same check for another exercise: its remedy and examples, and what its violations follow from there."""
        return replace(self, remedy=remedy, wrong=wrong, right=right, because=because)


def check(
    *,
    id: str,
    level: Level,
    requirement: str,
    remedy: str,
    wrong: str,
    right: str,
    domain: str = CORE,
    probes: tuple[Probe, ...] = (),
    others: tuple[str, ...] = (),
    needs: tuple[Need, ...] = (),
    claims: Claims | None = None,
    since: str = "1",
) -> Callable[[Judge], Check]:
    """Turn the function below into the `judge` of a check."""

    def decorate(judge: Judge) -> Check:
        texts = (id, level, requirement, remedy, judge, wrong, right)
        return Check(*texts, domain, probes, others, needs, claims=claims, since=since)

    return decorate


def unmet(needs: Iterable[Need], reading: Any) -> Unmet:
    """Why the reading does not meet the first of its unmet needs; None if it meets all."""
    return next((why for need in needs if (why := need(reading)) is not None), None)


class Judged(NamedTuple):
    """The judgement of a check on a case, the claims that it made, and the inputs for which they prove the check."""

    judgement: Judgement
    claims: tuple[Claim, ...] = ()
    proved: tuple[str, ...] = ()

    @property
    def violated(self) -> bool:
        """Whether the case breaks the check."""
        return isinstance(self.judgement, Violation)


def judged(check: Check, case: Case, reading: Any) -> Judged:
    """Judge a case by a check: first its needs, then its claims, and `judge` only if a claim fails or there is none."""
    if (why := unmet(check.needs, reading)) is not None:
        return Judged(why)
    claims = tuple(check.claims(case, reading)) if check.claims else ()
    proved = tuple(check.proves(case, reading)) if check.proves else ()
    if claims and all(claim.holds() for claim in claims):
        return Judged(None, claims, proved)
    judgement = check.judge(case, reading)
    if isinstance(judgement, Violation) and check.because:
        judgement = replace(judgement, because=(*judgement.because, *check.because))
    return Judged(judgement, claims, proved if judgement is None else ())


def judgement(check: Check, case: Case, reading: Any) -> Judgement:
    """The judgement of a check on a case, without its claims."""
    return judged(check, case, reading).judgement


def the_facts(_: Case, facts: Any) -> Any:
    """The facts themselves, as the reading of a contract with simple checks."""
    return facts


def numbers(version: str) -> tuple[int, ...]:
    """A version to compare by: "1.10" is later than "1.9"; what is no number counts as none."""
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


@dataclass(frozen=True)
class Contract:
    """A named promise: how cases are drawn, and the checks.

    Attributes:
        name, title: its name, and what it promises in one sentence.
        version: the version of its meaning.
        entry: the name that a candidate's function should have.
        parameters: that function's parameters, by position.
        calls: how many calls of a module a case asks for.
        fallback: the check that a candidate breaks if it does not return at all.
        history: the check that a candidate breaks if repeating a case gives another result.
        control: the target of a right candidate; if it fails too, the kit is at fault.
        timeline: makes the picture of a finding from the reading of its case; None for no pictures.
        script: writes a complete Python script that shows a finding, or an empty text; None for no scripts.
        catalogue: the dotted name of the package whose folder holds `right/` and `mutants/`, one implementation a file;
            empty for none. `nnx_conformance.audit.catalogue` reads it without importing it.
        observer: how its candidates are loaded and observed; by default as functions that use NNX modules.
        exploration: how `explore` searches its core; None if a case is no sequence of operations.
        read: makes the reading of a case from its facts, once for all checks.
        smaller: yields a case's reductions, each without one of its parts, smallest first; None to let Hypothesis
            shrink.
        imports: whether a candidate that cannot be imported breaks the contract; otherwise it could not be judged.
    """

    name: str
    title: str
    version: str
    entry: str
    parameters: tuple[str, ...]
    domains: tuple[Domain, ...]
    checks: tuple[Check, ...]
    calls: Callable[[Case], int]
    fallback: str
    history: str
    control: str
    timeline: Callable[[Case, Any], Timeline | None] | None = None
    script: Script | None = None
    catalogue: str = ""
    observer: Observer = FUNCTIONS
    exploration: Exploration | None = None
    read: Read = the_facts
    smaller: Callable[[Case], Iterable[Case]] | None = None
    imports: bool = True
    by_id: dict[str, Check] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {check.id: check for check in self.checks})
        if len(self.by_id) != len(self.checks):
            raise Misuse(f"Contract {self.name!r} has two checks of one id. Give each its own.")
        for check in self.checks:
            if numbers(check.since) > numbers(self.version):
                fix = f"Raise the contract's version from {self.version!r}."
                raise expected("no check newer than its contract", f"{check.id}.since", check.since, fix)

    def check(self, check_id: str) -> Check:
        """A check by its id.

        Raises:
            Misuse: if there is none.
        """
        if check_id not in self.by_id:
            fix = suggestion(check_id, self.by_id)
            raise expected(f"the id of a check of contract {self.name!r}", "check", check_id, fix)
        return self.by_id[check_id]
