"""The runs that interventions are compared with, and the record of an intervention."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnx_conformance.core.facts import Call, Intervention, Rerun, Run
from nnx_conformance.core.plan import Changed, Moment, Request
from nnx_conformance.core.timeline import clearer, main_calls, moved, numbers
from nnx_conformance.observe.run import LoadedCandidate, forget_compiled, outcome, run, run_reporting, run_untraced


@dataclass(frozen=True, eq=False)
class Base:
    """The runs of a case without interventions."""

    candidate: LoadedCandidate
    request: Request
    first: Run
    untraced: Run | None
    reported: Run | None = None

    @functools.cached_property
    def run(self) -> Run:
        """The run that shows most of the calls."""
        return clearer(self.first, self.untraced, self.reported)

    @functools.cached_property
    def paths(self) -> tuple[str, ...]:
        """The paths of the Variables whose number the calls change; none if the state is recorded as arrays."""
        return () if self.candidate.arrays else tuple(moved(self.run, main_calls(self.run)))

    @property
    def showing(self) -> Run:
        """The run that shows every call: the one with reporting traces, or without traces."""
        others = (self.reported, self.untraced)
        return next((run for run in others if run and not run.raised), self.first)

    def ends(self, run: Run) -> tuple[float | None, ...]:
        """The numbers at `paths` after the last call of a run."""
        calls = main_calls(run)
        after = numbers(run, calls[-1].after) if calls and calls[-1].after else {}
        return tuple(after.get(path) for path in self.paths)

    def again(self, like: Run, **hooks: Any) -> Run:
        """Run the case once more in the way of one of the runs, with hooks that intervene."""
        runner = run_untraced if like is self.untraced else run_reporting if like is self.reported else run
        return runner(self.candidate, self.request.case, self.request.calls, **hooks)

    @property
    def hides(self) -> bool:
        """Whether only the run without traces shows the calls; a candidate may behave differently in it."""
        return self.run is self.untraced

    def intervention(
        self, which: Changed, moment: Moment, amount: int, applied: list[bool], changed: Run, **more: Any
    ) -> Intervention:
        """The record of a changed run; `applied` says for each selected call whether there was something to change."""
        calls = more.pop("calls", len(changed.calls))
        raised = changed.raised
        # Some transforms refuse our callback because it returns a value. Then the candidate has not read any change.
        refused = (
            self.reported and raised and raised.type == "NotImplementedError" and "effect" in raised.message.lower()
        )
        effective = any(applied) and not refused
        return Intervention(which, moment, amount, effective, outcome(changed), self.ends(changed), calls, **more)


def ordinals_of(run: Run, calls: Sequence[Sequence[Call]], which: int) -> frozenset[int]:
    """The numbers, among the run's concrete calls from 1, of the call at index `which` of each group."""
    chosen = {id(group[which]) for group in calls if group}
    concrete = [call for call in run.calls if not call.traced]
    return frozenset(number for number, call in enumerate(concrete, start=1) if id(call) in chosen)


def differs(some: Rerun, other: Rerun) -> bool:
    """Whether two runs returned different arrays, or one of them none."""
    a, b = some.result, other.result
    return a is None or b is None or a.array is None or b.array is None or not np.array_equal(a.array, b.array)


@contextmanager
def forgotten() -> Iterator[None]:
    """Clear JAX's caches before and after the block."""
    forget_compiled()
    try:
        yield
    finally:
        forget_compiled()
