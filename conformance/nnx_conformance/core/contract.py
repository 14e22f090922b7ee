"""Contracts and checks: data, with one small pure function each; promise and judgement stand in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

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

if TYPE_CHECKING:
    pass

Level = Literal["MUST", "SHOULD"]
MUST: Level = "MUST"
SHOULD: Level = "SHOULD"

CORE = "core"


@dataclass(frozen=True)
class Violation:
    """The case breaks the check.

    Attributes:
        what: what happened, in one line.
        expected, observed: the values, as text; empty where `what` says it all.
        line: where in the candidate.
        cause: why, in one line.
        remedy: how to fix it, where that is another than the check's.
        because: the ids of other checks; this violation follows from the first of them that is violated, too.
        evidence: what shows it, by a kind of the contract's own; its script is chosen by it.
        end: how the candidate's process ended on the case; None if it answered.
        condition: the condition of the source without which the case would not break it; empty if none is known.
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
    """The check cannot be judged on this case, because the case breaks another one."""

    by: str


@dataclass(frozen=True)
class NotApplicable:
    """The check does not apply to this case, or to this kind of candidate; `reason` says why, in one line."""

    reason: str


@dataclass(frozen=True)
class Unseen:
    """The check applies, and this case does not show what it asks. If no case does, there is no verdict.

    Attributes:
        reason: why, in one line without a full stop.
        remedy: how to write the candidate so that it can be judged; may be empty.
    """

    reason: str
    remedy: str = ""


#: Why a check cannot be judged on a case; None: it can.
Unmet = Blocked | NotApplicable | Unseen | None
#: What a check says of a case; None: it holds.
Judgement = Violation | Unmet
#: A reading is what the contract's `read` makes of the facts of a case.
Judge = Callable[[Case, Any], Judgement]
#: Of a reading: None if it holds what a check needs, or why the check cannot be judged without.
Need = Callable[[Any], Unmet]
Read = Callable[[Case, Any], Any]
#: What a check compares on a case; nothing where it asks something else of it.
Claims = Callable[[Case, Any], Iterable[Claim]]
#: For which values of its inputs a case proves that a check holds, such as `float32[2,3]`; nothing where it does not.
Proves = Callable[[Case, Any], Iterable[str]]
#: From case, reading, the id of the check and its violation.
Script = Callable[[Case, Any, str, Violation], str]


@dataclass(frozen=True)
class Check:
    """One requirement of a contract.

    Attributes:
        id: stable, kebab-case, public.
        level: `MUST` decides the verdict, `SHOULD` is advice (and decides it under `--strict`).
        requirement: what holds, in one sentence.
        remedy: how to fix a violation.
        judge: a pure function of case and reading that says what is wrong, called where the case has every need.
        wrong, right: a few lines of code that break and keep it.
        domain: the part of the inputs on which it is judged.
        others: further parts on which it is judged too.
        probes: the further runs that it needs besides the plain one.
        needs: what the reading must hold; the first that is unmet says why the check cannot be judged.
        because: the ids of other checks; each violation follows from them too, after those that it names itself.
        claims: what it compares, all of it: where that holds the check holds, and `judge` is not called. chex asserts
            it over all cases together. None for a check that compares nothing, but asks whether something was done.
        proves: for which values of its inputs a case proves it; None for a check of which none can.
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
) -> Callable[[Judge], Check]:
    """Make a check of the function below it."""

    def made(judge: Judge) -> Check:
        return Check(id, level, requirement, remedy, judge, wrong, right, domain, probes, others, needs, claims=claims)

    return made


def unmet(needs: Iterable[Need], reading: Any) -> Unmet:
    """Why the case lacks the first need that it lacks; None if it has all."""
    return next((why for need in needs if (why := need(reading)) is not None), None)


class Judged(NamedTuple):
    """What a check says of a case, what it compared on it, and for which values of its inputs that proves the check."""

    judgement: Judgement
    claims: tuple[Claim, ...] = ()
    proved: tuple[str, ...] = ()

    @property
    def violated(self) -> bool:
        """Whether the case breaks the check."""
        return isinstance(self.judgement, Violation)


def judged(check: Check, case: Case, reading: Any) -> Judged:
    """What a check says of a case: why it cannot be judged, that what it compares holds, or what is wrong."""
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
    """What a check says of a case, without what it compared."""
    return judged(check, case, reading).judgement


def the_facts(_: Case, facts: Any) -> Any:
    """The facts themselves: the reading of a contract whose checks are simple."""
    return facts


@dataclass(frozen=True)
class Contract:
    """A named promise: how cases are drawn, and the checks.

    Attributes:
        name, title, version: what it is called, in one sentence, and the version of its meaning.
        entry: the name that a candidate's function should have.
        parameters: its arguments, by position.
        calls: how many calls of a module a case asks for.
        fallback: the check that a candidate breaks when it does not return at all.
        history: the check that it breaks when the same case does not give the same again.
        control: the target of a right candidate, which shows whether the kit or a candidate is at fault.
        timeline: what a picture of a finding shows, from the reading of its case; None for no pictures.
        script: a Python script that runs as it stands and shows a finding, empty where none can; None for no scripts.
        catalogue: the dotted name of the package whose folder holds `right/` and `mutants/`, one implementation a file;
            empty for none. Read with `nnx_conformance.audit.catalogue`, which imports none of it.
        observer: how its candidates are loaded and observed; functions that use NNX modules by default.
        exploration: how `explore` searches its core; None if a case is no sequence of operations.
        read: what the facts of a case mean, made once for all checks.
        smaller: the cases that a case becomes without one of its parts, the smallest first; None where cases have none,
            and Hypothesis looks for smaller ones.
        imports: whether it promises that a candidate can be imported; if not, one that cannot is not judged.
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

    def check(self, check_id: str) -> Check:
        """A check by its id.

        Raises:
            Misuse: if there is none.
        """
        if check_id not in self.by_id:
            fix = suggestion(check_id, self.by_id)
            raise expected(f"the id of a check of contract {self.name!r}", "check", check_id, fix)
        return self.by_id[check_id]
