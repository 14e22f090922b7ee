"""`check`: one candidate, one contract, one report."""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nnx_conformance import contract as contracts
from nnx_conformance import excerpt, refusals
from nnx_conformance.case import Case
from nnx_conformance.errors import CannotObserve, KitError, Misuse, expected
from nnx_conformance.isolation.jail import ANY_JAIL, Jail
from nnx_conformance.literals import NONE, Literals, of_file
from nnx_conformance.loaded import NotLoaded, Versions
from nnx_conformance.plain_text import plain, short
from nnx_conformance.process import Clock, Limits, Process
from nnx_conformance.report import Report, Settings
from nnx_conformance.request import Request
from nnx_conformance.session import Ended, InProcess, Opener, Progress, Session
from nnx_conformance.subject import Subject, is_candidate, object_name, written
from nnx_conformance.target import file_of, parse
from nnx_conformance.waivers import Waiver, applied, excused
from nnx_conformance.zygote import Zygote

if TYPE_CHECKING:
    from nnx_conformance.drawn import Draw
    from nnx_conformance.engine import Shrunk
    from nnx_conformance.judge import Judging

    Search = Callable[[Judging], Mapping[str, Shrunk]]

KIT_FAILS = "the kit fails on it, and not on another candidate"

Waivers = tuple[Waiver, ...]


def silent(_: str, __: int, ___: int) -> None:
    """No progress."""


@dataclass(frozen=True, eq=False)
class Job:
    """One candidate to judge.

    Attributes:
        opener: leads to its sessions.
        name: what reports call it.
        contract: the name of the contract.
        draw: where the cases come from; they are drawn as they are needed if None.
        waived: the ids of the checks that are not shrunk, as they are excused.
        literals: the numbers in its source; the cases to which they lead are met besides.
        search: meets the cases, in the place of drawing them, and gives the smallest ones that it came to, by check;
            None for drawing.
        proven: whether the kit is known to observe the contract's own right candidate here.
    """

    opener: Opener
    name: str
    contract: str
    settings: Settings
    progress: Progress = silent
    draw: Draw | None = None
    waived: frozenset[str] = frozenset()
    literals: Literals = NONE
    search: Search | None = None
    proven: bool = False


def check(
    candidate: str | Callable[..., Any] | Mapping[str, Any] | Subject,
    contract: str = "mutability",
    *,
    max_examples: int = 200,
    seed: int = 0,
    strict: bool = False,
    shrink: bool = True,
    checks: tuple[str, ...] = (),
) -> Report:
    """Judge one candidate.

    Args:
        candidate: a function (or what else the contract judges: for `module-laws` a `Subject`, a dict with its fields,
            or a class), judged in this process, or a target (`path.py`, `path.py::name`,
            `package.module:name`), judged in a process of its own, isolated as the host allows.
        contract: the name of an installed contract.
        max_examples: how many cases of the core domain are drawn; >= 1.
        seed: of the drawing; the same seed draws the same cases.
        strict: let SHOULD checks decide the verdict too.
        shrink: look for the smallest case of each finding.
        checks: ids of the checks to report; all if empty.

    Returns:
        The report.

    Raises:
        Misuse: if an argument is not of this form.
        KitError: if the kit itself fails.
    """
    settings = Settings(max_examples, seed, strict, shrink, tuple(checks))
    if isinstance(candidate, str):
        return judge_target(candidate, contract, settings, Limits())
    if not is_candidate(candidate):
        mend = "Pass the function itself, or `path.py::name`."
        raise expected("a function or a target", "candidate", candidate, mend)
    return judge_object(candidate, object_name(candidate), contract, settings)


def check_module(
    subject: str | Callable[..., Any] | Mapping[str, Any] | Subject,
    *,
    max_examples: int = 200,
    seed: int = 0,
    strict: bool = False,
    shrink: bool = True,
    checks: tuple[str, ...] = (),
) -> Report:
    """Judge a stateful module by the contract `module-laws`.

    Args:
        subject: a `Subject`, a dict with its fields, or a class whose arguments can be guessed, judged in this process;
            or a target that names one of these, judged in a process of its own.
        max_examples, seed, strict, shrink, checks: as for `check`; of programs that mix all operations, one is
            drawn for every eight of `max_examples`.

    Returns:
        The report.

    Raises:
        Misuse: if the subject does not fit together: its `make` makes no module, a call does not take its inputs, or a
            trait is unknown or missing.
    """
    options: dict[str, Any] = {"max_examples": max_examples, "seed": seed, "strict": strict, "shrink": shrink}
    return check(subject, "module-laws", checks=checks, **options)


def judge_object(candidate: Any, name: str, contract: str, settings: Settings, waivers: Waivers = ()) -> Report:
    """Judge a Python object, in this process; `waivers` are those that name it."""
    from nnx_conformance.load import source_file

    file = source_file(written(candidate))
    job = Job(lambda: InProcess(candidate, name), name, contract, settings, literals=of_file(file))
    return excerpt.of_object(_with_waivers(job, waivers), file)


def judge_target(
    text: str,
    contract: str,
    settings: Settings,
    limits: Limits,
    progress: Progress = silent,
    jail: Jail = ANY_JAIL,
    waivers: Waivers = (),
    search: Search | None = None,
) -> Report:
    """Judge the candidate at a target, in a process of its own; `waivers` are those that name it."""
    target, clock = parse(text), Clock(limits)
    validate(settings, contract)
    with Zygote(jail) as zygote:
        numbers = of_file(file_of(target))
        job = Job(lambda: Process(target, clock, zygote), text, contract, settings, progress, None)
        job = dataclasses.replace(job, literals=numbers, search=search)
        return excerpt.of_target(_with_waivers(job, waivers), target)


def validate(settings: Settings, contract: str) -> None:
    """Raise `Misuse` for settings that mean nothing, before anything is started."""
    if type(settings.max_examples) is not int or settings.max_examples < 1:
        raise expected("a whole number >= 1", "max_examples", settings.max_examples, "Leave it out for 200.")
    if type(settings.seed) is not int or settings.seed < 0:
        raise expected("a whole number >= 0", "seed", settings.seed, "Leave it out for 0.")
    if contract not in contracts.names():
        contracts.get(contract)


def _with_waivers(job: Job, waivers: Waivers) -> Report:
    today = datetime.date.today()
    report = judge(dataclasses.replace(job, waived=excused(waivers, today)))

    def again(check_id: str) -> bool:
        from nnx_conformance import replaying, stored

        cases = stored.cases(job.name, job.contract, check_id)
        return replaying.still_violated(job.opener, job.contract, check_id, cases)

    return applied(report, waivers, today, again)


def judge(job: Job) -> Report:
    """Judge the candidate that a job's sessions lead to."""
    validate(job.settings, job.contract)
    started = time.monotonic()
    session = job.opener()  # its process imports JAX and Flax, while this one imports the contract, Hypothesis and chex
    try:
        contract = contracts.get(job.contract)
        for check_id in (*job.settings.checks, *job.waived):
            contract.check(check_id)
        session.load(contract.entry, contract.parameters, contract.observer)
        report = _judged(job, session, contract)
        report = dataclasses.replace(report, isolation=session.isolation, seconds=time.monotonic() - started)
        return refusals.explained(report)
    finally:
        session.close()


def _judged(job: Job, session: Session, contract: contracts.Contract) -> Report:
    # Imported here: Hypothesis and chex are imported while the candidate's process starts.
    from nnx_conformance.asking import CAUSES, Asking
    from nnx_conformance.drawn import drawn
    from nnx_conformance.judge import Judging
    from nnx_conformance.smallest import Smallest
    from nnx_conformance.verdict import not_loaded, report

    versions, kind = _versions(session), ""
    try:
        loaded = session.loaded
    except Ended as ended:
        kind = ended.kind
        loaded = NotLoaded(False, f"while it was imported, {ended}", CAUSES[kind])
    except CannotObserve as error:
        if not (job.proven or can_observe(contract)):
            raise
        return not_loaded(job.name, contract, job.settings, versions, _unobserved(error), what="observed")
    if isinstance(loaded, NotLoaded) and loaded.misuse:
        raise Misuse(loaded.reason)
    if isinstance(loaded, NotLoaded):
        return not_loaded(job.name, contract, job.settings, versions, loaded, kind)
    asking = Asking(contract, session, job.opener)
    try:
        judging = Judging(contract, asking, job.settings, job.draw or drawn, job.progress, job.literals)
        known = job.search(judging) if job.search else None
        if known is None:
            judging.run()
        smallest = Smallest(judging, job.progress, job.waived, known)
        smallest.run()
    except CannotObserve as error:
        if not (job.proven or can_observe(contract)):
            raise
        return not_loaded(job.name, contract, job.settings, versions, _unobserved(error), what="observed")
    finally:
        asking.close()
    return report(job.name, judging, smallest.found, versions, job.waived)


def _unobserved(error: CannotObserve) -> NotLoaded:
    said = short(plain(str(error).strip().rpartition("\n")[2]))
    return NotLoaded(
        False, f"{KIT_FAILS}: {said}", "it meddles with its own observation, or this is a fault of the kit"
    )


def can_observe(contract: contracts.Contract) -> bool:
    """Whether the kit works at all here: it observes the contract's own right candidate without failing."""
    with Zygote(ANY_JAIL) as zygote:
        process = Process(parse(contract.control), Clock(Limits()), zygote)
        try:
            process.load(contract.entry, contract.parameters, contract.observer)
            _observe_some(contract, process)
            return True
        except (CannotObserve, Ended):
            return False
        finally:
            process.close()


def _observe_some(contract: contracts.Contract, process: Process) -> None:
    from nnx_conformance.engine import draw

    def visit(case: Case) -> None:
        process.submit(Request(case, (), contract.calls(case)))
        process.collect()

    draw(contract.domains[0].parts(0)[0].cases, 2, 0, visit)


def _versions(session: Session) -> Versions:
    try:
        return session.versions
    except Ended as ended:  # nothing of the candidate has run yet
        raise KitError(f"The process for the candidate did not start: {ended}") from ended
