"""A grading from end to end: what is not known yet is judged, once for each content, and kept as it comes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from nnx_conformance.errors import expected
from nnx_conformance.grading.order import Order, key
from nnx_conformance.grading.outcome import Outcome
from nnx_conformance.grading.store import Store
from nnx_conformance.grading.submissions import Submission
from nnx_conformance.grading.work import Work
from nnx_conformance.isolation import host
from nnx_conformance.isolation.jail import Jail

#: Gives the outcomes of works by an order, as they come.
Engine = Callable[[Sequence[Work], Order], Iterator[Outcome]]
#: Told how many of how many are judged.
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Accounting:
    """What a grading had to do.

    Attributes:
        candidates: how many there are.
        contents: how many different contents they have.
        judged: how many of these were judged now; the others were known.
    """

    candidates: int
    contents: int
    judged: int


def grade(submissions: Sequence[Submission], order: Order, store: Store, engine: Engine, told: Told) -> Accounting:
    """Judge every submission that the store does not know yet."""
    keys = {submission.id: key(submission.source, order) for submission in submissions}
    store.enlist((submission.id, keys[submission.id], submission.source) for submission in submissions)
    known = store.known()
    works = {keys[one.id]: Work(keys[one.id], one.id, one.source) for one in reversed(submissions)}
    todo = [work for work in reversed(works.values()) if work.key not in known]
    done = len(works) - len(todo)
    told(done, len(works))
    if todo:
        with compilations(order) as cache:
            for number, outcome in enumerate(engine(todo, replace(order, cache=cache)), done + 1):
                store.add(outcome)
                told(number, len(works))
    return Accounting(len(submissions), len(works), len(todo))


@contextmanager
def compilations(order: Order) -> Iterator[str]:
    """A folder for compilations, where candidates cannot write to it."""
    if order.jail.level != "sandbox":
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="nnx-conformance-cache-") as folder:
        yield folder


def settled(jail: Jail) -> Jail:
    """The jail with the level that this host gives, so that results tell under which they came about.

    Raises:
        Misuse: if a level is asked for that cannot be had.
    """
    obtained = host.obtain(jail)
    if obtained.refused:
        mend = f"{obtained.refused}. Ask for {obtained.level!r}, or leave it out; `nnx-conformance doctor` tells more."
        raise expected("an isolation that this host can give", "--isolation", jail.level, mend)
    return replace(jail, level=obtained.level)


def cores() -> int:
    """How many judges work at the same time if nobody says otherwise."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
