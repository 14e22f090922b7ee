"""Contracts and checks: data, with one small pure function each; promise and judgement stand in one place."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal

from nnx_conformance.case import Case
from nnx_conformance.errors import Misuse, expected, suggestion
from nnx_conformance.exploration import Exploration
from nnx_conformance.literals import Literals
from nnx_conformance.observation import Line
from nnx_conformance.observer import FUNCTIONS, Observer
from nnx_conformance.request import Request
from nnx_conformance.timeline import Timeline

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Level = Literal["MUST", "SHOULD"]
MUST: Level = "MUST"
SHOULD: Level = "SHOULD"

CORE = "core"
GROUP = "nnx_conformance.contracts"


@dataclass(frozen=True)
class Violation:
    """The case breaks the check.

    Attributes:
        what: what happened, in one line.
        expected, observed: the values, as text; empty where `what` says it all.
        line: where in the candidate.
        cause: why, in one line.
        remedy: how to mend it, where that is another than the check's.
        symptom_of: other checks; if one of them is violated too, this is reported as blocked by it.
        follows: other checks; if one of them is violated too, this is told together with it, being of the same cause.
        timeline: the state of the case, call by call; the contract fills it in.
        script: a Python script that shows it; the contract fills it in.
    """

    what: str
    expected: str = ""
    observed: str = ""
    line: Line | None = None
    cause: str = ""
    remedy: str = ""
    symptom_of: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    timeline: Timeline | None = None
    script: str = ""


@dataclass(frozen=True)
class Blocked:
    """The check cannot be judged on this case, because the case breaks another one."""

    by: str


@dataclass(frozen=True)
class NotApplicable:
    """The check does not apply to this case, or its evidence cannot be had.

    Attributes:
        reason: why, in one line.
        elsewhere: whether the evidence could be had in another way, so that there is no verdict without it.
    """

    reason: str
    elsewhere: bool = False


#: What a check says of a case; None: it holds.
Judgement = Violation | Blocked | NotApplicable | None
#: Observations are of the kind that the contract's observer tells.
Judge = Callable[[Case, Any], Judgement]
Draw = Callable[[Case, Any], Timeline | None]
#: From case, observation, the id of the check and what happened.
Script = Callable[[Case, Any, str, str], str]


@dataclass(frozen=True)
class Check:
    """One requirement of a contract.

    Attributes:
        id: stable, kebab-case, public.
        level: `MUST` decides the verdict, `SHOULD` is advice (and decides it under `--strict`).
        requirement: what holds, in one sentence.
        remedy: how to mend a violation.
        judge: a pure function of case and observation.
        wrong, right: a few lines of code that break and keep it.
        domain: the part of the inputs on which it is judged.
        others: further parts on which it is judged too.
        probes: what must have been observed besides the plain run, see `request`.
    """

    id: str
    level: Level
    requirement: str
    remedy: str
    judge: Judge
    wrong: str
    right: str
    domain: str = CORE
    probes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def domains(self) -> tuple[str, ...]:
        """All parts of the inputs on which it is judged."""
        return (self.domain, *self.others)

    def applies(self, request: Request) -> bool:
        """Whether the check can be judged on what this request asks."""
        return request.case.domain in self.domains and set(self.probes) <= set(request.probes)


def check(
    *,
    id: str,
    level: Level,
    requirement: str,
    remedy: str,
    wrong: str,
    right: str,
    domain: str = CORE,
    probes: tuple[str, ...] = (),
    others: tuple[str, ...] = (),
) -> Callable[[Judge], Check]:
    """Make a check of the function below it."""
    return lambda judge: Check(id, level, requirement, remedy, judge, wrong, right, domain, probes, others)


@dataclass(frozen=True, eq=False)
class Part:
    """Cases of one kind, and how many of them are drawn.

    Attributes:
        budget: at most so many; None for as many as the user asks for.
        share: one for so many that the user asks for: for cases that each cost as much as many others.
        least: at least so many, however few the user asks for.
    """

    cases: SearchStrategy[Case]
    budget: int | None = None
    share: int = 1
    least: int = 1

    def count(self, max_examples: int) -> int:
        """How many cases to draw."""
        wanted = max(self.least, max_examples // self.share)
        return wanted if self.budget is None else min(self.budget, wanted)


@dataclass(frozen=True)
class Domain:
    """A part of a contract's inputs.

    Attributes:
        name: `core`, or the id of the check that it is drawn for, and that is to blame where a process ends on it.
        parts: kinds of cases that must each be met, from the seed of the run (shapes are pooled per run: each costs a
            compilation).
        mined: the cases to which the numbers in a candidate's source lead, met besides; None for none.
    """

    name: str
    parts: Callable[[int], tuple[Part, ...]]
    mined: Callable[[Literals], Iterable[Case]] | None = None


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
        control: the target of a right candidate, by which a failure of the kit is told from a candidate's doing.
        timeline: what a picture of a violation shows, from facts that were observed anyway; None for no pictures.
        script: a Python script that runs as it stands and shows a violation, empty where none can; None for no scripts.
        catalogue: the dotted name of the package whose folder holds `right/` and `mutants/`, one implementation a file;
            empty for none. Read with `nnx_conformance.catalogue`, which imports none of it.
        observer: how its candidates are loaded and observed; functions that use NNX modules by default.
        exploration: how `explore` searches its core; None if a case is no sequence of operations.
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
    timeline: Draw | None = None
    script: Script | None = None
    catalogue: str = ""
    observer: Observer = FUNCTIONS
    exploration: Exploration | None = None
    by_id: dict[str, Check] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.timeline is not None:
            object.__setattr__(self, "checks", tuple(_pictured(check, self.timeline) for check in self.checks))
        if self.script is not None:
            object.__setattr__(self, "checks", tuple(_scripted(check, self.script) for check in self.checks))
        object.__setattr__(self, "by_id", {check.id: check for check in self.checks})
        if len(self.by_id) != len(self.checks):
            raise Misuse(f"Contract {self.name!r} has two checks of one id. Give each its own.")

    def check(self, check_id: str) -> Check:
        """A check by its id.

        Raises:
            Misuse: if there is none.
        """
        if check_id not in self.by_id:
            mend = suggestion(check_id, self.by_id)
            raise expected(f"the id of a check of contract {self.name!r}", "check", check_id, mend)
        return self.by_id[check_id]


def _pictured(check: Check, draw: Draw) -> Check:
    """The check, whose violations tell the timeline of their case."""

    def judge(case: Case, seen: Any) -> Judgement:
        found = check.judge(case, seen)
        if not isinstance(found, Violation) or found.timeline is not None:
            return found
        return replace(found, timeline=draw(case, seen))

    return replace(check, judge=judge)


def _scripted(check: Check, script: Script) -> Check:
    """The check, whose violations bring a script."""

    def judge(case: Case, seen: Any) -> Judgement:
        found = check.judge(case, seen)
        if not isinstance(found, Violation) or found.script:
            return found
        return replace(found, script=script(case, seen, check.id, found.what))

    return replace(check, judge=judge)


def reference_folders(contract: Contract) -> Iterator[str]:
    """The folders of the packages that hold a contract's right candidates: those who are graded must not read them."""
    named = (contract.control.partition(":")[0], contract.catalogue)
    for package in dict.fromkeys(name.partition(".")[0] for name in named if name):
        found = importlib.util.find_spec(package)
        yield from (found.submodule_search_locations or ()) if found else ()


def names() -> dict[str, EntryPoint]:
    """The installed contracts, by name; nothing is imported yet."""
    return {found.name: found for found in entry_points(group=GROUP)}


def get(name: str) -> Contract:
    """An installed contract.

    Raises:
        Misuse: if there is none of that name, or it does not load.
    """
    found = names()
    if name not in found:
        raise expected("the name of an installed contract", "contract", name, suggestion(name, found))
    try:
        contract = found[name].load()
    except Exception as error:  # a contract of others may do anything when it is imported
        raise Misuse(f"Contract {name!r} of {_origin(found[name])} does not load: {_told(error)}") from error
    if not isinstance(contract, Contract):
        raise expected("a Contract at its entry point", name, contract, f"Mend entry point {found[name].value!r}.")
    return contract


def _origin(found: EntryPoint) -> str:
    return f"package {found.dist.name!r} ({found.value})" if found.dist else found.value


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}. Mend it, or uninstall the package."
