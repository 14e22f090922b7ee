"""From a recording to judged or written subjects, for `pytest --nnx-laws` and `adopt`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nnx_conformance.adopt import judging, subject_file, summary
from nnx_conformance.adopt.judging import JudgedSubject
from nnx_conformance.adopt.records import Recording
from nnx_conformance.adopt.session import Adoption, adoption, folders_of
from nnx_conformance.core.errors import expected, suggestion
from nnx_conformance.project.checking import CheckOptions
from nnx_conformance.project.subject_lists import subjects_of

NOTHING = (
    "the tests made no module of their own (an nnx.Module or nnx.Pytree that is not Flax's), so nothing is judged; "
    "run tests that construct and call modules"
)


@dataclass(frozen=True)
class AdoptionResult:
    """The adopted classes of a session, and the result of each subject."""

    adoption: Adoption
    results: tuple[JudgedSubject, ...]

    @property
    def exit_status(self) -> int:
        """1 if a law is violated, 3 if nothing could be judged, otherwise 0."""
        if any(each.violates for each in self.results):
            return 1
        return 0 if any(each.report and each.report.exit_status == 0 for each in self.results) else 3


def known_package(session: Recording, package: str, option: str) -> None:
    """Check that the session made a module of the package.

    Raises:
        Misuse: if not; it suggests the packages of the modules that it made.
    """
    if package and not (session.records or session.unnamed) and session.others:
        fix = suggestion(package, session.others)
        raise expected("the package of modules that are made", option, package, fix)


def laws(session: Recording, options: CheckOptions, tests: str, say: Callable[[str], None]) -> AdoptionResult:
    """Judge the subjects of a recording, and those of its classes that a person keeps.

    Args:
        session: the recording, of at least one class.
        options: those of the project.
        tests: the command that was recorded.
        say: called with lines of progress.
    """
    root: Path = options.project.root
    kept, left_out = judging.kept(root, session.records)
    known = {*kept.values(), *left_out}
    new = {dotted: record for dotted, record in session.records.items() if dotted not in known}
    adopted = adoption(new, session.unnamed, say)
    targets = {**kept, **judging.written(adopted, root, tests)}
    if targets:
        say(f"judging {len(targets)} {'subject' if len(targets) == 1 else 'subjects'} by the module laws")
    results = judging.judged(targets, options, lambda *done: say("[{}/{}] {} {}".format(*done))) if targets else []
    classes = len(session.records) + len(session.unnamed)
    return AdoptionResult(Adoption(classes, adopted.subjects, {**adopted.refused, **left_out}), tuple(results))


def written(session: Recording, file: Path, tests: str, say: Callable[[str], None]) -> Iterator[str]:
    """Write the subjects of a recording to the file that a person keeps, and yield the lines of a summary.

    Args:
        session: the recording, of at least one class.
        file: a new file, or one that `adopt` wrote; it keeps its text on classes that it names.
        tests: the command that was recorded.
        say: called with lines of progress.
    """
    class_by_subject, left_out = subject_file.classes_of(file, session.records) if file.exists() else ({}, [])
    known = {*class_by_subject.values(), *left_out}
    new = {dotted: record for dotted, record in session.records.items() if dotted not in known}
    adopted = adoption(new, session.unnamed, say, subjects_of(file) if file.exists() else ())
    if adopted.subjects:
        drafts = [subject.draft for subject in adopted.subjects]
        subject_file.write(file, adopted.subjects, tests, folders_of(drafts, file))
    for subject in adopted.subjects:
        yield f"  {subject.draft.name}  {subject.draft.record.dotted}"
        for trait in subject.traits:
            yield f"    {'' if trait.decided else 'to decide: '}{trait.name}: {trait.why}"
    yield from summary.refused(adopted.refused)
    already = f"; {len(known)} {'is' if len(known) == 1 else 'are'} in it already" if known else ""
    count = len(adopted.subjects)
    yield f"{count} {'subject' if count == 1 else 'subjects'} written to {file}{already}"
