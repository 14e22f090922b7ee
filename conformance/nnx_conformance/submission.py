"""Judging what a project submits: its settings and waivers, and a verdict that is kept while nothing changes.

The command line and the pytest plugin both judge through here, so that they cannot come to different verdicts.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nnx_conformance import cache, candidates, checking, stored
from nnx_conformance.content import TooMuch
from nnx_conformance.isolation.jail import ANY_JAIL, Jail
from nnx_conformance.process import Limits
from nnx_conformance.project import Project
from nnx_conformance.report import Report, Settings
from nnx_conformance.session import Progress

if TYPE_CHECKING:
    from nnx_conformance.checking import Search


@dataclass(frozen=True)
class Submission:
    """How candidates are judged.

    Attributes:
        project: whose waivers hold.
        contract, settings, limits: what the options made of the project's settings.
        cached: whether a verdict is taken over while nothing that it depends on has changed.
        jail: what candidates that are files are kept to.
        search: meets the cases of a candidate that is a file, in the place of drawing them, see `checking.Job`.
    """

    project: Project
    contract: str
    settings: Settings
    limits: Limits = field(default_factory=Limits)
    cached: bool = False
    jail: Jail = ANY_JAIL
    search: Search | None = None


def validate(submission: Submission, targets: Iterable[str] = ()) -> None:
    """Raise `Misuse` for settings and waivers that mean nothing, before anything is started; loads no contract."""
    checking.validate(submission.settings, submission.contract)
    candidates.known(submission.project, targets)


Tell = Callable[[str], None]


def judged(
    submission: Submission, target: str, progress: Progress = checking.silent, tell: Tell = lambda _: None
) -> Report:
    """The report of the candidate at a target, its findings stored; `tell` is told what the cache did for it.

    Raises:
        Misuse: if the target leads to none, or a waiver names a check that does not exist.
    """
    key = _key(submission, target, tell) if submission.cached else ""
    kept = cache.read(submission.project.root, key) if key else None
    if kept is not None:
        tell(f"{target}: nothing has changed, so the verdict is that of an earlier run, kept in {cache.FOLDER}")
        return stored.with_replays(kept)
    candidates.known_checks(submission.project)
    waivers = candidates.waivers_of(submission.project, submission.contract, target)
    report = checking.judge_target(
        target,
        submission.contract,
        submission.settings,
        submission.limits,
        progress,
        submission.jail,
        waivers,
        submission.search,
    )
    if key:
        cache.keep(submission.project.root, key, report)
    return stored.with_replays(report)


def judged_object(submission: Submission, candidate: Any, name: str) -> Report:
    """The report of a Python object; waivers name it as `module:name`."""
    candidates.known_checks(submission.project)
    waivers = candidates.waivers_of(submission.project, submission.contract, name)
    report = checking.judge_object(candidate, name, submission.contract, submission.settings, waivers)
    return stored.with_waived(report)


def _key(submission: Submission, target: str, tell: Tell) -> str:
    """Empty if there is too much to look through."""
    waivers = submission.project.waivers
    expired = [waiver.expired(datetime.date.today()) for waiver in waivers]
    others = [dataclasses.asdict(submission.limits), dataclasses.asdict(submission.jail), expired]
    try:
        return cache.key(target, submission.contract, submission.settings, submission.project, others)
    except (TooMuch, OSError) as error:
        tell(f"{target}: judged anew, its verdict is not kept: {error}")
        return ""
