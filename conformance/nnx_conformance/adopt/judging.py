"""Judges adopted subjects, each in processes of its own, several in parallel."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.adopt import subject_file
from nnx_conformance.adopt.session import Adoption, folders_of
from nnx_conformance.core.errors import KitError, Misuse
from nnx_conformance.core.report import Report, Verdict
from nnx_conformance.project import checking
from nnx_conformance.project.checking import CheckOptions, no_hypothesis_folder
from nnx_conformance.project.folder import made
from nnx_conformance.project.subject_lists import CONTRACT

#: Called with the number of judged subjects, the number of all, and the last one's class and outcome.
Progress = Callable[[int, int, str, str], None]


@dataclass(frozen=True)
class JudgedSubject:
    """The result of one subject.

    Attributes:
        dotted: its class.
        target: the subject.
        report: None if it could not be judged; `failure` then says why.
    """

    dotted: str
    target: str
    report: Report | None
    failure: str = ""

    @property
    def violates(self) -> bool:
        """Whether a MUST law is violated."""
        return self.report is not None and self.report.verdict == Verdict.FAILS


def written(adoption: Adoption, root: Path, tests: str) -> dict[str, str]:
    """Write the subjects below the project's folder; returns their targets, each with its class."""
    if not adoption.subjects:
        return {}
    path = made(root, "adopted") / subject_file.NAME
    for old in (path, path.with_suffix(".npz")):
        old.unlink(missing_ok=True)
    drafts = [subject.draft for subject in adoption.subjects]
    subject_file.write(path, adoption.subjects, tests, folders_of(drafts, None))
    return {f"{os.path.relpath(path)}::{draft.name}": draft.record.dotted for draft in drafts}


def kept(root: Path, classes: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """From the file that a person keeps: the targets of these classes, and why it leaves out others."""
    path = root / subject_file.NAME
    if not subject_file.is_ours(path):
        return {}, {}
    class_by_subject, left_out = subject_file.classes_of(path, classes)
    targets = {f"{os.path.relpath(path)}::{name}": dotted for name, dotted in class_by_subject.items()}
    return targets, {dotted: f"a comment in {subject_file.NAME} leaves it out" for dotted in left_out}


def judged(targets: dict[str, str], options: CheckOptions, progress: Progress) -> list[JudgedSubject]:
    """The results of subjects under the module laws, in the order of the targets.

    Args:
        targets: each with its class.
        options: those of the project.
        progress: called after each.
    """
    packages = tuple(dict.fromkeys(dotted.partition(".")[0] for dotted in targets.values()))
    project = dataclasses.replace(options.project, packages=(*options.project.packages, *packages))
    options = dataclasses.replace(options, project=project, contract=CONTRACT)
    done: dict[str, JudgedSubject] = {}
    jobs = max(1, min(len(targets), os.cpu_count() or 1))
    # Spawn, because a fork would inherit locks of threads that the tests left running.
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(_judged, options, target): target for target in targets}
        for future in as_completed(running):
            target = running[future]
            report, failure = future.result()
            each = done[target] = JudgedSubject(targets[target], target, report, failure)
            progress(len(done), len(targets), each.dotted, report.verdict if report else "could not be judged")
    return [done[target] for target in targets]


def _judged(options: CheckOptions, target: str) -> tuple[Report | None, str]:
    try:
        with no_hypothesis_folder():
            return checking.judged(options, target), ""
    except (Misuse, KitError) as error:
        return None, str(error)


def violating(results: Sequence[JudgedSubject]) -> list[str]:
    """The classes that violate a law, once each."""
    return list(dict.fromkeys(each.dotted for each in results if each.violates))
