"""Checks a candidate under its project's settings and waivers, with cached verdicts.

The command line and the pytest plugin both check through here, so that they cannot come to different verdicts.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nnx_conformance.core import contracts
from nnx_conformance.core.candidate.target import parse
from nnx_conformance.core.case import Case
from nnx_conformance.core.report import Report, Settings
from nnx_conformance.judging import check
from nnx_conformance.process.candidate import Process
from nnx_conformance.process.fork_server import ForkServer
from nnx_conformance.process.limits import Clock, Limits
from nnx_conformance.process.session import InProcess, Progress, silent
from nnx_conformance.project import cache, candidates, pins, replay, stored_findings
from nnx_conformance.project.content import TooMuch
from nnx_conformance.project.settings import Project
from nnx_conformance.project.waivers import Waiver, applied, excused
from nnx_conformance.sandbox.jail import ANY_JAIL, Jail

if TYPE_CHECKING:
    from nnx_conformance.judging.check import Search
    from nnx_conformance.judging.drawn import Warm
    from nnx_conformance.judging.judge import OnFinding


@dataclass(frozen=True)
class CheckOptions:
    """Options of a check.

    Attributes:
        project: whose waivers hold.
        contract, settings, limits: what the options made of the project's settings.
        cached: whether a verdict is taken over while nothing that it depends on has changed.
        jail: what candidates that are files are kept to.
        warm: a fork server and cases that are kept for the next candidate; None for new ones each.
        search: meets the cases of a candidate that is a file, in the place of drawing them, see `check.Job`.
    """

    project: Project
    contract: str
    settings: Settings
    limits: Limits = field(default_factory=Limits)
    cached: bool = False
    jail: Jail = ANY_JAIL
    search: Search | None = None
    warm: Warm | None = None


def validate(options: CheckOptions, targets: Iterable[str] = ()) -> None:
    """Raise `Misuse` for invalid settings and waivers, before anything starts; loads no contract."""
    check.validate(options.settings, options.contract)
    candidates.known(options.project, targets)


Notify = Callable[[str], None]


def judged(
    options: CheckOptions,
    target: str,
    progress: Progress = silent,
    notify: Notify = lambda _: None,
    on_finding: OnFinding | None = None,
) -> Report:
    """The report of the candidate at a target, its findings stored.

    Args:
        notify: gets a line on what the cache did for it.
        on_finding: gets the first violation of a MUST check as soon as it is confirmed.

    Raises:
        Misuse: if the target leads to none, or a waiver names a check that does not exist.
    """
    key = _key(options, target, notify) if options.cached else ""
    kept = cache.read(options.project.root, key) if key else None
    if kept is not None:
        notify(f"{target}: nothing has changed; this is the verdict of an earlier run, from {cache.FOLDER}")
        return stored_findings.with_replays(kept)
    waivers, waived = _waivers(options, target)
    report = check.judge_target(
        target,
        options.contract,
        options.settings,
        options.limits,
        progress,
        options.jail,
        waived,
        options.search,
        options.project.packages,
        options.warm,
        on_finding,
    )
    report = _with_waivers(options, report, waivers, functools.partial(_still_violated, options, target))
    if key:
        cache.keep(options.project.root, key, report)
    return stored_findings.with_replays(report)


def judged_object(options: CheckOptions, candidate: Any, name: str) -> Report:
    """The report of a Python object; waivers name it as `module:name`."""
    waivers, waived = _waivers(options, name)
    report = check.judge_object(candidate, name, options.contract, options.settings, waived, options.project.packages)
    opener = functools.partial(InProcess, candidate, name, options.project.packages)
    again = functools.partial(replay.still_violated, opener, options.contract)
    return stored_findings.with_waived(_with_waivers(options, report, waivers, again))


def _waivers(options: CheckOptions, target: str) -> tuple[tuple[Waiver, ...], frozenset[str]]:
    """The waivers that name a candidate, and the ids of the checks that they or a pin excuse."""
    candidates.known_checks(options.project)
    pins.known(options.project.pins, options.contract)
    waivers = candidates.waivers_of(options.project, options.contract, target)
    new = pins.newer(contracts.get(options.contract), options.project.pins) if options.project.pins else frozenset()
    return waivers, excused(waivers, datetime.date.today()) | new


def _with_waivers(
    options: CheckOptions,
    report: Report,
    waivers: tuple[Waiver, ...],
    again: Callable[[str, tuple[Case, ...]], bool],
) -> Report:
    def still_violated(check_id: str) -> bool:
        cases = stored_findings.cases(report.candidate, report.contract, check_id)
        return bool(cases) and again(check_id, cases)

    report = applied(report, waivers, datetime.date.today(), still_violated)
    return pins.excused(report, options.project.pins)


def _still_violated(options: CheckOptions, target: str, check_id: str, cases: tuple[Case, ...]) -> bool:
    clock = Clock(options.limits)
    with ForkServer(options.jail) as fork_server:
        opener = functools.partial(Process, parse(target), clock, fork_server)
        return replay.still_violated(opener, options.contract, check_id, cases)


def _key(options: CheckOptions, target: str, notify: Notify) -> str:
    """The cache's key; empty if there are too many files to hash."""
    waivers = options.project.waivers
    expired = [waiver.expired(datetime.date.today()) for waiver in waivers]
    others = [dataclasses.asdict(options.limits), dataclasses.asdict(options.jail), expired]
    try:
        return cache.key(target, options.contract, options.settings, options.project, others)
    except (TooMuch, OSError) as error:
        notify(f"{target}: judged again, as its verdict cannot be cached: {error}")
        return ""


@contextmanager
def no_hypothesis_folder() -> Iterator[None]:
    """Keep Hypothesis from writing `.hypothesis` in the current folder: it stores constants even without a database."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", folder)
        yield
