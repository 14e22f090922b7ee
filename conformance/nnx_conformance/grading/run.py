"""A grading from end to end: judges each unknown content once, and stores every result as it comes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from nnx_conformance.core.errors import expected
from nnx_conformance.grading.grade import Grade
from nnx_conformance.grading.source import Listed, TaskSource
from nnx_conformance.grading.store import Store
from nnx_conformance.grading.submissions import Submission
from nnx_conformance.grading.tasks import GradingPlan, Task, key
from nnx_conformance.sandbox import isolation
from nnx_conformance.sandbox.jail import Jail

#: Gives the grades of tasks by a plan, as they come.
Engine = Callable[[TaskSource, GradingPlan], Generator[Grade]]
#: Called with how many of how many are judged.
CountProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Accounting:
    """How much a grading judged.

    Attributes:
        candidates: how many there are.
        contents: how many different contents they have.
        judged: how many of these were judged now; the others were known.
    """

    candidates: int
    contents: int
    judged: int


def grade(
    submissions: Sequence[Submission], plan: GradingPlan, store: Store, engine: Engine, progress: CountProgress
) -> Accounting:
    """Judge every submission that the store does not know yet."""
    keys = {submission.id: key(submission.source, plan) for submission in submissions}
    store.enlist((submission.id, keys[submission.id], submission.source) for submission in submissions)
    known = store.known()
    tasks = {keys[one.id]: Task(keys[one.id], one.id, one.source) for one in reversed(submissions)}
    todo = [task for task in reversed(tasks.values()) if task.key not in known]
    done = len(tasks) - len(todo)
    progress(done, len(tasks))
    if todo:
        # Closed, or an interrupted grading would remove the folder while its judges still write there.
        with compilations(plan) as cache, closing(engine(Listed(todo), replace(plan, cache=cache))) as grades:
            for number, grade in enumerate(grades, done + 1):
                store.add(grade)
                progress(number, len(tasks))
    return Accounting(len(submissions), len(tasks), len(todo))


@contextmanager
def compilations(plan: GradingPlan) -> Iterator[str]:
    """A folder for compilations that candidates cannot write to."""
    if plan.jail.level != "sandbox":
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="nnx-conformance-cache-") as folder:
        yield folder


def settled(jail: Jail) -> Jail:
    """The jail with the level that this host gives, so that results name it.

    Raises:
        Misuse: if a level is asked for that cannot be had.
    """
    obtained = isolation.obtain(jail)
    if obtained.refused:
        fix = f"{obtained.refused}. Ask for {obtained.level!r}, or leave it out; `nnx-conformance doctor` says more."
        raise expected("an isolation that this host can give", "--isolation", jail.level, fix)
    return replace(jail, level=obtained.level)


def cores() -> int:
    """How many judges work at once by default."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
