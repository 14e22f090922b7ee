"""`check`: one candidate, one contract, one report."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.loaded import End, NotLoaded, Versions
from nnx_conformance.core.candidate.subject import Subject, is_candidate, object_name, written
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.contract import Contract
from nnx_conformance.core.errors import CannotObserve, KitError, Misuse, expected
from nnx_conformance.core.plain_text import plain, short
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.judging import excerpt
from nnx_conformance.judging.excerpt import SourceFile
from nnx_conformance.process.candidate import Process
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import Clock, Limits
from nnx_conformance.process.reference import Control, works
from nnx_conformance.process.session import Ended, InProcess, Opener, Progress, Session, silent
from nnx_conformance.sandbox.jail import ANY_JAIL, Jail

if TYPE_CHECKING:
    from nnx_conformance.judging.drawn import Draw, Warm
    from nnx_conformance.judging.engine import Shrunk
    from nnx_conformance.judging.judge import Judging, OnFinding
    from nnx_conformance.judging.tier import DrawnAt, Tier

    Search = Callable[[Judging], Mapping[str, Shrunk] | None]

EARLY = "judged on the first cases, which decide; `--complete` judges all"
KIT_FAILS = "the kit fails on it, and not on another candidate"


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
            or a class), judged in this process, or a target (`path.py`, `path.ipynb`,
            `path.py::name`, `package.module:name`), judged in a process of its own, isolated as the host allows.
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
        fix = "Pass the function itself, or `path.py::name`."
        raise expected("a function or a target", "candidate", candidate, fix)
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


def judge_object(
    candidate: Any,
    name: str,
    contract: str,
    settings: Settings,
    waived: frozenset[str] = frozenset(),
    packages: tuple[str, ...] = (),
) -> Report:
    """Judge a Python object, in this process; arguments as for `judge_target`."""
    from nnx_conformance.observe.load import source_file

    source = excerpt.of_object(source_file(written(candidate)), packages)
    return judge(
        Job(lambda: InProcess(candidate, name, packages), name, contract, settings, waived=waived, source=source)
    )


def judge_target(
    text: str,
    contract: str,
    settings: Settings,
    limits: Limits,
    progress: Progress = silent,
    jail: Jail = ANY_JAIL,
    waived: frozenset[str] = frozenset(),
    search: Search | None = None,
    packages: tuple[str, ...] = (),
    warm: Warm | None = None,
    on_finding: OnFinding | None = None,
) -> Report:
    """Judge the candidate at a target, in a process of its own.

    Args:
        waived: the ids of checks that are excused.
        packages: the import names of packages that are the candidate's own.
        warm: a fork server and cases that are kept for the next candidate; None for new ones.
        on_finding: called with the first violation of a MUST check as soon as it is confirmed, and never after.
    """
    target, clock = parse(text, packages), Clock(limits, Control(contract, limits))
    validate(settings, contract)
    found = excerpt.notebook_of(Path(target.path))
    with nullcontext(warm.fork_server) if warm else ForkServer(jail) as fork_server:
        job = Job(
            lambda: Process(target, clock, fork_server),
            text,
            contract,
            settings,
            progress,
            warm.draw if warm else None,
            waived,
            search=search,
            source=excerpt.of_target(target),
            note=found.note if found else "",
            on_finding=on_finding,
        )
        return judge(job)


def validate(settings: Settings, contract: str) -> None:
    """Raise `Misuse` for invalid settings, before anything starts."""
    if type(settings.max_examples) is not int or settings.max_examples < 1:
        raise expected("a whole number >= 1", "max_examples", settings.max_examples, "Leave it out for 200.")
    if type(settings.seed) is not int or settings.seed < 0:
        raise expected("a whole number >= 0", "seed", settings.seed, "Leave it out for 0.")
    if contract not in contracts.names():
        contracts.get(contract)


@dataclass(frozen=True, eq=False)
class Job:
    """One candidate to judge.

    Attributes:
        opener: leads to its sessions.
        name: what reports call it.
        contract: the name of the contract.
        draw: where the cases come from; they are drawn as they are needed if None.
        waived: the ids of the checks that are not shrunk, as they are excused.
        search: judges the cases, in place of drawing them, and gives the smallest that violate each check, or None
            where these are still to be looked for; None for drawing.
        source: its file, of which the report shows excerpts; None for no excerpts.
        note: what of its file does not run, see `Report`.
        proven: whether the kit is known to observe the contract's own right candidate here.
        tier: the cases to judge first; who breaks a MUST check on them is judged on no other. None for all at once.
        on_violation: called with the place of each drawn case that breaks a MUST check.
        on_finding: called with the first violation of one that a fresh process confirms; None for nobody.
    """

    opener: Opener
    name: str
    contract: str
    settings: Settings
    progress: Progress = silent
    draw: Draw | None = None
    waived: frozenset[str] = frozenset()
    search: Search | None = None
    source: SourceFile | None = None
    note: str = ""
    proven: bool = False
    tier: Tier | None = None
    on_violation: Callable[[DrawnAt], None] = lambda _: None
    on_finding: OnFinding | None = None


def judge(job: Job) -> Report:
    """Judge the candidate of a job."""
    validate(job.settings, job.contract)
    started = time.monotonic()
    session = job.opener()  # its process imports JAX and Flax, while this one imports the contract, Hypothesis and chex
    try:
        contract = contracts.get(job.contract)
        for check_id in (*job.settings.checks, *job.waived):
            contract.check(check_id)
        session.load(contract.entry, contract.parameters, contract.observer)
        return _judged(job, session, contract, started)
    finally:
        session.close()


def _judged(job: Job, session: Session, contract: Contract, started: float) -> Report:
    # Imported here: Hypothesis and chex are imported while the candidate's process starts.
    import chex  # noqa: F401 - for `assertions`, which would otherwise import it in the middle of judging

    from nnx_conformance.judging.client import Client
    from nnx_conformance.judging.drawn import drawn, two_cases
    from nnx_conformance.judging.judge import Judging
    from nnx_conformance.judging.smallest import Smallest
    from nnx_conformance.judging.tally import tallies
    from nnx_conformance.judging.tier import decided
    from nnx_conformance.judging.verdict import Header, not_imported, not_loaded, report

    versions = _versions(session)
    header = Header(job.name, contract, job.settings, versions, session.isolation, job.source, started, job.note)
    try:
        try:
            loaded = session.loaded
        except Ended as ended:
            if not contract.imports:
                late = ended.end is End.TIMED_OUT
                why = str(ended) if late else f"while its module was imported, {ended}"
                return not_imported(header, why, ended.end)
            if ended.end is End.TIMED_OUT:
                return report(header, tallies(contract), 0, time_up=ended)
            return not_loaded(header, NotLoaded(False, f"while it was imported, {ended}", ended.end.cause), ended.end)
        if isinstance(loaded, NotLoaded):
            if loaded.misuse:
                raise Misuse(loaded.reason)
            if not (contract.imports or loaded.remedy):
                return not_imported(header, loaded.reason)
            return not_loaded(header, loaded)
        client = Client(contract, session, job.opener)
        try:
            rest = (job.progress, loaded.conditions, job.on_violation, job.on_finding)
            judging = Judging(contract, client, job.settings, job.draw or drawn, *rest)
            known = job.search(judging) if job.search else None
            early = job.search is None and job.tier is not None and decided(judging, job.tier)
            if early:
                header = dataclasses.replace(header, note="; ".join(filter(None, (job.note, EARLY))))
            elif job.search is None:
                judging.run()
            judging.settle()
            if not early and not (judging.time_up and judging.time_up.over):
                Smallest(judging, job.progress, job.waived, known).run()
        finally:
            client.close()
            if judging.leading:
                judging.leading.close()
        return report(header, judging.tallies, judging.cases, job.waived, judging.time_up, judging.conditions)
    except CannotObserve as error:
        if not (job.proven or works(contract, two_cases(contract))):
            raise
        said = short(plain(str(error).strip().rpartition("\n")[2]))
        cause = "it meddles with its own observation, or this is a fault of the kit"
        return not_loaded(header, NotLoaded(False, f"{KIT_FAILS}: {said}", cause), what="observed")


def _versions(session: Session) -> Versions:
    try:
        return session.versions
    except Ended as ended:  # nothing of the candidate has run yet
        raise KitError(f"The process for the candidate did not start: {ended}") from ended
